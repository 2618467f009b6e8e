"""From a TOML file and `--set KEY=VALUE` to `Settings`, or to every mistake at once.

A value may come typed (TOML) or as the string that imapd.conf would hold: booleans as yes/no/on/off, sizes with
K, M, G, durations with s, m, h, d (also `1h30m`), lists separated by spaces or commas, modes in octal.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from sievemda import config
from sievemda.configfields import Section, Setting
from sievemda.configlists import ListTables
from sievemda.configmeaning import check
from sievemda.configtogether import check_together
from sievemda.errors import ConfigurationError, DataError
from sievemda.given import read_given

DEFAULT_FILE = Path("/etc/sievemda/sievemda.toml")

_BOOLEANS = dict.fromkeys(("yes", "on", "true", "t", "1"), True) | dict.fromkeys(
    ("no", "off", "false", "f", "0"), False
)
_SIZE_UNITS = {"": 1} | {
    letter + octets: 1 << shift for letter, shift in (("k", 10), ("m", 20), ("g", 30)) for octets in ("", "b", "ib")
}
_TIME_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_LISTS = "sieve.sieve_extlists."
_USES = "autocreate.xlist."
WRITTEN_OTHERWISE = {
    "store.partitions": "partition-NAME = PATH",
    "sieve.sieve_extlists": "a table [sieve.sieve_extlists.LABEL]",
    "autocreate.xlist": "xlist-FLAG = FOLDER",
}
_NUMBER = re.compile(r"([0-9]+)\s*([a-zA-Z]*)\s*")
_MOST = 1 << 53  # of a plain number: every JSON and SQL has room for it
_MOST_OCTETS = 1 << 62
_MOST_SECONDS = 36500 * 86400  # behind that, calendars end


def load(
    file: Path | None = None, data: Path | None = None, sets: Iterable[str] = (), *, text: str | None = None
) -> config.Settings:
    """The settings from `file`, then `sets`; `data` wins over the file's own. `text`: what the file is to have.

    Without `file`, `sievemda.toml` in the data directory is read when it is there; without both, the file of the
    system. Raises ConfigurationError with every problem that was found.
    """
    if file is None and data is not None and (data / "sievemda.toml").is_file():
        file = data / "sievemda.toml"
    if file is None and data is None:
        file = DEFAULT_FILE
        if not file.is_file():
            raise ConfigurationError(f"no configuration: {file} does not exist; give --data DIR or --config FILE")
    collected = _Collector()
    if file is not None:
        collected.take_file(file, text)
    for item in sets:
        collected.take_set(item)
    if data is not None:
        collected.data = data.absolute()
    return collected.settings()


@cache
def sections() -> dict[str, type[Section]]:
    """Section name to its class, in order."""
    return {name: one.given for name, one in config.Settings.declared.items() if isinstance(one.given, type)}


@cache
def known() -> dict[str, Setting]:
    """Full key to what is declared of it."""
    return {f"{name}.{key}": one for name, kind in sections().items() for key, one in kind.declared.items()}


@cache
def _kinds(section: str) -> dict[str, Any]:
    """Name to type of the fields of a section."""
    return typing.get_type_hints(sections()[section])


def kind_of(key: str) -> Any:
    """The type of the setting with that full key."""
    section, _, name = key.partition(".")
    return _kinds(section)[name]


def full_key(key: str) -> str:
    """`lmtp_strict_quota` -> `delivery.lmtp_strict_quota`; raises ValueError for an unknown or ambiguous key."""
    keys = known()
    if key in keys or key == "data" or key.startswith(("store.partitions.", _LISTS, _USES)):
        return key
    if key.startswith("sieve_extlists."):
        return "sieve." + key
    if key.startswith(("partition-", "store.partition-")):  # imapd.conf's way to say where a partition lies
        return "store.partitions." + key.partition("-")[2]
    if key.startswith(("xlist-", "autocreate.xlist-")):
        return _USES + key.partition("-")[2]
    ends = [full for full in keys if full.split(".", 1)[1] == key]
    if len(ends) == 1:
        return ends[0]
    if ends:
        raise ValueError(f"{key}: could be {' or '.join(ends)}")
    import difflib  # noqa: PLC0415 - short commands start quicker without it

    near = difflib.get_close_matches(key.rpartition(".")[2], [full.split(".", 1)[1] for full in keys], 1)
    raise ValueError(f"{key}: no such setting" + (f"; did you mean {near[0]}?" if near else ""))


class _Collector:
    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.partitions: dict[str, Path] = {}
        self.uses: dict[str, str] = {}
        self.lists = ListTables(convert)
        self.problems: list[str] = []
        self.data: Path | None = None

    def take_file(self, file: Path, text: str | None) -> None:
        import tomllib  # noqa: PLC0415 - as above

        try:
            tree = tomllib.loads(read_given(file).decode() if text is None else text)
        except OSError as e:
            raise ConfigurationError(f"{file}: {e.strerror}") from e
        except (ValueError, RecursionError) as e:  # no TOML, no UTF-8, a number without an end, a nest of brackets
            raise ConfigurationError(f"{file}: {e}") from e
        for key, value in _flatten(tree):
            self.take(key, value, where=f"{file}: ", base=file.parent)

    def take_set(self, item: str) -> None:
        key, equals, value = item.partition("=")
        if not equals:
            self.problems.append(f"--set {item}: write KEY=VALUE")
        else:
            self.take(key.strip(), value.strip(), where="--set ", base=Path.cwd())

    def take(self, key: str, value: Any, *, where: str, base: Path) -> None:
        try:
            full = full_key(key)
            if full == "data":
                self.data = _path(value, base)
            elif full.startswith("store.partitions."):
                self.partitions[_partition(full.removeprefix("store.partitions."))] = _path(value, base)
            elif full.startswith(_USES):
                self.uses[_use(full.removeprefix(_USES))] = _string(value)
            elif full in WRITTEN_OTHERWISE:
                raise ValueError(f"{key}: write {WRITTEN_OTHERWISE[full]}")
            elif full.startswith(_LISTS):
                self.lists.take(full.removeprefix(_LISTS), value, base)
            else:
                self.values[full] = convert(kind_of(full), value, base)
                check(full, self.values[full])
        except ValueError as e:
            text = str(e)
            self.problems.append(where + (text if text.startswith(key) else f"{key}: {text}"))

    def settings(self) -> config.Settings:
        if self.problems:
            raise ConfigurationError(*self.problems)
        parts: dict[str, Any] = {}
        for section, kind in sections().items():
            given = {k.split(".", 1)[1]: v for k, v in self.values.items() if k.startswith(section + ".")}
            if section == "store":
                given["partitions"] = self.partitions
                if "partition_select_mode" in given:  # who asks for a choice wants one made
                    given.setdefault("defaultpartition", "")
            if section == "autocreate":
                given["xlist"] = self.uses
            if section == "sieve":
                given["sieve_extlists"] = self.lists.lists()
            parts[section] = kind(**given)
        if self.data is not None:
            parts["data"] = self.data
        whole = config.Settings(**parts)
        check_together(whole)
        return whole


def _flatten(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


# --- values ---------------------------------------------------------------------------------------------------


def convert(kind: Any, value: Any, base: Path) -> Any:
    """`value` as `kind`; raises ValueError with what was expected."""
    origin = typing.get_origin(kind)
    if origin is types.UnionType or origin is typing.Union:  # X | None: the empty string is None
        inner = next(a for a in typing.get_args(kind) if a is not type(None))
        return None if value == "" else convert(inner, value, base)
    if origin is typing.Literal:
        return _choice(value, typing.get_args(kind))
    if origin is tuple:
        return _words(value)
    return _SCALARS[kind](value) if kind is not Path else _path(value, base)


def _choice(value: Any, choices: tuple[Any, ...]) -> Any:
    if value not in choices and str(value).lower() in _BOOLEANS:
        value = "on" if _boolean(value) else "off"
    if value not in choices:
        raise ValueError(f"{value!r} is not one of {', '.join(choices)}")
    return value


def _words(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(w for w in re.split(r"[\s,]+", value) if w)
    if isinstance(value, list) and all(isinstance(v, str | int) and not isinstance(v, bool) for v in value):
        return tuple(map(str, value))  # of levels, say: [80, 95]
    raise ValueError(f"{value!r} is not a list of words")


def _path(value: Any, base: Path) -> Path:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError(f"{value!r} is not a path")
    try:
        return base.absolute() / Path(value).expanduser()
    except RuntimeError as e:
        raise ValueError(f"{value!r} is not a path: nobody has that home directory") from e


def _partition(name: str) -> str:
    if not re.fullmatch("[A-Za-z0-9_-]+", name):
        raise ValueError(f"{name!r} cannot be the name of a partition: letters, digits, _ and - can")
    return name


def _use(flag: str) -> str:
    from sievemda.store.creation import special_uses  # noqa: PLC0415 - only who sets one loads the store

    if len(flag.split()) != 1:
        raise ValueError("write xlist-FLAG = FOLDER")
    try:
        return special_uses(flag)
    except DataError as e:
        raise ValueError(str(e)) from e


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    found = _BOOLEANS.get(str(value).lower())
    if found is None:
        raise ValueError(f"{value!r} is not yes or no")
    return found


def _integer(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]+", value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{value!r} is not a whole number")  # noqa: TRY004 - one kind of error for the caller to collect
    if abs(value) > _MOST:
        raise ValueError(f"{value} is too large")
    return value


def _string(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return "|".join(value)
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a string")  # noqa: TRY004 - one kind of error for the caller to collect
    if not value.isprintable():  # values end up in replies, header fields and paths
        raise ValueError(f"{value!r} has characters in it that are no text")
    return value


def _with_unit(units: dict[str, int], what: str, most: int, *, several: bool = False) -> Callable[[Any], int]:
    """Reads a number with a unit; `several`: or a row of them, which are added up."""

    def parse(value: Any) -> int:
        text = str(value).strip()
        parts = [(number, unit.lower()) for number, unit in _NUMBER.findall(text)]
        whole = "".join(found[0] for found in _NUMBER.finditer(text)) == text
        row = len(parts) == 1 or (several and all(unit for _, unit in parts))
        if isinstance(value, bool) or not (parts and whole and row) or any(unit not in units for _, unit in parts):
            raise ValueError(f"{value!r} is not {what}")
        total = sum(int(number) * units[unit] for number, unit in parts)
        if total > most:
            raise ValueError(f"{value!r} is too large")
        return total

    return parse


def _kibibytes(value: Any) -> int:
    """A plain number is one of KiB already, as in imapd.conf."""
    text = str(value).strip()
    if text == "-1":
        return -1
    octets: int = _SCALARS[config.Size](text + ("k" if text.isdigit() else ""))
    return octets >> 10


def _mode(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"(0o)?[0-7]{3,4}", value):
        return int(value.removeprefix("0o"), 8)
    raise ValueError(f"{value!r} is not a mode in octal, such as 0660")


_SCALARS: dict[Any, Callable[[Any], Any]] = {
    bool: _boolean,
    int: _integer,
    str: _string,
    config.Size: _with_unit(_SIZE_UNITS, "a size, such as 10M", _MOST_OCTETS),
    config.Seconds: _with_unit(_TIME_UNITS, "a time, such as 30s or 7d", _MOST_SECONDS, several=True),
    config.Mode: _mode,
    config.Kibibytes: _kibibytes,
}


# --- reference ------------------------------------------------------------------------------------------------


def spelled(value: Any) -> str:
    """One value as TOML."""
    match value:
        case bool():
            return "true" if value else "false"
        case dict():
            return "{ " + ", ".join(f"{_key(k)} = {spelled(v)}" for k, v in value.items()) + " }"
        case int():
            return str(value)
        case None:
            return '""'
        case tuple() | list():
            return "[" + ", ".join(spelled(v) for v in value) + "]"
        case _:
            return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _key(text: str) -> str:
    return text if re.fullmatch("[A-Za-z0-9_-]+", text) else spelled(text)


def reference() -> str:
    """The commented configuration file with every default, as in conf/sievemda.toml."""
    lines = [
        "# Settings of sievemda with their defaults; every line may be left out.",
        "# Generated by `sievemda config reference`.",
        "",
        "# Directory of state, spool, sockets and, by default, mail.",
        '#data = "/var/lib/sievemda"',
    ]
    for section, kind in sections().items():
        lines += ["", f"[{section}]"]
        for name, one in kind.declared.items():
            lines += [f"# {one.doc}", f"#{name} = {_default_text(section, name, one)}"]
    return "\n".join(lines) + "\n"


def _default_text(section: str, name: str, one: Setting) -> str:
    if name == "partitions":
        return '{ default = "/var/lib/sievemda/mail" }'
    if name == "xlist":
        return '{ junk = "Spam", sent = "Sent" }'
    if name == "sieve_extlists":
        return '{ friends = { name = "tag:example.com,2026:friends", file = "friends.txt" } }'
    if name == "servername":
        return '"mail.example.org"'
    kind = kind_of(f"{section}.{name}")
    return f'"{one.default:04o}"' if kind is config.Mode else spelled(one.default)
