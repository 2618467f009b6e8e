"""What the settings tree is made of: kinds of values, single settings, and the sections that hold them.

Why sections are not data classes: `dataclasses` writes and compiles methods for each class, and every command,
`deliver` for each message among them, waited longer for that than for the rest of its settings. Here all sections share
their methods. A type checker takes both alike (`dataclass_transform`).
"""

from __future__ import annotations

from typing import Any, ClassVar, NewType, NoReturn, Self, dataclass_transform

Size = NewType("Size", int)  # octets; accepts K, M, G
Kibibytes = NewType("Kibibytes", int)  # KiB; accepts K, M, G, and -1 for none
Seconds = NewType("Seconds", int)  # accepts s, m, h, d
Mode = NewType("Mode", int)  # octal digits


class Setting:
    """What is declared of one setting. `given` is its default as it was declared: a callable is called for it."""

    __slots__ = ("doc", "given", "restart", "secret")

    def __init__(self, given: Any, doc: str, restart: bool, secret: bool) -> None:
        self.given = given
        self.doc = doc
        self.restart = restart
        self.secret = secret

    @property
    def default(self) -> Any:
        return self.given() if callable(self.given) else self.given


def setting(default: Any, doc: str = "", *, restart: bool = False, secret: bool = False) -> Any:
    """One setting of a section: its default (a callable is called for it) and the sentence of the reference.

    `restart`: a running server does not take it when it reads the settings again. `secret`: it is not to be shown
    unless somebody asks for it.
    """
    return Setting(default, doc, restart, secret)


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Section:
    """Frozen values, each given by the name of its setting or the default; equal when all of them are."""

    declared: ClassVar[dict[str, Setting]]

    def __init_subclass__(cls) -> None:
        cls.declared = {name: value for name, value in vars(cls).items() if isinstance(value, Setting)}
        for name in cls.declared:
            delattr(cls, name)  # a value is one of an instance

    def __init__(self, **given: Any) -> None:
        if not given.keys() <= self.declared.keys():
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(given.keys() - self.declared.keys()))}")
        values = vars(self)
        for name, each in self.declared.items():
            values[name] = given[name] if name in given else each.default  # noqa: SIM401 - that may be a whole section

    def with_changes(self, **changes: Any) -> Self:
        """A copy with other values."""
        return type(self)(**(vars(self) | changes))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} cannot be removed")

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if type(other) is type(self) else NotImplemented

    __hash__ = None  # type: ignore[assignment] # among the values are dictionaries

    def __repr__(self) -> str:
        """Of a secret that is set, only that it is."""
        hidden = {name for name, each in self.declared.items() if each.secret}
        shown = (f"{n}={'...' if n in hidden and value else repr(value)}" for n, value in vars(self).items())
        return f"{type(self).__name__}({', '.join(shown)})"
