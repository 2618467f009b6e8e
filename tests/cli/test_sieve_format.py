"""`sievemda sieve format`: files are laid out in their place, or only looked at."""

import io
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sievemda.cli.main import run

UGLY = 'REQUIRE "fileinto" ;# why\nif true{fileinto "ü";}\n'.encode()
GOOD = 'require "fileinto"; # why\n\nif true {\n    fileinto "ü";\n}\n'.encode()


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ugly.sieve").write_bytes(UGLY)
    (tmp_path / "good.sieve").write_bytes(GOOD)
    (tmp_path / "bad.sieve").write_bytes(b"keep\nstop\n")
    return tmp_path


def tried(capfdbinary, *arguments, stdin=None, monkeypatch=None):
    if stdin is not None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
    code = run(["sieve", "format", *arguments])
    sys.stdout.flush()
    found = capfdbinary.readouterr()
    return code, found.out, found.err


def test_a_file_is_laid_out_in_its_place(files, capfdbinary):
    assert tried(capfdbinary, "ugly.sieve") == (0, b"", b"formatted ugly.sieve\n")
    assert (files / "ugly.sieve").read_bytes() == GOOD
    assert sorted(path.name for path in files.iterdir()) == ["bad.sieve", "good.sieve", "ugly.sieve"]


def test_a_file_that_is_laid_out_is_not_touched(files, capfdbinary):
    before = (files / "good.sieve").stat()
    assert tried(capfdbinary, "good.sieve") == (0, b"", b"")
    after = (files / "good.sieve").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o640])
def test_the_mode_of_a_file_stays(files, capfdbinary, mode):
    (files / "ugly.sieve").chmod(mode)
    tried(capfdbinary, "ugly.sieve")
    assert stat.S_IMODE((files / "ugly.sieve").stat().st_mode) == mode


def test_the_owner_of_a_file_stays(files, capfdbinary):
    if os.geteuid() == 0:
        os.chown(files / "ugly.sieve", 65534, 65534)
    before = (files / "ugly.sieve").stat()
    tried(capfdbinary, "ugly.sieve")
    after = (files / "ugly.sieve").stat()
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino


def test_a_symbolic_link_stays_one(files, capfdbinary):
    (files / "sub").mkdir()
    (files / "sub" / "real.sieve").write_bytes(UGLY)
    (files / "link.sieve").symlink_to("sub/real.sieve")
    assert tried(capfdbinary, "link.sieve")[0] == 0
    assert (files / "link.sieve").readlink() == Path("sub/real.sieve")
    assert (files / "sub" / "real.sieve").read_bytes() == GOOD


def test_a_script_that_does_not_parse_is_told_of_as_by_check_and_left_alone(files, capfdbinary):
    code, out, _err = tried(capfdbinary, "bad.sieve")
    run(["sieve", "check", "bad.sieve"])
    assert code == 1
    assert b"bad.sieve:1:5: error: missing semicolon" in out
    assert out == capfdbinary.readouterr().out
    assert (files / "bad.sieve").read_bytes() == b"keep\nstop\n"


def test_all_files_are_tried(files, capfdbinary):
    code, _out, _err = tried(capfdbinary, "bad.sieve", "ugly.sieve")
    assert code == 1
    assert (files / "ugly.sieve").read_bytes() == GOOD


def test_what_does_not_make_sense_but_parses_is_laid_out(files, capfdbinary):
    (files / "odd.sieve").write_bytes(b'FROB :x "y"{}')
    assert tried(capfdbinary, "odd.sieve")[0] == 0
    assert (files / "odd.sieve").read_bytes() == b'frob :x "y" {}\n'


def test_check_names_the_files_that_would_change(files, capfdbinary):
    assert tried(capfdbinary, "--check", "good.sieve", "ugly.sieve") == (1, b"ugly.sieve\n", b"")
    assert (files / "ugly.sieve").read_bytes() == UGLY


def test_check_is_silent_when_nothing_would_change(files, capfdbinary):
    assert tried(capfdbinary, "--check", "good.sieve") == (0, b"", b"")


def test_diff_prints_what_would_change_and_patch_understands_it(files, capfdbinary):
    code, out, err = tried(capfdbinary, "--diff", "good.sieve", "ugly.sieve")
    assert (code, err) == (0, b"")
    assert out.startswith(b"--- ugly.sieve\n+++ ugly.sieve\n@@ -1,2 +1,5 @@\n")
    assert (files / "ugly.sieve").read_bytes() == UGLY
    subprocess.run(["patch", "-p0"], input=out, check=True, capture_output=True)
    assert (files / "ugly.sieve").read_bytes() == GOOD


def test_diff_and_check_together(files, capfdbinary):
    code, out, _err = tried(capfdbinary, "--check", "--diff", "ugly.sieve")
    assert (code, out[:4]) == (1, b"--- ")


