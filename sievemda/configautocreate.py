"""The section of the settings tree that says what is made by itself."""

from __future__ import annotations

from pathlib import Path

from sievemda.configfields import Kibibytes, Section, setting


class Autocreate(Section):
    """What is made by itself."""

    autocreate_quota: Kibibytes = setting(
        Kibibytes(-1),
        "STORAGE limit in KiB (or with M, G) of an account made by itself; -1 makes none by itself, 0 makes one"
        " without limit.",
    )
    autocreate_quota_messages: int = setting(-1, "MESSAGE limit of an account made by itself; 0 or less: none.")
    autocreate_post: bool = setting(False, "Make the account when the first message for it arrives.")
    autocreate_users: tuple[str, ...] = setting(
        ("anyone",),
        "Who may get an account by itself: users, group:NAME, anyone. Never anonymous, admins and proxyservers.",
    )
    autocreate_inbox_folders: str = setting("", "Folders made with it, separated by |.")
    autocreate_subscribe_folders: str = setting("", "Those of them that are subscribed, separated by |.")
    autocreate_subscribe_sharedfolders: str = setting(
        "", "Shared folders that a new account subscribes when its owner may see them, separated by |."
    )
    autocreate_subscribe_sharedfolders_all: bool = setting(
        False, "A new account subscribes all that its owner may see."
    )
    autocreate_acl: str = setting(
        "", "Rights on those folders, as `FOLDER IDENTIFIER RIGHTS`; several are separated by |."
    )
    xlist: dict[str, str] = setting(
        dict, "Special uses of those folders: `xlist-FLAG = FOLDER`, where FLAG is drafts, junk, sent, trash ..."
    )
    autocreate_sieve_script: Path | None = setting(
        None, "File with the script that a new account starts with, active and called as the file without its ending."
    )
    autocreate_sieve_folders: str = setting("", "Folders that fileinto may make, separated by |.")
    anysievefolder: bool = setting(False, "fileinto makes any folder that is missing.")
