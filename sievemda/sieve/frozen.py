"""Classes of nodes: frozen values with slots, made from annotations as data classes are.

Why not `dataclasses`: it writes and compiles a program for each class, which takes a millisecond, and there are two
hundred classes of nodes: as long as to check a script. Here methods are shared, and a class is told its fields. A
type checker understands both alike (`dataclass_transform`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import FrozenInstanceError
from typing import Any, ClassVar, TypeVar

T = TypeVar("T")
REQUIRED = object()  # the default of a field that has none
_set = object.__setattr__


class Frozen:
    """What nodes are made of; all fields are given by name, equality is that of class and fields."""

    __slots__ = ()
    node_fields: ClassVar[Mapping[str, Any]] = {}  # the default of each field, inherited ones first

    def __init__(self, **given: Any) -> None:
        missing = []
        for name, default in self.node_fields.items():
            value = given.pop(name, default)
            if value is REQUIRED:
                missing.append(name)
            _set(self, name, value)
        if given or missing:
            wrong = sorted(given) or missing
            raise TypeError(f"{type(self).__name__}: unknown or missing fields: {', '.join(wrong)}")

    def __setattr__(self, name: str, value: object) -> None:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self is other or all(getattr(self, name) == getattr(other, name) for name in self.node_fields)

    def __hash__(self) -> int:
        return hash(tuple(getattr(self, name) for name in self.node_fields))

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.node_fields)
        return f"{type(self).__qualname__}({told})"


def frozen(cls: type[T]) -> type[T]:
    """The same class with a slot for each of its annotations that is not of the class itself."""
    names = dict(vars(cls))
    inherited: dict[str, Any] = {}
    for base in reversed(cls.__mro__[1:]):
        inherited.update(vars(base).get("node_fields", {}))
    own = {
        name: names.pop(name, REQUIRED)
        for name, hint in names.get("__annotations__", {}).items()
        if not str(hint).removeprefix("typing.").startswith("ClassVar")
    }
    for gone in ("__dict__", "__weakref__"):
        names.pop(gone, None)
    names["__slots__"] = tuple(name for name in own if name not in inherited)
    names["node_fields"] = {**inherited, **own}
    kind: Any = type(cls)
    made: type[T] = kind(cls.__name__, cls.__bases__, names)
    return made
