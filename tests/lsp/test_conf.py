"""What is shipped for editors says how the server is really started, and with settings that it knows."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from sievemda.lsp.wishes import wished
from tests.lsp.scripts import WORLD

CONF = Path(__file__).parents[2] / "conf" / "editors"
COMMAND = ["sievemda", "sieve", "lsp"]


def test_visual_studio_code():
    told = json.loads((CONF / "vscode" / "package.json").read_text())
    settings = told["contributes"]["configuration"]["properties"]
    assert settings["sievemda.command"]["default"] == COMMAND
    assert {name for language in told["contributes"]["languages"] for name in language["extensions"]} == {
        ".sieve", ".siv", ".svtest",
    }  # fmt: skip
    given = {
        key.removeprefix("sievemda."): ["INBOX"]
        for key in settings
        if key not in {"sievemda.command", "sievemda.extensions"}
    }
    assert wished(WORLD, given)[1] == []


def test_words_of_visual_studio_code_are_those_of_the_language():
    language = json.loads((CONF / "vscode" / "language.json").read_text())
    word = re.compile(language["wordPattern"])
    assert [found[0] for found in word.finditer("if size :over 100K { set ${who}")] == [
        "if", "size", ":over", "100K", "set", "${who}",
    ]  # fmt: skip


def test_helix():
    told = tomllib.loads((CONF / "helix.toml").read_text())
    server = told["language-server"]["sievemda"]
    assert [server["command"], *server["args"]] == COMMAND
    assert {name for language in told["language"] for name in language["file-types"]} == {"sieve", "siv", "svtest"}


def test_kate():
    (server,) = json.loads((CONF / "kate.json").read_text())["servers"].values()
    assert server["command"] == COMMAND


@pytest.mark.parametrize("file", ["emacs.el", "neovim.lua"])
def test_emacs_and_neovim(file):
    text = (CONF / file).read_text()
    assert re.search(r"""["']sievemda["'],? ["']sieve["'],? ["']lsp["']""", text)
    assert "svtest" in text