def test_diff_of_a_file_without_a_last_line_end(files, capfdbinary):
    (files / "end.sieve").write_bytes(b"keep;")
    assert tried(capfdbinary, "--diff", "end.sieve")[1] == (
        b"--- end.sieve\n+++ end.sieve\n@@ -1 +1 @@\n-keep;\n\\ No newline at end of file\n+keep;\n"
    )


def test_standard_input_goes_to_standard_output(files, capfdbinary, monkeypatch):
    assert tried(capfdbinary, "-", stdin=UGLY, monkeypatch=monkeypatch) == (0, GOOD, b"")
    assert tried(capfdbinary, "-", stdin=GOOD, monkeypatch=monkeypatch) == (0, GOOD, b"")


def test_of_a_broken_script_on_standard_input_nothing_is_printed(files, capfdbinary, monkeypatch):
    code, out, err = tried(capfdbinary, "-", stdin=b"keep", monkeypatch=monkeypatch)
    assert (code, out) == (1, b"")
    assert err.startswith(b"-:1:")


def test_standard_input_can_be_checked(files, capfdbinary, monkeypatch):
    assert tried(capfdbinary, "--check", "-", stdin=UGLY, monkeypatch=monkeypatch) == (1, b"-\n", b"")


def test_octets_that_are_no_utf8_stay_also_in_a_diff(files, capfdbinary):
    (files / "latin.sieve").write_bytes(b"#\xfc\nkeep ;# \xe4\n")
    assert b"+keep; # \xe4\n" in tried(capfdbinary, "--diff", "latin.sieve")[1]
    tried(capfdbinary, "latin.sieve")
    assert (files / "latin.sieve").read_bytes() == b"#\xfc\nkeep; # \xe4\n"


def test_width_and_indent(files, capfdbinary):
    (files / "long.sieve").write_bytes(b'if header ["a", "b", "c"] "ddddd" { keep; }\n')
    assert tried(capfdbinary, "--width", "20", "--indent", "2", "long.sieve")[0] == 0
    assert (files / "long.sieve").read_text() == ('if header\n    ["a", "b", "c"]\n    "ddddd" {\n  keep;\n}\n')


@pytest.mark.parametrize("name", ["missing.sieve", "."])
def test_what_cannot_be_read_is_told_and_the_others_are_tried(files, capfdbinary, name):
    code, _out, err = tried(capfdbinary, name, "ugly.sieve")
    assert code == 2
    assert f"cannot read {name}".encode() in err
    assert (files / "ugly.sieve").read_bytes() == GOOD


def test_what_is_no_regular_file_is_not_replaced(files, capfdbinary):
    os.mkfifo(files / "pipe")
    writer = subprocess.Popen(["sh", "-c", "printf 'keep ;' > pipe"])
    code, _out, err = tried(capfdbinary, "pipe")
    writer.wait()
    assert (code, err) == (2, b"Error: cannot write pipe: not a regular file\n")
    assert stat.S_ISFIFO((files / "pipe").lstat().st_mode)


def test_a_folder_that_cannot_be_written_to_keeps_its_file(files, capfdbinary, monkeypatch):
    def refused(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refused)
    code, _out, err = tried(capfdbinary, "ugly.sieve")
    assert (code, err) == (2, b"Error: cannot write ugly.sieve: Permission denied\n")
    assert (files / "ugly.sieve").read_bytes() == UGLY


def test_a_full_disk_leaves_the_file_and_nothing_else(files, capfdbinary, monkeypatch):
    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert tried(capfdbinary, "ugly.sieve")[0] == 2
    assert sorted(path.name for path in files.iterdir()) == ["bad.sieve", "good.sieve", "ugly.sieve"]
    assert (files / "ugly.sieve").read_bytes() == UGLY


def test_as_json(files, capfdbinary):
    code, out, err = tried(capfdbinary, "--json", "good.sieve", "ugly.sieve", "bad.sieve")
    found = json.loads(out)["files"]
    assert (code, err) == (1, b"")
    assert [(one["file"], one["changed"], bool(one["problems"])) for one in found] == [
        ("good.sieve", False, False), ("ugly.sieve", True, False), ("bad.sieve", False, True),
    ]  # fmt: skip
    assert (files / "ugly.sieve").read_bytes() == GOOD


@pytest.mark.parametrize("arguments", [[], ["--width", "3", "x"], ["--indent", "none", "x"], ["--json", "-"]])
def test_wrong_usage(files, capfdbinary, arguments):
    code, _out, err = tried(capfdbinary, *arguments)
    assert code == 2
    assert b"Usage:" in err


def test_help_has_an_example(files, capfdbinary):
    code, out, _err = tried(capfdbinary, "--help")
    assert code == 0
    assert b"Example: sievemda sieve format" in out
