"""Scripts made at random: by the grammar alone, and by the signatures of all words that the registry knows.

`Maker` is plain code over a `random.Random`, so that a fuzzer or a benchmark can use it with a seed; the strategies at
the end hand it a source of chance that hypothesis controls, and shrinks.

    words_of_any_script()   lexemes that follow the grammar, whether or not they mean anything
    any_scripts()           the same as text, in some layout with comments
    scripts()               text that compiles: commands, tests, tags and options of all extensions, with fitting literals
    messages()              messages in which the fields and values occur that those scripts look at

A script needs one of the `DIALECTS`: no script can require all capabilities, since some exclude others.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from random import Random

from hypothesis import strategies as st

from sievemda.sieve import Limits, ScriptError, capabilities, compile_script
from sievemda.sieve.signature import Kind, signature
from sievemda.sieve.vocabulary import base_vocabulary, registry

CHAIN = {"if", "elsif", "else"}
LOOP = "foreverypart"
HAVE_BLOCKS = {"require", *CHAIN, LOOP}
OPEN_LOOP = (LOOP, ":name", '"loop"', "{")


@dataclass(frozen=True)
class Dialect:
    """Capabilities that go together."""

    names: tuple[str, ...]

    @cached_property
    def vocabulary(self):
        return base_vocabulary().with_(self.names)

    @cached_property
    def require(self):
        """The lexemes of the `require` that a script of this dialect begins with."""
        quoted = [f'"{name}"' for name in self.names]
        return ["require", "[", *" , ".join(quoted).split(" "), "]", ";"]

    @cached_property
    def commands(self):
        return sorted(set(self.vocabulary.commands) - HAVE_BLOCKS)

    @cached_property
    def tests(self):
        return sorted(self.vocabulary.tests)


def dialect(*first):
    """As many capabilities as go together, these before all others."""
    known, chosen = registry().extensions, []
    for name in (*first, *capabilities()):
        excluded = {*known[name].excludes, *(one for one in chosen if name in known[one].excludes)}
        if name not in chosen and not excluded & set(chosen):
            chosen.append(name)
    return Dialect(tuple(chosen))


DIALECTS = (
    dialect("imap4flags", "enotify", "reject", "vacation"),
    dialect("imap4flags", "enotify", "imapsieve"),
    dialect("imapflags", "notify", "reject", "vacation"),
)

STRINGS = [
    '"a"', '""', '"ü"', '"*a*"', '"?b*"', '"${1}"', '"${v} x"', '"a\\"b\\\\c"', '"a b c"', '"10"', '"kim@example.org"',
    '"two\nlines"', "text:\none\n..two\n.\n", "TEXT: # why\n.\n", '"\\*"', '"${hex:41}"', '"# no comment"',
]  # fmt: skip
FIELDS = ['"subject"', '"from"', '"to"', '"received"', '"x-a"', '"date"', '"list-id"', '"Content-Type"', '"SUBJECT"']
ADDRESSES = ['"kim@example.org"', '"Kim <kim@example.org>"', '"a.b+c@example.net"']
MAILBOXES = ['"INBOX"', '"Lists/sieve"', '"Archiv/Jänner"', '"${v}"']
FLAGS = ['"\\\\Seen"', '"$Work"', '"\\\\Flagged $x"', '"${v}"']
NUMBERS = ["0", "1", "2", "7", "31", "100", "10K", "1m", "2G", "007"]
LISTS = ['"urn:ietf:params:sieve:addrbook:default"', '":addrbook:friends"']
BESIDE = {  # a tag, and one without which it means nothing where both are known
    **dict.fromkeys(("anychild", "type", "subtype", "contenttype", "param"), "mime"),
    **dict.fromkeys(("create", "flags", "mailboxid", "specialuse"), "fcc"),
    "last": "index",
    "bytrace": "bytimerelative",
    "bymode": "bytimerelative",
    "reason": "outcome",
}
# What fits where any string would not; by command or test and field, else by field.
LITERALS = {
    "address": ADDRESSES,
    "addresses": ADDRESSES,
    "recipient": ADDRESSES,
    "from": ADDRESSES,
    "from_": ADDRESSES,
    "header_names": FIELDS,
    "header_list": ['"from"', '"to"', '"cc"', '"sender"', '"Reply-To"'],
    "header_name": ['"date"', '"received"', '"x-a"'],
    "header": FIELDS,
    "headers": FIELDS,
    "field_name": ['"X-A"', '"Subject"', '"X-Label"'],
    "date_part": ['"year"', '"weekday"', '"hour"', '"iso8601"', '"julian"', '"std11"', '"ZONE"'],
    "zone": ['"+0100"', '"-0330"', '"Europe/Amsterdam"'],
    "time_zone": ['"+0100"', '"-0330"'],
    "tzid": ['"Europe/Amsterdam"'],
    "times": ['"10:00:00"', '"08:30:00"'],
    "weekdays": ['"0"', '"6"'],
    "mailbox": MAILBOXES,
    "mailbox_names": MAILBOXES,
    "variable_name": ['"v"', '"w"'],
    "variable_list": ['"v"', '"w"'],
    "varname": ['"v"', '"w"'],
    "output": ['"v"', '"w"'],
    "outcome": ['"v"', '"w"'],
    "set.name": ['"v"', '"w"', '"Other_1"'],
    "environment.name": ['"domain"', '"host"', '"phase"', '"name"'],
    "list_of_flags": FLAGS,
    "flags": FLAGS,
    "ihave.capabilities": ['"fileinto"', '"nonesuch"', '"copy"'],
    "special_use_attr": ['"\\\\Junk"', '"\\\\Archive"'],
    "special_use_attrs": ['"\\\\Junk"', '"\\\\Archive"'],
    "method": ['"mailto:kim@example.org"', '"mailto:kim@example.org?subject=a"'],
    "notification_uri": ['"mailto:kim@example.org"'],
    "notification_uris": ['"mailto:kim@example.org"', '"xmpp:a@b"'],
    "notification_capability": ['"online"'],
    "options_": ['"a=b"', '"c=d e"', '"kim@example.org"'],
    "importance": ['"1"', '"2"', '"3"'],
    "envelope_part": ['"from"', '"to"', '"auth"', '"orcpt"', '"bymode"'],
    "annotation_name": ['"/private/comment"', '"/shared/vendor/a"'],
    "annotation_names": ['"/private/comment"', '"/shared/vendor/a"'],
    "ext_list_names": LISTS,
    "organizers": LISTS,
    "quoted_from_media_type": ['"text/html"', '"image/png"'],
    "quoted_to_media_type": ['"text/plain"', '"image/jpeg"'],
    "transcoding_params": ['"charset=utf-8"', '"pix-x=80"'],
    "program_name": ['"sort"', '"label"'],
    "feedback_type": ['"abuse"', '"fraud"'],
    "include.value": ['"other"', '"rules"'],
    "global.value": ['"g"', '"h"'],
    "import.value": ['"g"', '"h"'],
    "export.value": ['"g"', '"h"'],
    "notify.value": ['"NEVER"', '"SUCCESS,FAILURE"'],
    "ret.value": ['"FULL"', '"HDRS"'],
    "mode": ['"notify"', '"return"'],
    "alimit": ['"2026-12-01T10:00:00Z"'],
    "foreverypart.name": ['"loop"'],
    "break.name": ['"loop"'],
    "object": ['"message"', '"envelope.from"'],
    "uniqueid": ['"${v}"', '"a"'],
    "comparator": ['"i;octet"', '"i;ascii-casemap"', '"i;ascii-numeric"', '"i;unicode-casemap"'],
}


class Maker:
    """Makes lexemes of scripts; each command and test on its own compiles where the dialect is required."""

    def __init__(self, random: Random, spoken: Dialect = DIALECTS[0]) -> None:
        self.random = random
        self.dialect = spoken
        self.words = spoken.vocabulary

    # -- what compiles -----------------------------------------------------------------------------------------

    def script(self, most=6):
        body = [word for _ in range(self.random.randint(1, most)) for word in self.statement(2)]
        return [*self.dialect.require, *body]

    def statement(self, depth, loop=False):
        """A command with what follows it: a chain of `if`, a loop, or one that has no block."""
        kind = self.random.randint(0, 9) if depth else 9
        if kind < 4:
            found = ["if", *self.test(depth), *self.block(depth - 1, loop)]
            for _ in range(self.random.choice((0, 0, 1, 2))):
                found += ["elsif", *self.test(depth), *self.block(depth - 1, loop)]
            return [*found, *(["else", *self.block(depth - 1, loop)] if self.random.randint(0, 2) == 0 else [])]
        if kind == 4 and not loop:
            return self.loop(depth)
        return self.command(loop=loop)

    def block(self, depth, loop=False):
        body = [word for _ in range(self.random.randint(0, 2)) for word in self.statement(max(depth, 0), loop)]
        return ["{", *body, "}"]

    def command(self, keyword=None, tag=None, *, loop=False, tries=20):
        """One command without a block; of this name and with that tag, if they are given."""
        for _ in range(tries):
            name = keyword or self.random.choice(self.dialect.commands)
            if keyword is None and loop and self.random.randint(0, 2) == 0:
                name = self.random.choice(("break", "extracttext"))
            found = [*self._command(name, tag), ";"]
            if _compiles(self.dialect, tuple([*OPEN_LOOP, *found, "}"] if loop else found)):
                return found
        return ["keep", ";"]

    def test(self, depth=1, keyword=None, tag=None, tries=20):
        """One test; with tests in it while there is depth left."""
        if keyword is None and depth > 0 and self.random.randint(0, 2) == 0:
            if self.random.randint(0, 2) == 0:
                return ["not", *self.test(depth - 1)]
            found = [self.random.choice(("anyof", "allof")), "(", *self.test(depth - 1)]
            for _ in range(self.random.randint(0, 3)):
                found += [",", *self.test(depth - 1)]
            return [*found, ")"]
        single = [name for name in self.dialect.tests if name not in {"anyof", "allof", "not"}]
        for _ in range(tries):
            name = keyword or self.random.choice(single)
            found = [name, *self._arguments(self.words.tests[name], tag)]
            if _compiles(self.dialect, ("if", *found, "{", "}")):
                return found
        return ["true"]

    def loop(self, depth=1):
        """A loop; only in one that has a name are there commands that need it."""
        if self.random.randint(0, 3):
            return [*OPEN_LOOP[:-1], *self.block(depth - 1, loop=True)]
        return [LOOP, *self.block(depth - 1)]

    def _command(self, name, tag=None):
        return [name, *self._arguments(self.words.commands[name], tag)]

    def _arguments(self, cls, wanted):
        described, tags = signature(cls), []
        options = self.words.options(cls.keyword)
        known = {*described.tags, *options}
        given = {name for name in sorted(known) if self.random.randint(0, 3 + len(known) // 2) == 0} | (
            {wanted} & known
        )
        if "create" in given and "mailbox" in described.tags:
            given.add("mailbox")
        given |= {BESIDE.get(name, name) for name in given} & known
        for name in sorted(given):
            if name in described.tags:
                tags.append([f":{name}", *self._value(cls.keyword, described.tags[name])])
            else:
                slots = signature(options[name]).positionals
                tags.append([f":{name}", *(word for slot in slots for word in self._value(name, slot))])
        if described.matching:
            tags += self._matching(wanted)
        if described.address_part and (wanted in self.words.address_parts or self.random.randint(0, 1)):
            part = (
                wanted if wanted in self.words.address_parts else self.random.choice(sorted(self.words.address_parts))
            )
            tags.append([f":{part}"])
        self.random.shuffle(tags)
        found = [word for tag in tags for word in tag]
        for slot in described.positionals:
            if not slot.optional or self.random.randint(0, 1):
                last = slot is described.positionals[-1]
                found += [self.random.choice(LISTS)] if last and ":list" in found else self._value(cls.keyword, slot)
        if described.tests and described.tests.kind is Kind.TEST:
            found.append("true")
        elif described.tests:
            found += ["(", "true", ",", "false", ")"]
        return found

    def _matching(self, wanted):
        found = []
        if wanted in self.words.match_types or self.random.randint(0, 2):
            name = wanted if wanted in self.words.match_types else self.random.choice(sorted(self.words.match_types))
            operand = self.words.match_types[name].operand
            found.append([f":{name}", *([f'"{self.random.choice(operand)}"'] if operand else [])])
        if wanted == "comparator" or self.random.randint(0, 3) == 0:
            found.append([":comparator", self.random.choice(LITERALS["comparator"])])
        return found

    def _value(self, keyword, slot):
        if slot.kind is Kind.FLAG:
            return []
        if slot.kind is Kind.NUMBER:
            return [self.random.choice(NUMBERS)]
        pool = LITERALS.get(f"{keyword}.{slot.field}") or LITERALS.get(slot.field) or STRINGS
        if slot.kind is Kind.STRING or self.random.randint(0, 2) == 0:
            return [self.random.choice(pool)]
        items = [self.random.choice(pool) for _ in range(self.random.choice((1, 2, 2, 3, 8)))]
        return _listed(items)

    # -- what follows the grammar ------------------------------------------------------------------------------

    def any_script(self, depth=3):
        return [word for _ in range(self.random.randint(0, 4)) for word in self.any_command(depth)]

    def any_command(self, depth):
        end = [";"]
        if depth and self.random.randint(0, 2) == 0:
            end = ["{", *(word for _ in range(self.random.randint(0, 3)) for word in self.any_command(depth - 1)), "}"]
        return [self.random.choice(NAMES), *self.any_arguments(depth), *end]

    def any_arguments(self, depth):
        found = [word for _ in range(self.random.choice((0, 1, 1, 2, 3, 6))) for word in self.any_argument()]
        kind = self.random.randint(0, 5) if depth else 5
        if kind == 0:
            return [*found, self.random.choice(NAMES), *self.any_arguments(depth - 1)]
        if kind > 1:
            return found
        tests = [self.random.choice(NAMES), *self.any_arguments(depth - 1)]
        for _ in range(self.random.randint(0, 3)):
            tests += [",", self.random.choice(NAMES), *self.any_arguments(depth - 1)]
        return [*found, "(", *tests, ")"]

    def any_argument(self):
        kind = self.random.randint(0, 3)
        if kind == 0:
            return [self.random.choice(NUMBERS)]
        if kind == 1:
            return [self.random.choice((":is", ":Contains", ":_x1", ":text", ":OVER", ":comparator"))]
        if kind == 2:
            return [self.random.choice(STRINGS)]
        items = [self.random.choice(STRINGS) for _ in range(self.random.choice((1, 2, 5, 20)))]
        return _listed(items)

    # -- layout ------------------------------------------------------------------------------------------------

    def laid_out(self, words, gaps=None):
        """The words as text, with white space and comments between them that change nothing."""
        found, before = [], ""
        for word in words:
            gap = self.random.choice(gaps or GAPS)
            if not gap and before[-1:] in WORD and word[0] in WORD:
                gap = " "
            found += [gap, word]
            before = word
        return "".join([*found, self.random.choice(gaps or GAPS)])


WORD = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
NAMES = ["keep", "IF", "elsif", "else", "require", "fileinto", "header", "anyof", "not", "Set", "text", "_a", "x1", "k"]
GAPS = [
    "", "", "", " ", " ", " ", "\n", "\n", "\r\n", "\n\n\n", "\t", " # said\n", "#\n", "/* so */", "/**/", "\n# rule:[A]\n",
    " /* two\n   lines */ ", "\n\n# one\n# two\n", " # ü\t \r\n", "/* ** / * */", "\n\n/* alone */\n\n",
]  # fmt: skip
SPACES = ["", " ", "\n", "\t", "  "]


def _listed(items):
    return ["[", items[0], *(word for item in items[1:] for word in (",", item)), "]"]


@lru_cache(maxsize=1 << 14)
def _compiles(spoken, words):
    return is_valid(" ".join((*spoken.require, *words)))


def is_valid(script):
    try:
        compile_script(script, Limits())
    except ScriptError:
        return False
    return True


_RANDOM = st.randoms(use_true_random=False)


def scripts(gaps=SPACES, most=6):
    """Text of scripts that compile."""

    def made(random, spoken):
        maker = Maker(random, spoken)
        return maker.laid_out(maker.script(most), gaps)

    return st.builds(made, _RANDOM, st.sampled_from(DIALECTS)).filter(is_valid)


def words_of_any_script():
    return st.builds(lambda random: Maker(random).any_script(), _RANDOM)


def any_scripts(gaps=GAPS):
    """Text that follows the grammar, whatever it means."""

    def made(random):
        maker = Maker(random)
        return maker.laid_out(maker.any_script(), gaps)

    return st.builds(made, _RANDOM)


_VALUES = [
    "a", "10", "kim@example.org", 'Kim <kim@example.org>, "a, b" <a.b+c@example.net>', "=?utf-8?q?=C3=BC?=", "xaxbx",
    "Sun, 1 Feb 2026 10:00:00 +0100", "text/plain; charset=utf-8", "<x.y>", "", "a\n b", "A list <sieve.example.org>",
]  # fmt: skip
_BODIES = ["", "body\n", "a b c\n.\n\n", "ü\n"]


def messages():
    """Messages as octets, with LF as line ends."""
    names = st.sampled_from([name.strip('"') for name in FIELDS] + ["Cc", "Sender", "X-Label", "Message-ID"])
    fields = st.lists(st.tuples(names, st.sampled_from(_VALUES)), max_size=8)

    def made(found, body):
        return ("".join(f"{name}: {value}\n" for name, value in found) + "\n" + body).encode()

    return st.builds(made, fields, st.sampled_from(_BODIES))
