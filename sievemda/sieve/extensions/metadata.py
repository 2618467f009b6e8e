"""mboxmetadata, servermetadata: what an IMAP client has noted about a mailbox or the server. RFC 5490 §3.3, §4.

The names of entries are those of RFC 5464 §3.2: a path below `/private` or `/shared`, without regard to case. A name
that cannot be one is no error: it names nothing, and the script is warned. Nothing here writes an annotation (§5).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sievemda.mail.annotation import fault
from sievemda.sieve.extensions.mailbox import QUESTION
from sievemda.sieve.matching import DEFAULT, Matching, match
from sievemda.sieve.node import About, Context, Fault, Test, node
from sievemda.sieve.run import Compared, Run
from sievemda.sieve.text import Text, Texts, is_utf8
from sievemda.sieve.vocabulary import Extension
from sievemda.sieve.wording import listed, names, quoted


@node
class Metadata(Test):
    """metadata [MATCH-TYPE] [COMPARATOR] <mailbox> <annotation-name> <key-list>, §3.3.

    True when the annotation exists and its value matches a key.
    """

    keyword = "metadata"
    matching: Matching = DEFAULT
    mailbox: Text
    annotation_name: Text
    key_list: Texts

    def warnings(self, context: Context) -> Iterator[Fault]:
        yield from _mailbox_faults(self.mailbox)
        yield from _entry_faults(self.annotation_name)

    def holds(self, run: Run) -> bool:
        values = _values(run, run.text(self.mailbox), (run.text(self.annotation_name),))
        return _matches(run, self.matching, values, run.texts(self.key_list))

    def about(self, run: Run) -> About:
        return _about(f"{names((run.text(self.annotation_name),))} of {quoted(run.text(self.mailbox))}")


@node
class MetadataExists(Test):
    """metadataexists <mailbox: string> <annotation-names: string-list>, §3.4: all of them have a value."""

    keyword = "metadataexists"
    mailbox: Text
    annotation_names: Texts

    def warnings(self, context: Context) -> Iterator[Fault]:
        yield from _mailbox_faults(self.mailbox)
        for name in self.annotation_names:
            yield from _entry_faults(name)

    def holds(self, run: Run) -> bool:
        return _all_exist(run, run.text(self.mailbox), run.texts(self.annotation_names))

    def reason(self, run: Run, result: bool, seen: Sequence[Compared]) -> str:
        return _presence(f"of {quoted(run.text(self.mailbox))}", result, seen)


@node
class ServerMetadata(Test):
    """servermetadata [MATCH-TYPE] [COMPARATOR] <annotation-name: string> <key-list: string-list>, §4.1."""

    keyword = "servermetadata"
    matching: Matching = DEFAULT
    annotation_name: Text
    key_list: Texts

    def warnings(self, context: Context) -> Iterator[Fault]:
        yield from _entry_faults(self.annotation_name)

    def holds(self, run: Run) -> bool:
        values = _values(run, None, (run.text(self.annotation_name),))
        return _matches(run, self.matching, values, run.texts(self.key_list))

    def about(self, run: Run) -> About:
        return _about(f"{names((run.text(self.annotation_name),))} of the server")


@node
class ServerMetadataExists(Test):
    """servermetadataexists <annotation-names: string-list>, §4.2."""

    keyword = "servermetadataexists"
    annotation_names: Texts

    def warnings(self, context: Context) -> Iterator[Fault]:
        for name in self.annotation_names:
            yield from _entry_faults(name)

    def holds(self, run: Run) -> bool:
        return _all_exist(run, None, run.texts(self.annotation_names))

    def reason(self, run: Run, result: bool, seen: Sequence[Compared]) -> str:
        return _presence("of the server", result, seen)


def _about(what: str) -> About:
    return About(f"the annotation {what}", f"there is no annotation {what}")


def _presence(where: str, result: bool, seen: Sequence[Compared]) -> str:
    wanted = listed(seen[-1].keys) if seen else ""
    return f"{'each' if result else 'not each'} of the annotations {wanted} {where} has a value"


def _matches(run: Run, matching: Matching, values: Sequence[str], keys: Sequence[str]) -> bool:
    """An annotation that does not exist matches nothing, not even a count of none: §3.3, §4.1."""
    if values:
        return match(run, matching, values, keys)
    run.saw(values, keys)
    return False


def _all_exist(run: Run, mailbox: str | None, names: Sequence[str]) -> bool:
    values = _values(run, mailbox, names)
    run.saw(values, names)
    return len(values) == len(names)


def _values(run: Run, mailbox: str | None, names: Sequence[str]) -> list[str]:
    """The values of those of the annotations that exist."""
    found: list[str] = []
    if mailbox is not None and not is_utf8(mailbox):
        run.note("the name of a mailbox is not UTF-8: it has no annotations")
        return found
    for name in names:
        run.spend_matching(QUESTION)
        if wrong := fault(name):
            run.note(f"invalid annotation name {name[:80]!r}: {wrong}")
        elif (value := run.facts.metadata(mailbox, name)) is not None:
            run.spend_matching(len(value))
            found.append(value)
    return found


def _mailbox_faults(mailbox: Text) -> Iterator[Fault]:
    if mailbox.constant and not is_utf8(mailbox.source):
        yield mailbox, "invalid mailbox name: it is not UTF-8, so it has no annotations"


def _entry_faults(name: Text) -> Iterator[Fault]:
    wrong = fault(name.source) if name.constant else ""
    if wrong:
        yield name, f"invalid annotation name {name.source[:80]!r}: {wrong}"


EXTENSIONS = (
    Extension("mboxmetadata", "RFC 5490", tests=(Metadata, MetadataExists)),
    Extension("servermetadata", "RFC 5490", tests=(ServerMetadata, ServerMetadataExists)),
)
