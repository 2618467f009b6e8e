"""The control files of a folder: rights, keywords, our record. What a file loses is kept in `lost.` as it was.

Why a damaged list of rights is not always mended: until it is, nobody but the owner may do anything. A line that took
rights from somebody and cannot be read any more would open the folder to him when it is left out. So such a file stays
as it is, unless our record of the folder tells exactly what stood there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sievemda.errors import StoreTrouble
from sievemda.store import aclfile, keywords, lost, record
from sievemda.store.files import Damaged, Dotlock, read_control_file
from sievemda.store.uidlist import uids
from sievemda.upkeep.reconstruct import keyword_names
from sievemda.upkeep.reconstruct.findings import Work

if TYPE_CHECKING:
    from sievemda.store.mailbox import Mailbox

_NOT_A_FILE = "it is no file that can be read"


def mend_record(work: Work, mailbox: Mailbox, shown: str) -> None:
    """First of all: what it says is asked for by others."""
    path = mailbox.path / record.FILE_NAME
    content = _content(work, mailbox, shown, path)
    if content is None:
        return
    records = mailbox.store.records
    if record.is_damaged(content):
        found = record.salvaged(content)

        def write() -> str:
            kept = lost.keep(mailbox.tree, path)
            records.update(mailbox.path, lambda now: found if now == record.Record() else now)
            told = [key for key in ("id", "special_use", "rights", "limits", "metadata") if getattr(found, key)]
            return f"written anew, with what could be read ({', '.join(told) or 'nothing'}); as it was: {kept}"

        work.mend(shown, "record", path, "it is no JSON", "written anew with what can be read", write)
    elif not records.get(mailbox.path).id:
        work.mend(shown, "id", path, "the mailbox has no identifier", "given one", lambda: records.change(mailbox.path))


def _content(work: Work, mailbox: Mailbox, shown: str, path: Path) -> bytes | None:
    """What is in a file, if there is one; what stands in its place and is none is taken away."""
    try:
        return read_control_file(path)
    except OSError as error:
        if not (isinstance(error, Damaged) or path.is_symlink()):
            work.failed(shown, "control", path, _NOT_A_FILE, error)
            return None
        how = f"taken away, to {lost.AREA}"
        work.mend(shown, "control", path, _NOT_A_FILE, how, lambda: f"it is {lost.take(mailbox.tree, path)} now")
        return None


# -- rights ------------------------------------------------------------------------------------------------------------


def mend_rights(work: Work, mailbox: Mailbox, shown: str) -> None:
    path = mailbox.path / aclfile.FILE_NAME
    before = work.counts.copy()
    content = _content(work, mailbox, shown, path)
    if content is None:
        if work.counts != before or not path.exists():
            _restore(work, mailbox, shown, path)
        return
    damage = aclfile.damage_of(content)
    if not damage and _is_cut(mailbox, content):
        damage = "its end is missing"
    if not damage:
        return
    if _replacement(mailbox, content) is None:
        work.leave(
            shown,
            "acl",
            path,
            f"{damage}; what cannot be read may take rights away",
            "nobody but the owner has rights until you have mended or removed it",
        )
        return

    def write() -> str:
        with Dotlock(path, mailbox.store.message_mode) as lock:
            now = read_control_file(path) or b""
            new = _replacement(mailbox, now)
            if new is None:
                raise StoreTrouble("somebody is changing it")
            kept = lost.keep(mailbox.tree, path)
            lock.replace(new)
        aclfile.forget_list(mailbox.tree.root)
        return f"written anew with what is known; as it was: {kept}"

    work.mend(shown, "acl", path, damage, "written anew with what is known", write)


def _replacement(mailbox: Mailbox, content: bytes) -> bytes | None:
    """The file as it was, or what is left of it; None when that may give somebody more than he had."""
    owner = mailbox.name.owner
    known = mailbox.store.records.get(mailbox.path)
    good, bad = aclfile.salvaged(content)
    if aclfile.recorded_as(good, owner) == known.acl_file:
        return good
    if known.acl_file.endswith(f" {owner or ''}"):
        if _is_cut(mailbox, content):
            return _recorded(mailbox)
        recorded, _ = mailbox.store.acls.written(aclfile.recorded_acl(known), owner)
        if set(good.splitlines()) <= set(recorded.splitlines()) and (
            aclfile.recorded_as(recorded, owner) == known.acl_file
        ):
            return recorded
    return None if any(line.lstrip(b' \t"').startswith(b"-") for line in bad) else good


def _is_cut(mailbox: Mailbox, content: bytes) -> bool:
    """Whether it ends in the midst of a line, and is how what our record tells begins."""
    if not content or content.endswith(b"\n"):
        return False
    recorded = _recorded(mailbox)
    known = mailbox.store.records.get(mailbox.path).acl_file
    return recorded.startswith(content) and aclfile.recorded_as(recorded, mailbox.name.owner) == known


def _recorded(mailbox: Mailbox) -> bytes:
    known = mailbox.store.records.get(mailbox.path)
    return mailbox.store.acls.written(aclfile.recorded_acl(known), mailbox.name.owner)[0]


def _restore(work: Work, mailbox: Mailbox, shown: str, path: Path) -> None:
    """Rights that were set here and whose file has gone, or never was one."""
    known = mailbox.store.records.get(mailbox.path)
    if not known.rights or not known.acl_file:
        return
    content, recorded = mailbox.store.acls.written(aclfile.recorded_acl(known), mailbox.name.owner)

    def write() -> None:
        with Dotlock(path, mailbox.store.message_mode) as lock:
            mailbox.store.records.change(mailbox.path, **recorded)
            lock.replace(content)
        aclfile.forget_list(mailbox.tree.root)

    how = "written anew with the rights that were set last"
    work.mend(shown, "acl", path, "the file with the rights has gone", how, write)


# -- keywords ----------------------------------------------------------------------------------------------------------


def mend_keywords(work: Work, mailbox: Mailbox, shown: str, letters: set[str]) -> None:
    """`letters` are those of keywords that the messages of the folder have."""
    path = mailbox.path / keywords.FILE_NAME
    content = _content(work, mailbox, shown, path)
    known, bad = keywords.salvaged(content)
    nameless = [chr(ord("a") + number) for number in keywords.unnamed(known, letters)]
    if not bad and not nameless:
        return
    what = [f"{len(bad)} lines that are no keywords"] if bad else []
    what += [f"messages have the letters {' '.join(nameless)}, which name no keyword"] if nameless else []

    def write() -> str:
        kept = f"; as it was: {lost.keep(mailbox.tree, path)}" if bad else ""
        names = _names(mailbox, known, nameless) if nameless else {}
        mailbox.store.keywords.repair(mailbox.path, letters, names)
        made = " ".join(f"{letter}: {names.get(letter, f'unknown-{letter}')}" for letter in nameless)
        return f"written anew{made and f', {made}'}{kept}"

    work.mend(shown, "keywords", path, "; ".join(what), "written anew", write)


def _names(mailbox: Mailbox, known: Mapping[int, str], nameless: Collection[str]) -> dict[str, str]:
    """What Dovecot has called the letters that have no name any more."""
    numbered = uids(mailbox.path)
    has: dict[str, set[int]] = {letter: set() for letter in nameless}
    present = set()
    for part in ("cur", "new"):
        for name in os.listdir(mailbox.path / part):  # noqa: PTH208 - of very many
            uid = numbered.get(name.partition(":")[0])
            if uid is not None:
                present.add(uid)
                for letter in has.keys() & set(name.partition(":2,")[2]):
                    has[letter].add(uid)
    taken = {name.lower() for name in known.values()}
    found = keyword_names.names(mailbox.path, has, present)
    return {letter: name for letter, name in found.items() if name.lower() not in taken}


# -- what Dovecot makes again ------------------------------------------------------------------------------------------


def drop_indexes(work: Work, mailbox: Mailbox, shown: str) -> None:
    """Remove Dovecot's indexes, which it makes anew; never its list of UIDs."""
    for path in sorted(mailbox.path.glob("dovecot.index*")):
        if path.is_file() and not path.is_symlink():
            work.mend(shown, "index", path, "to be built anew", "removed", _unlinking(path))


def _unlinking(path: Path) -> Callable[[], None]:
    return path.unlink
