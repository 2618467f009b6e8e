"""The recorded sessions hold line by line, as one batch, and on a terminal."""

import io
import sys

import pytest

from sievemda import configload
from sievemda.cli.admin.session import Session, acting
from sievemda.cli.admin.shell import Shell
from sievemda.cli.admin.table import COMMANDS
from sievemda.cli.main import run
from sievemda.store.mailstore import MailStore
from tests.cli.admin_dialogues import FILES, compare, fits, global_options, read
from tests.cli.admin_terminal import Terminal


class Tagged(io.StringIO):
    """A stream that notes its lines in a list common to several."""

    def __init__(self, sign, lines):
        super().__init__()
        self._sign, self._lines, self._open = sign, lines, False

    def write(self, text):
        for piece in text.splitlines(keepends=True):
            if self._open:
                sign, line = self._lines.pop()
                self._lines.append((sign, line + piece.rstrip("\n")))
            else:
                self._lines.append((self._sign, piece.rstrip("\n")))
            self._open = not piece.endswith("\n")
        return len(text)


@pytest.fixture(autouse=True)
def surroundings(tmp_path, monkeypatch):
    """Nothing of whoever runs the tests: his rc file, his terminal, his directory."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.chdir(tmp_path)


def prepared(dialogue, data):
    if dialogue.before:
        assert run([*global_options(dialogue, data), "admin", "--strict", "-e", dialogue.before]) == 0


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_line_has_its_output_its_errors_and_its_status(file, tmp_path):
    data = tmp_path / "site"
    dialogue = read(file, data)
    prepared(dialogue, data)
    settings = configload.load(None, data, tuple(dialogue.settings))
    store, lines = MailStore(settings), []
    user = dialogue.options[1] if dialogue.options else ""
    session = Session(settings, store, acting(store, user), settings.site.servername)
    shell = Shell(session)
    for step in dialogue.steps:
        lines.clear()
        session.out, session.err, session.status = Tagged("|", lines), Tagged("!", lines), 0
        shell.line(step.line)
        compare(step, lines)
        assert session.status == step.status, step.line


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_batch_writes_the_same_to_its_two_streams(file, tmp_path, monkeypatch, capsys):
    data = tmp_path / "site"
    dialogue = read(file, data)
    prepared(dialogue, data)
    batch = "".join(f"{step.line}\n" for step in dialogue.steps).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(batch)))
    code = run([*global_options(dialogue, data), "admin", *dialogue.options])
    found = capsys.readouterr()
    for sign, text in (("|", found.out), ("!", found.err)):
        expected = [line for step in dialogue.steps for kind, line in step.expected if kind == sign]
        got = text.splitlines()
        assert len(got) == len(expected)
        for wanted, line in zip(expected, got, strict=True):
            assert fits(wanted, line), wanted
    assert code == dialogue.steps[-1].status


@pytest.mark.parametrize("name", ["createmailbox", "acl", "listmailbox", "quota", "annotations", "shell"])
def test_a_terminal_shows_the_same(name, tmp_path):
    data = tmp_path / "site"
    dialogue = read(next(file for file in FILES if file.stem == name), data)
    with Terminal([*global_options(dialogue, data), "admin", *dialogue.options], tmp_path) as terminal:
        for step in dialogue.steps:
            found = terminal.say(step.line)
            compare(step, [(sign, line) for (sign, _), line in zip(step.expected, found, strict=False)] + [
                ("?", line) for line in found[len(step.expected) :]
            ])  # fmt: skip
        code = terminal.leave()
    assert code == dialogue.steps[-1].status


def test_every_command_has_been_recorded_by_all_its_names():
    lines = [step.line for file in FILES for step in read(file, "").steps]
    said = {part.split()[0] for line in lines for part in line.split(";") if part.split()}
    assert {name for command in COMMANDS for name in command.names} - said == {"quit"}  # it has a test of its own
