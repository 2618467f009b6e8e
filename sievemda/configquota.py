"""The section of the settings tree about full mailboxes: who is told, and how long senders are put off."""

from __future__ import annotations

from pathlib import Path

from sievemda.configfields import Seconds, Section, setting

__all__ = ["Quota"]


class Quota(Section):
    """What happens when a mailbox fills up."""

    quota_warnings: tuple[str, ...] = setting(
        (),
        "Levels at which the owner of a quota root gets a message, such as 80% 95%, and one when it is over its limit;"
        " `on` is the one level of quotawarnpercent. Empty: nobody is told.",
    )
    quotawarnpercent: int = setting(90, "The level of quota_warnings = on: it is told of when the usage has passed it.")
    quotawarnsize: int = setting(
        0, "With quota_warnings = on: only when less than so many KiB of STORAGE are free; 0: whatever is free."
    )
    quotawarnmsg: int = setting(
        0, "With quota_warnings = on: only when fewer than so many messages are free of MESSAGE; 0: whatever is free."
    )
    quota_warning_hysteresis: int = setting(
        5, "Percent of the limit by which usage must fall below a level before that is told of anew."
    )
    quota_warning_interval: Seconds = setting(
        Seconds(86_400), "Time between two reminders while usage stays at a level; 0: there are none."
    )
    quota_warning_template: str = setting(
        "",
        "File with the message, a Subject and a text; {user}, {local}, {domain}, {language} and {level} (80, over)"
        " stand in its name. Empty, or where there is no such file: a text of our own.",
    )
    quota_warning_language: str = setting(
        "en",
        "Language of the message (en, de, es, fr, it, nl have a text of our own); the annotation"
        " /shared/vendor/sievemda/language of an INBOX says another one.",
    )
    quota_warning_folder: str = setting("INBOX", "Folder of the owner that takes it; the INBOX when it is not there.")
    quota_rules: Path | None = setting(
        None, "File of rules for `quota notify`, which `serve` then follows too; README, Full mailboxes."
    )
    quota_check_interval: Seconds = setting(
        Seconds(3600), "How often `serve` looks at all quota roots, when it has anything to warn of."
    )
    quota_grace: Seconds = setting(
        Seconds(0),
        "How long messages for a full mailbox are refused with 452 before it is 552; 0: as"
        " lmtp_over_quota_perm_failure says.",
    )
