"""Scripts of every word that there is: a dictionary, and changes that keep a script a script.

All of it comes from the registry, so an extension is fuzzed as soon as it is there. Changing octets alone would seldom
get beyond the parser: here commands and tests are made from their signatures, and `require` says what they need.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sievemda.sieve.node import Command, Node, Option, Test
from sievemda.sieve.signature import Kind, Slot, signature
from sievemda.sieve.vocabulary import BASE, Extension, registry

# Strings that mean something to one word or another.
STRINGS = (
    "", "a", "subject", "from", "To", "received", "date", "x-spam-status", "content-type", "list-id", "a@example.org",
    "kim@example.org", "<kim+work@example.org>", "A B <a@b>", "INBOX", "INBOX.a", "Junk", "\\Junk", "\\Seen", "$label",
    "\\Flagged \\Deleted", "*", "?", "*@*", "a*b?c\\*", "${1}", "${v}", "${tst.path}", "${global.v}", "$", "${", "${0}",
    "${unicode:e4}", "${hex: 40 41}", "${hex:ff}", "eq", "ge", "ne", "10", "0", "-1", "99999999999999999999", "7.5",
    "i;octet", "i;ascii-numeric", "i;unicode-casemap", "mailto:a@example.org?subject=b&body=c", "mailto:%",
    "https://a.example.org/x", "urn:example:friends", ":addrbook:default", "tag:a@b,2026:x", "text/html", "text",
    "multipart", "text/calendar", "charset", "utf-8", "filename", "year", "std11", "iso8601", "weekday", "zone",
    "+0100", "2026-03-01", "12:00:00", "name", "version", "location", "vnd.dovecot.default-mailbox", "/private/comment",
    "/private/vendor/a", "^(a|b)+[[:alpha:]]{1,3}\\.?$", "(", "[", "(x+x+)+y", "é", "ß İ", "\U0001f600", "flags", "gone",
    "circle", "F1", "low", "normal", "RETURN", "FULL", "HDRS", "SUCCESS", "NEVER", "message", "envelope.from",
    "envelope.to", "a.sieve", "back", "fails", "image/tiff", "pix-x=100", "abuse", "maybe", "a\r\nb", "a\nX: b",
    "=?utf-8?q?=e4?=", "=?utf-8?b?", "1" * 70, "a" * 300,
)  # fmt: skip
# What stands there more often than not, by the name of the argument.
_ADDRESSES = ("a@example.org", "kim@example.org", "<kim+work@example.org>")
_FIELDS = ("subject", "from", "to", "received", "date", "content-type", "list-id", "x-spam-status", "x-new")
_METHODS = ("mailto:a@example.org?subject=b&body=c", "https://a.example.org/x", "mailto:a@b", "mailto")
_FLAGS = ("\\Seen", "$label", "\\Flagged \\Deleted", "${v}")
_LISTS = ("urn:example:friends", ":addrbook:default")
_MAILBOXES = ("INBOX", "INBOX.a", "Junk", "F${v}", "a/b")
_TYPES = ("text/html", "text/plain", "text/calendar", "image/tiff", "text")
_ROLES: Mapping[str, Sequence[str]] = {
    "address": (*_ADDRESSES, *_LISTS), "addresses": _ADDRESSES, "from_": (*_ADDRESSES, "A B <a@example.org>"),
    "recipient": _ADDRESSES, "method": _METHODS, "notification_uri": _METHODS, "notification_uris": _METHODS,
    "header_list": ("from", "to", "cc", "sender"), "header_names": _FIELDS, "header_name": _FIELDS, "header": _FIELDS,
    "headers": _FIELDS, "field_name": _FIELDS, "envelope_part": ("from", "to", "auth", "orcpt", "ret", "notify"),
    "name": ("v", "w", "name", "domain", "loop"), "varname": ("v", "w"), "variable_name": ("v", "w"),
    "variable_list": ("v", "w"), "source": ("${v}", "${1}${w}", "a"), "list_of_flags": _FLAGS, "flags": _FLAGS,
    "mailbox": _MAILBOXES, "mailbox_names": _MAILBOXES, "ext_list_names": _LISTS, "organizers": _LISTS,
    "annotation_name": ("/private/comment", "/private/vendor/a"), "capabilities": ("variables", "fileinto", "nothing"),
    "annotation_names": ("/private/comment", "/shared/a"), "mailboxids": ("F1", "F2"), "objectid": ("F1", "F2"),
    "date_part": ("year", "std11", "iso8601", "weekday", "zone", "hour", "julian", "date", "time"),
    "zone": ("+0100", "-0330"), "time_zone": ("+0100", "-0330"), "times": ("12:00:00", "00:00:00"),
    "weekdays": ("0", "6"), "tzid": ("Europe/Paris", "UTC"), "importance": ("1", "2", "3"),
    "special_use_attr": ("\\Junk", "\\Sent"), "special_use_attrs": ("\\Junk", "\\Sent"),
    "options_": ("a=b", "from=x@y"), "notification_capability": ("online",), "feedback_type": ("abuse", "other"),
    "program_name": ("back", "gone", "fails"), "content": ("text/html", "text", ""), "mode": ("notify", "return"),
    "alimit": ("2026-03-02T10:00:00Z",), "quoted_from_media_type": _TYPES, "quoted_to_media_type": _TYPES,
    "transcoding_params": ("charset=utf-8", "pix-x=100"), "value": ("flags", "again", "circle", "gone", "v", "3", "*"),
    "names": ("filename", "charset", "boundary"), "object": ("message", "envelope.from", "envelope.to"),
    "path": ("a.sieve", "b.sieve", "gone"),
}  # fmt: skip
MATCHING = (":is", ":contains", ":matches", ":regex", ":list", ':count "ge"', ':value "lt"')
COMPARATORS = ("i;octet", "i;ascii-casemap", "i;ascii-numeric", "i;unicode-casemap")
PARTS = (":all", ":localpart", ":domain", ":user", ":detail")
NUMBERS = ("0", "1", "2", "7", "10K", "4294967296", "18446744073709551616")
_MARKS = ("{", "}", "(", ")", "[", "]", ",", ";", '"', "\\", "#", "/*", "*/", "text:\n", "\n.\n", "\r\n", ":", "if ")
_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"|text:[^\n]*\n.*?^\.\r?$|:?\w+|#[^\n]*|/\*.*?\*/|\s+|.', re.DOTALL | re.MULTILINE
)
_REQUIRE = re.compile(r"\brequire\s+(?:\[[^\]]*\]|\"[^\"]*\")\s*;")
_WORD = re.compile(r":?[A-Za-z_][A-Za-z0-9_]*")


def script_words() -> Iterator[bytes]:
    """A dictionary: every command, test, tag and capability, and what else stands in scripts."""
    known = registry().extensions.values()
    for extension in known:
        yield f'"{extension.name}"'.encode()
        for node in (*extension.commands, *extension.tests):
            yield node.keyword.encode()
            yield from (f":{tag}".encode() for tag in signature(node).tags)
        yield from (f":{option.keyword}".encode() for option in extension.options)
    yield from (text.encode() for text in (*MATCHING, *PARTS, *NUMBERS, *_MARKS))
    yield from (f'"{text}"'.encode() for text in (*STRINGS, *COMPARATORS))


@dataclass(frozen=True)
class _Words:
    """The nodes there are, and what capability each word needs."""

    commands: Sequence[type[Command]]
    tests: Sequence[type[Test]]
    options: Mapping[str, Sequence[type[Option]]]
    needs: Mapping[str, Extension]


@lru_cache(maxsize=2)
def _words(private: bool) -> _Words:
    chosen = [extension for extension in registry().extensions.values() if private or not extension.private]
    commands = [node for extension in chosen for node in extension.commands]
    tests = [node for extension in chosen for node in extension.tests]
    options = [option for extension in chosen for option in extension.options]
    needs: dict[str, Extension] = {}
    for extension in chosen:
        tags = (*extension.match_types, *extension.address_parts)
        for word in (
            *(node.keyword for node in (*extension.commands, *extension.tests)),
            *(f":{option.keyword}" for option in extension.options),
            *(f":{tag.name}" for tag in tags),
        ):
            needs.setdefault(word, extension)
    extends = {
        node.keyword: [option for option in options if node.keyword in option.extends] for node in (*commands, *tests)
    }
    return _Words(commands, tests, extends, needs)


def mutated_script(data: bytes, chance: random.Random, *, private: bool = False) -> bytes:
    """Another script much like this one."""
    text = data.decode("utf-8", "surrogateescape")
    for _ in range(chance.choice((1, 1, 2, 4))):
        text = chance.choice(_CHANGES)(text, chance, _words(private))
    if chance.random() < 0.8:
        text = _required(text, _words(private), chance)
    return text.encode("utf-8", "surrogateescape")


def _required(text: str, words: _Words, chance: random.Random) -> str:
    """The script with one `require` of what its words need, and now and then of something else."""
    needed = {words.needs[word].name for word in _WORD.findall(text) if word in words.needs} - {BASE}
    if "${" in text or {"global", "import", "export", "setflag", "addflag"} & set(_WORD.findall(text)):
        needed |= {"variables"} | ({"encoded-character"} if "${hex:" in text or "${unicode:" in text else set())
    needed |= {f"comparator-{name}" for name in COMPARATORS[2:] if f'"{name}"' in text}
    needed |= {"relational"} if ":count" in text or ":value" in text else set()
    if {"enotify", "notify"} <= needed:
        needed.remove(chance.choice(("enotify", "notify")))
    known = registry().extensions
    needed.update(*(known[name].needs for name in sorted(needed)))
    if chance.random() < 0.1:
        needed.add(chance.choice(sorted(registry().extensions)))
    listed = ", ".join(f'"{name}"' for name in sorted(needed))
    return (f"require [{listed}];\n" if needed else "") + _REQUIRE.sub("", text).lstrip()


def _with_token(change: str, text: str, chance: random.Random) -> str:
    tokens = _TOKEN.findall(text)
    if not tokens:
        return text
    at, other = chance.randrange(len(tokens)), chance.randrange(len(tokens))
    match change:
        case "delete":
            del tokens[at]
        case "double":
            tokens.insert(at, tokens[at])
        case "swap":
            tokens[at], tokens[other] = tokens[other], tokens[at]
        case "mark":
            tokens.insert(at, chance.choice(_MARKS))
        case "string":
            places = [place for place, token in enumerate(tokens) if token[0] == '"'] or [at]
            tokens[chance.choice(places)] = quoted(chance.choice(STRINGS))
    return "".join(tokens)


def _with_command(text: str, chance: random.Random, words: _Words) -> str:
    """One more command between two of those that are there."""
    lines = text.split("\n")
    lines.insert(chance.randint(0, len(lines)), command(chance, words))
    return "\n".join(lines)


def _with_branch(text: str, chance: random.Random, words: _Words) -> str:
    inner = command(chance, words, 1)
    return f"{text}\n{chance.choice(('if', 'if', 'elsif'))} {test(chance, words, 0)} {{ {inner} }}"


def _within(text: str, chance: random.Random, words: _Words) -> str:
    """The whole of it in a block."""
    opening = chance.choice((f"if {test(chance, words, 0)} {{", "foreverypart {", 'test "a" {'))
    return f"{opening}\n{text}\n}}"


def _anew(_text: str, chance: random.Random, words: _Words) -> str:
    return "\n".join(command(chance, words) for _ in range(chance.randint(1, 4)))


_CHANGES = (
    *(lambda text, chance, _, change=change: _with_token(change, text, chance)
      for change in ("delete", "double", "swap", "mark", "string", "string")),
    _with_command, _with_command, _with_branch, _with_branch, _within, _anew,
)  # fmt: skip


def command(chance: random.Random, words: _Words, depth: int = 0) -> str:
    chosen = chance.choice(words.commands)
    end = "" if signature(chosen).block else ";"
    return f"{call(chosen, chance, words, depth)}{end}"


def test(chance: random.Random, words: _Words, depth: int) -> str:
    return call(chance.choice(words.tests), chance, words, depth)


def call(node: type[Node], chance: random.Random, words: _Words, depth: int) -> str:
    """The node with arguments as its signature wants them, most of the time."""
    known = signature(node)
    tags = [f":{tag} {_value(slot, chance)}" for tag, slot in known.tags.items() if chance.random() < 0.3]
    if known.matching:
        tags.append(chance.choice(MATCHING))
        if chance.random() < 0.4:
            tags.append(f":comparator {quoted(chance.choice(COMPARATORS))}")
    if known.address_part and chance.random() < 0.4:
        tags.append(chance.choice(PARTS))
    chosen = [option for option in words.options.get(node.keyword, ()) if chance.random() < 0.2]
    for option in chosen:
        values = (_value(slot, chance) for slot in signature(option).positionals)
        tags += [" ".join([f":{option.keyword}", *values])]
    chance.shuffle(tags)
    values = [_value(slot, chance) for slot in known.positionals if not slot.optional or chance.random() < 0.6]
    parts = [node.keyword, *tags, *values]
    if known.tests:
        parts.append(_tests(known.tests, chance, words, depth))
    if known.block:
        inner = "" if depth > 3 else " ".join(command(chance, words, depth + 1) for _ in range(chance.randint(0, 2)))
        parts.append(f"{{ {inner} }}")
    return " ".join(parts)


def _tests(slot: Slot, chance: random.Random, words: _Words, depth: int) -> str:
    if depth > 3:
        return "true" if slot.kind is Kind.TEST else "(true, false)"
    if slot.kind is Kind.TEST:
        return test(chance, words, depth + 1)
    return "(" + ", ".join(test(chance, words, depth + 1) for _ in range(chance.randint(1, 3))) + ")"


def _value(slot: Slot, chance: random.Random) -> str:
    match slot.kind:
        case Kind.NUMBER:
            return chance.choice(NUMBERS)
        case Kind.STRING:
            return _string(slot, chance)
        case Kind.STRINGS:
            return "[" + ", ".join(_string(slot, chance) for _ in range(chance.randint(1, 3))) + "]"
        case _:
            return ""


def _string(slot: Slot, chance: random.Random) -> str:
    usual = _ROLES.get(slot.field)
    return quoted(chance.choice(usual if usual and chance.random() < 0.7 else STRINGS))


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
