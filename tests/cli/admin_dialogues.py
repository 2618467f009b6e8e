"""Recorded sessions of the shell, in tests/dialogues/admin.

# comment
@ set KEY=VALUE KEY=VALUE     settings; {data} stands for the directory of the site, there and in commands
@ options --user alice        of the command line
@ before cm x; cm y           done by the administrators first
> one line of the shell
| one line of its output, `...` standing for anything; blanks at the end do not matter
! one line of its errors
= 67                          the status of its last command, where that is not 0
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

FILES = sorted(Path(__file__).parents[1].joinpath("dialogues", "admin").glob("*.txt"))


@dataclass
class Step:
    line: str
    expected: list = field(default_factory=list)  # ("|" or "!", text), in order
    status: int = 0


@dataclass
class Dialogue:
    settings: list = field(default_factory=list)
    options: list = field(default_factory=list)
    before: str = ""
    steps: list = field(default_factory=list)


def read(file, data):
    found = Dialogue()
    for line in file.read_text().replace("{data}", str(data)).splitlines():
        sign, text = line[:1], line[2:]
        if sign == "@":
            kind, _, rest = text.partition(" ")
            if kind == "before":
                found.before = rest
            else:
                getattr(found, {"set": "settings", "options": "options"}[kind]).extend(rest.split())
        elif sign == ">":
            found.steps.append(Step(text))
        elif sign in {"|", "!"}:
            found.steps[-1].expected.append((sign, text))
        elif sign == "=":
            found.steps[-1].status = int(text)
        else:
            assert not line or sign == "#", line
    return found


def global_options(dialogue, data):
    return ["--data", str(data), *(word for each in dialogue.settings for word in ("--set", each))]


def fits(expected, found):
    return re.fullmatch(".*".join(map(re.escape, expected.rstrip().split("..."))), found.rstrip())


def compare(step, found):
    """`found` is a list of (sign, line)."""
    wanted = "\n".join(f"{sign} {text}".rstrip() for sign, text in step.expected)
    got = "\n".join(f"{sign} {text}".rstrip() for sign, text in found)
    same = len(found) == len(step.expected) and all(
        sign == other and fits(text, line) for (sign, text), (other, line) in zip(step.expected, found, strict=True)
    )
    assert same, f"> {step.line}\nexpected:\n{wanted}\nfound:\n{got}"
