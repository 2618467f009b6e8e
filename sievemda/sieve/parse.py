"""Script text to tree.

A valid script goes through the LALR(1) parser with the grammar file, and the tree is built while it parses. Anything
else goes through `recover`, which reads the same tokens and lists every fault; so a script that is right pays nothing
for good messages about scripts that are wrong.
"""

from __future__ import annotations

from sievemda.sieve.limits import Limits
from sievemda.sieve.problems import Problem, ScriptError
from sievemda.sieve.recover import diagnose
from sievemda.sieve.tree import Argument, Call, Num, Strings, Tag, walk


def parse(source: bytes | str, limits: Limits) -> tuple[Call, ...]:
    """The commands of a script. Raises `ScriptError` with every fault of the text."""
    from sievemda.sieve import lalr  # noqa: PLC0415 - 60 ms, and only for who compiles a script

    octets = source if isinstance(source, bytes) else source.encode("utf-8", "surrogatepass")
    if len(octets) > limits.script_size:
        problem = Problem(
            1, 1, f"script too large: {len(octets)} octets, the limit is {limits.script_size}", code="limit"
        )
        raise ScriptError((problem,), "parse")
    text = octets.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")  # a byte-order mark is no text
    if len(text) > limits.tokens and (count := lalr.scanner().count(text)) > limits.tokens:
        problem = Problem(
            1, 1, f"script too long: {count} words, strings and marks, the limit is {limits.tokens}", code="limit"
        )
        raise ScriptError((problem,), "parse")
    commands = lalr.read(text)
    if commands is not None and "\0" not in text and all(_within(*place, limits) for place in walk(commands)):
        return commands
    problems = diagnose(lalr.scanner(), text, limits)
    if not problems:
        problems = (Problem(1, 1, "the script does not follow the grammar of RFC 5228 §8", code="syntax"),)
    raise ScriptError(problems, "parse")


def _within(call: Call, blocks: int, tests: int, limits: Limits) -> bool:
    return (
        blocks + (call.block is not None) <= limits.blocks
        and tests <= limits.tests
        and len(call.arguments) <= limits.arguments
        and len(call.name) <= limits.identifier
        and all(_well_formed(argument, limits) for argument in call.arguments)
    )


def _well_formed(argument: Argument, limits: Limits) -> bool:
    if isinstance(argument, Num):
        return argument.value <= limits.number
    if isinstance(argument, Tag):
        return len(argument.name) <= limits.identifier
    strings = argument.items if isinstance(argument, Strings) else (argument,)
    return all(
        len(string.value) <= limits.string
        and ("\r" not in string.value or string.value.count("\r") == string.value.count("\r\n"))
        for string in strings
    )
