"""Any octets as a test file with its scripts, run by the command as people run it, in each of its formats.

The input is the test file; behind a line `--- NAME` comes another file beside it, `a.sieve` say.
"""

from __future__ import annotations

import io
import json
import random
import re
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from sievemda.cli.main import run
from tests.fuzz.targets import Target
from tests.fuzz.vocabulary import mutated_script, script_words

_FILE = re.compile(rb"^--- ([a-z-]{1,20}(?:/[a-z]{1,8})?\.sieve)\n", re.MULTILINE)
_LAST = re.compile(r"^\d+ passed, \d+ failed(, \d+ not run)?(, \d+ errors?)? in \d+\.\d+s$")
_POINT = re.compile(r"^(?:not )?ok (\d+) - ", re.MULTILINE)
_SKELETON = b"""\
require ["vnd.dovecot.testsuite", "variables", "fileinto", "envelope", "relational", "imap4flags", "mailbox"];
test_mailbox_create "A";
test_set "message" text:
From: a@example.org
To: kim@example.org
Subject: %s

body
.
;
test_set "envelope.from" "%s";
test "one" {
    if not test_script_compile "a.sieve" { test_fail "does not compile"; }
    if not test_script_run { test_fail "does not run"; }
    if not test_result_action :index 1 "store" { test_fail "does not store"; }
    if not test_result_execute { test_fail "cannot be carried out"; }
    test_message :folder "A" 0;
    if not header :matches "subject" "*" { test_fail "${1}"; }
}
test_result_reset;
test "two" {
    if test_script_compile "a.sieve" { test_fail "compiles"; }
    if not test_error :count "eq" "%d" { test_fail "errors"; }
    if test_error :index 1 :matches "*unknown*" { stop; }
}
%s
--- a.sieve
%s
"""


def check(data: bytes) -> None:
    with tempfile.TemporaryDirectory(prefix="svtest") as folder:
        file = _laid_out(data, Path(folder))
        found = json.loads(_report("json", file))
        assert found == json.loads(_report("json", file)), "two runs of a file differ"
        _consistent(found)
        _other_formats(file, found["summary"], len(data))


def _laid_out(data: bytes, folder: Path) -> Path:
    """The test file, with the others beside it."""
    main, *others = _FILE.split(data)
    for name, text in zip(others[::2], others[1::2], strict=True):
        path = folder / name.decode()
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text)
    file = folder / "a.svtest"
    file.write_bytes(main)
    return file


def _report(form: str, file: Path, *options: str) -> str:
    """What the command prints, in a form that does not tell how long it took and where the files are."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run(["test", "--timeout", "0", "--format", form, *options, str(file)])
    assert code in {0, 1, 5}, f"exit code {code}: {err.getvalue()}"
    text = out.getvalue()
    if form in {"json", "junit"}:
        text.encode()  # for programs: every character can be written
    return re.sub(r'("duration": )[\d.e-]+', r"\g<1>0", text)


def _consistent(found: dict[str, Any]) -> None:
    (file,) = found["files"]
    tests, summary = file["tests"], found["summary"]
    assert {test["status"] for test in tests} <= {"passed", "failed", "not run"}
    assert [test["index"] for test in tests] == list(range(1, len(tests) + 1)), "the tests are not counted from 1"
    for status, name in (("passed", "passed"), ("failed", "failed"), ("not run", "not_run")):
        assert summary[name] == sum(test["status"] == status for test in tests), f"{name} is miscounted"
    assert summary["errors"] == (file["status"] == "error") == (file["error"] is not None)
    assert file["status"] != "passed" or all(test["status"] == "passed" for test in tests), "a file passed too easily"


def _other_formats(file: Path, summary: dict[str, Any], number: int) -> None:
    """One of the other formats, by the number: they tell the same."""
    match number % 3:
        case 0:
            last = _report("text", file, "--coverage").rstrip("\n").split("\n")[-1]
            assert _LAST.match(last), f"the last line is {last!r}"
            counts = f"{summary['passed']} passed, {summary['failed']} failed"
            assert last.startswith(counts), f"{last!r} is not {counts!r}"
        case 1:
            text = _report("tap", file, "-E")
            points = [int(point) for point in _POINT.findall(text)]
            assert points == list(range(1, summary["tests"] + summary["errors"] + 1)), "points are miscounted"
            assert f"1..{len(points)}" in text.split("\n"), "there is no plan"
        case _:
            suites = ET.fromstring(_report("junit", file, "-F"))
            assert len(suites.findall(".//testcase")) >= summary["tests"], "tests are missing"


def _words() -> Iterator[bytes]:
    yield from script_words()
    yield from (b"\n--- a.sieve\n", b"\n--- included/flags.sieve\n", b"\n--- included-global/a.sieve\n", b'test "a" {')


def _mutated(data: bytes, chance: random.Random) -> bytes:
    """Another test file with its scripts, one of them changed; or a new one."""
    if chance.random() < 0.05:
        words = [chance.choice((b"a", b"<b@c>", b"<>", b"=?utf-8?q?=e4?=")) for _ in range(2)]
        inner = [mutated_script(b"", chance, private=private) for private in (True, False)]
        return _SKELETON % (*words, chance.randrange(4), *inner)
    pieces = _FILE.split(data)
    at = 2 * chance.randrange(len(pieces) // 2 + 1)
    pieces[at] = mutated_script(pieces[at], chance, private=at == 0)
    names = [b"--- " + name + b"\n" for name in pieces[1::2]]
    files = [text.rstrip(b"\n") + b"\n" for text in pieces[::2]]
    return files[0] + b"".join(name + text for name, text in zip(names, files[1:], strict=True))


TARGET = Target(check, _words, _mutated)
