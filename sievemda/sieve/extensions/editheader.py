"""editheader: addheader, deleteheader. RFC 5293.

Tests and actions that come later see the changed header, `size` too; the body is the same. After an error the message
is kept as it came (§7); who sees to that is whoever carries out the result.

What may not be changed is left alone without an error, and a note in the script's log says so (§6). That are, by the
RFC, deletions of Received and Auto-Submitted; here also of the mark by which a redirected message is known when it
comes back; and what the site forbids, except for Subject, which §6 wants free.

`deleteheader` with patterns looks at each field by itself. `:count` is asked of all the fields together: when their
number is right all of them go. `:index 0` is refused, since no field has that number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sievemda.mail.compose import one_line
from sievemda.mail.edit import Span, find, has_controls, is_field_name, with_field, without
from sievemda.mail.header import decode
from sievemda.sieve.limits import Limits
from sievemda.sieve.matching import DEFAULT, Matching
from sievemda.sieve.node import Command, Context, Fault, node
from sievemda.sieve.problems import RunError
from sievemda.sieve.run import Run
from sievemda.sieve.text import Text, Texts, octets
from sievemda.sieve.vocabulary import Extension

NEVER_DELETED = frozenset({"received", "auto-submitted", "x-sieve-redirected-from"})
_COST = 100  # characters that each line of the header counts for an edit: the next test reads them all anew
_DECODING = 5  # how often an octet counts that is decoded
_TOLD = 200  # characters of a value that the account of a run shows


def _may_add(name: str, limits: Limits) -> bool:
    return name.lower() == "subject" or name.lower() not in limits.options.forbid_add


def _may_delete(name: str, limits: Limits) -> bool:
    lower = name.lower()
    return lower == "subject" or lower not in NEVER_DELETED | limits.options.forbid_delete


def _name_fault(name: str) -> str:
    """RFC 5293 §4, §5: the name of a field is printable ASCII without a colon."""
    return "" if is_field_name(name) else f"specified field name '{name[:80]}' is invalid"


def _value_fault(value: str, limits: Limits) -> str:
    """What no header can hold. Text that merely needs encoding is encoded, RFC 5293 §4."""
    if "\0" in value:
        return f"specified value '{value[:80]}' is invalid: it contains a NUL"
    size, most = len(octets(value)), limits.options.header_size
    return f"specified value '{value[:40]}...' is invalid: it is too large ({size} > {most})" if size > most else ""


def _charge(run: Run) -> None:
    head = run.message.head
    run.spend_matching(len(head) + _COST * head.count(b"\n"))


@node
class AddHeader(Command):
    """addheader [":last"] <field-name: string> <value: string>, RFC 5293 §4.

    Controls in a literal are an error. Those that come with a variable are encoded.
    """

    keyword = "addheader"
    last: bool = False
    field_name: Text
    value: Text

    def problems(self, context: Context) -> Iterator[Fault]:
        if self.field_name.constant and (fault := _name_fault(self.field_name.source)):
            yield self.field_name, fault
        if self.value.constant:
            if fault := _value_fault(self.value.source, context.limits):
                yield self.value, fault
            elif has_controls(self.value.source):
                yield self.value, f"specified value '{self.value.source[:80]}' is invalid: it contains controls"

    def warnings(self, context: Context) -> Iterator[Fault]:
        if self.field_name.constant and not _may_add(self.field_name.source, context.limits):
            yield self.field_name, f"the field {self.field_name.source[:80]} cannot be added here: that is ignored"

    def execute(self, run: Run) -> None:
        name, value = run.text(self.field_name), run.text(self.value)
        if fault := _name_fault(name) or _value_fault(value, run.limits):
            raise RunError(fault, self.line)
        if not _may_add(name, run.limits):
            run.note(f"the field {name[:80]} was not added: the site does not allow it")
            return
        _charge(run)
        run.edit(with_field(run.message, name, value, last=self.last), f"added {name}: {one_line(value[:_TOLD])}")


@node
class DeleteHeader(Command):
    """deleteheader [":index" <fieldno: number> [":last"]] [COMPARATOR] [MATCH-TYPE] <field-name: string>
    [<value-patterns: string-list>], RFC 5293 §5.

    The field with the number is found first and then matched. Without patterns the match type does not matter.
    """

    keyword = "deleteheader"
    matching: Matching = DEFAULT
    index: int | None = None
    last: bool = False
    field_name: Text
    value_patterns: Texts | None

    def problems(self, context: Context) -> Iterator[Fault]:
        if self.last and self.index is None:
            yield "the :last tag for the deleteheader command cannot be specified without the :index tag"
        elif self.index == 0:
            yield "the :index tag counts from 1: it cannot be zero"
        if self.field_name.constant and (fault := _name_fault(self.field_name.source)):
            yield self.field_name, fault

    def warnings(self, context: Context) -> Iterator[Fault]:
        if self.field_name.constant and not _may_delete(self.field_name.source, context.limits):
            yield self.field_name, f"the field {self.field_name.source[:80]} cannot be deleted: that is ignored"

    def execute(self, run: Run) -> None:
        name = run.text(self.field_name)
        if fault := _name_fault(name):
            raise RunError(fault, self.line)
        if not _may_delete(name, run.limits) or name.lower() in run.protected:  # RFC 5703 §5
            run.note(f"the field {name[:80]} was not deleted: that is not allowed")
            return
        _charge(run)
        found = self._numbered(find(run.message, name))
        if self.value_patterns is not None:
            found = self._matching(run, found, run.texts(self.value_patterns))
        if found:
            many = f" ({len(found)} times)" if len(found) > 1 else ""
            run.edit(without(run.message, found), f"deleted {name}{many}")

    def _numbered(self, found: Sequence[Span]) -> Sequence[Span]:
        if self.index is None:
            return found
        at = len(found) - self.index if self.last else self.index - 1
        return found[at : at + 1] if at >= 0 else ()

    def _matching(self, run: Run, found: Sequence[Span], patterns: Sequence[str]) -> Sequence[Span]:
        how = self.matching
        if how.type.name == "count":
            return found if how.type.any(run, how, (), patterns, len(found)) else ()
        run.spend_matching(_DECODING * sum(len(field.raw) for field in found))
        return [field for field in found if how.type.any(run, how, (decode(field.raw),), patterns, 1)]


EXTENSIONS = (Extension("editheader", "RFC 5293", commands=(AddHeader, DeleteHeader)),)
