"""Sessions of an editor with the language server, key by key: Neovim as the distribution has it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.neovim import Neovim
from tests.interop.processes import need

PROBLEMS = "vim.diagnostic.get(0)"
FLOATS = (
    "vim.tbl_map(function(w) return vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(w), 0, -1, false) end,"
    " vim.tbl_filter(function(w) return vim.api.nvim_win_get_config(w).relative ~= '' end, vim.api.nvim_list_wins()))"
)

Opened = Callable[[str], Neovim]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Opens an editor with a script of this text; all are ended."""
    need("nvim")
    editors = []

    def start(text: str, name: str = "mine.sieve") -> Neovim:
        file = tmp_path / name
        file.write_bytes(text.encode())
        editors.append(Neovim(file, tmp_path))
        return editors[-1]

    yield start
    for editor in editors:
        if editor.process.poll() is None:
            editor.quit()


def problems(editor: Neovim, count: int) -> list[dict]:
    """Those that are shown, once there are so many."""
    editor.until(f"#{PROBLEMS} == {count}", f"{count} problems")
    return editor.lua(PROBLEMS)


def test_a_script_is_opened_its_error_is_shown_completed_and_formatted(opened):
    editor = opened('# Lists\nif header :contain "list-id" "dev" { keep;\n}\n')

    # opened: the error is shown at its word, on the line and in words
    (problem,) = problems(editor, 1)
    assert (problem["lnum"], problem["col"], problem["end_col"]) == (1, 10, 18)
    assert problem["severity"] == 1
    assert ":contains" in problem["message"]
    shown = "vim.api.nvim_buf_get_extmarks(0, vim.diagnostic.get_namespace(vim.diagnostic.get(0)[1].namespace).user_data.virt_text_ns, 0, -1, {details = true})"
    ((_, row, _, details),) = editor.until(shown, "the error beside its line")
    assert row == 1
    assert ":contain" in "".join(part[0] for part in details["virt_text"])

    # mended: the error is gone
    editor.keys("2G0f:cE:contains<Esc>")
    problems(editor, 0)

    # completed: another command, and the require that it needs
    editor.keys("/keep<CR>cwfilei<C-x><C-o>")
    items = "vim.fn.complete_info({'items'}).items"
    (item,) = editor.until(f"#{items} > 0 and {items}", "a completion")
    assert item["word"] == "fileinto"
    assert item["menu"] == "fileinto <mailbox: string>"
    editor.keys("<C-y>")
    editor.until("vim.api.nvim_buf_get_lines(0, 0, 1, false)[1]:find('require') ~= nil", "the require")
    editor.keys(' "Lists"<Esc>')
    assert editor.text == (
        'require ["fileinto"];\n# Lists\nif header :contains "list-id" "dev" { fileinto "Lists";\n}\n'
    )
    problems(editor, 0)

    # formatted: as the command line does it
    before = editor.text
    editor.keys("\\f")
    editor.until("vim.api.nvim_buf_line_count(0) > 4", "the layout")
    done = subprocess.run(
        [sys.executable, "-m", "sievemda", "sieve", "format", "-"],
        input=before,
        capture_output=True,
        text=True,
        check=True,
    )
    assert editor.text == done.stdout
    assert '    fileinto "Lists";\n' in editor.text
    problems(editor, 0)
    assert editor.quit() == 0


def test_a_word_is_explained(opened):
    editor = opened('require "vacation";\nvacation :days 3 "I am away.";\n')
    editor.until("#vim.lsp.buf_get_clients(0) > 0", "the server")
    editor.keys("2G0K")
    (lines,) = editor.until(f"#({FLOATS}) > 0 and {FLOATS}", "the explanation")
    text = "\n".join(lines)
    assert 'vacation [":days" number]' in text
    assert "RFC 5230 §4" in text


def test_an_included_script_is_opened(opened, tmp_path):
    (tmp_path / "lists.sieve").write_text("keep;\n")
    editor = opened('require "include";\ninclude :personal "lists";\n')
    editor.until("#vim.lsp.buf_get_clients(0) > 0", "the server")
    editor.keys("2G$hhhgd")
    editor.until("vim.api.nvim_buf_get_name(0):match('[^/]*$') == 'lists.sieve'", "the included script")
    assert editor.text == "keep;\n"


def test_what_is_missing_is_added_by_a_quick_fix(opened):
    editor = opened('fileinto "A";\n')
    problems(editor, 1)
    editor.keys(":lua vim.ui.select = function(items, _, chosen) chosen(items[1], 1) end<CR>")
    editor.keys("\\a")
    editor.until("vim.api.nvim_buf_line_count(0) == 2", "the require")
    assert editor.text == 'require ["fileinto"];\nfileinto "A";\n'
    problems(editor, 0)


def test_places_are_right_behind_characters_of_any_width(opened):
    editor = opened('require "fileinto"; fileinto "📫é漢"; fileintoo "x";\n')
    (problem,) = problems(editor, 1)
    line = editor.text.encode()
    assert line[problem["col"] : problem["end_col"]] == b"fileintoo"


def test_a_file_of_tests_may_use_the_test_language(opened):
    editor = opened('require "vnd.dovecot.testsuite";\ntest "x" { keeep; }\n', "mine.svtest")
    (problem,) = problems(editor, 1)
    assert "keeep" in problem["message"]


def test_every_problem_is_shown_also_behind_a_syntax_error(opened):
    editor = opened('if header "a" "b" { keep }\nkeeep;\ndiscardd;\n')
    found = problems(editor, 3)
    assert [problem["lnum"] for problem in found] == [0, 1, 2]
