"""What the words of the language are, whatever a script requires, and what people write instead of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache

from sievemda.sieve.node import Command, Node, Test
from sievemda.sieve.signature import signature
from sievemda.sieve.vocabulary import Extension, registry

# What people write who know other languages and other filters; tags with their colon.
INSTEAD: dict[str, str] = {
    "elseif": "elsif", "elif": "elsif", "elsfi": "elsif", "otherwise": "else", "import": "require", "use": "require",
    "file": "fileinto", "move": "fileinto", "moveto": "fileinto", "store": "fileinto", "save": "fileinto",
    "forward": "redirect", "forwardto": "redirect", "delete": "discard", "drop": "discard", "trash": "discard",
    "bounce": "reject", "refuse": "reject", "autoreply": "vacation", "reply": "vacation", "respond": "vacation",
    "exit": "stop", "quit": "stop", "mark": "addflag", "flag": "addflag", "let": "set", "and": "allof", "all": "allof",
    "or": "anyof", "any": "anyof", "headers": "header", "sender": "envelope", "has": "exists", "exist": "exists",
    ":equals": ":is", ":equal": ":is", ":eq": ":is", ":exact": ":is", ":contain": ":contains", ":match": ":matches",
    ":like": ":matches", ":glob": ":matches", ":wildcard": ":matches", ":has": ":contains", ":includes": ":contains",
    ":regexp": ":regex", ":re": ":regex", ":larger": ":over", ":greater": ":over", ":bigger": ":over",
    ":above": ":over", ":smaller": ":under", ":less": ":under", ":below": ":under", ":local": ":localpart",
    ":user_part": ":localpart", ":host": ":domain", ":starts": ":matches", ":startswith": ":matches",
    ":begins": ":matches", ":ends": ":matches", ":endswith": ":matches", ":flag": ":flags", ":keep": ":copy",
}  # fmt: skip
FIELDS = frozenset(
    {"subject", "from", "to", "cc", "body_contains", "list_id"}
)  # names of fields that are used as tests


class Lexicon:
    def __init__(self) -> None:
        self._nodes: dict[str, type[Node]] = {}
        for extension in registry().extensions.values():
            if not extension.private:
                for cls in (*extension.commands, *extension.tests):
                    self._nodes.setdefault(cls.keyword, cls)

    @cached_property
    def commands(self) -> frozenset[str]:
        return frozenset(name for name, cls in self._nodes.items() if issubclass(cls, Command)) | {"elseif", "elif"}

    @cached_property
    def tests(self) -> frozenset[str]:
        return frozenset(name for name, cls in self._nodes.items() if issubclass(cls, Test))

    @cached_property
    def words(self) -> frozenset[str]:
        """Commands, tests, and what is written instead of them."""
        instead = frozenset(word for word in INSTEAD if not word.startswith(":"))
        return self.commands | self.tests | instead

    @cached_property
    def blocks(self) -> frozenset[str]:
        """Commands that have a block."""
        known = (name for name, cls in self._nodes.items() if signature(cls).block is not None)
        return frozenset(known) | {"elseif", "elif"}

    @cached_property
    def with_tests(self) -> frozenset[str]:
        """Commands and tests that have tests under them; `else` is among them for `else if`."""
        known = (name for name, cls in self._nodes.items() if signature(cls).tests is not None)
        return frozenset(known) | {"elseif", "elif", "else", "and", "or", "all", "any"}

    def meant(self, name: str) -> str:
        """The word of the language that somebody meant who wrote this one."""
        return INSTEAD.get(name, name) if name not in self._nodes else name

    def node(self, name: str) -> type[Node] | None:
        return self._nodes.get(name)

    @lru_cache(maxsize=256)  # noqa: B019 - there is one lexicon
    def tags(self, name: str) -> frozenset[str]:
        """Every tag that some extension knows on this command or test."""
        cls = self._nodes.get(self.meant(name))
        return frozenset(owners(cls)) if cls else frozenset()


def owners(cls: type[Node]) -> dict[str, str]:
    """Each tag that may stand on a node of this class, with the capability that it needs."""
    known = signature(cls)
    found = dict.fromkeys(known.tags, "")
    if known.matching:
        found["comparator"] = ""
    extensions = [extension for extension in registry().extensions.values() if not extension.private]
    for extension in extensions:
        for name in _direct(extension, cls):
            found.setdefault(name, extension.name)
    for extension in extensions:  # those that come with another tag, as `:create` with `:fcc`
        for option in extension.options:
            if any(tag.startswith(":") and tag[1:] in found for tag in option.extends):
                found.setdefault(option.keyword, extension.name)
    return found


def _direct(extension: Extension, cls: type[Node]) -> Iterator[str]:
    known = signature(cls)
    yield from (option.keyword for option in extension.options if cls.keyword in option.extends)
    if known.matching:
        yield from (kind.name for kind in extension.match_types)
    if known.address_part:
        yield from (part.name for part in extension.address_parts)


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    return Lexicon()
