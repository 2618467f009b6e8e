"""`sieve check --cost`."""

import json
import re

import pytest

from sievemda.cli.main import run

SCRIPT = """\
require "fileinto";
# rule:[Bills]
if header :contains "subject" "bill" { fileinto "Bills"; }
elsif header "x-from" "a@b" { discard; }
"""


@pytest.fixture
def script(tmp_path):
    path = tmp_path / "a.sieve"
    path.write_text(SCRIPT)
    return str(path)


@pytest.fixture
def message(tmp_path):
    path = tmp_path / "m.eml"
    path.write_bytes(b"Subject: a bill\r\n\r\n")
    return str(path)


@pytest.fixture
def check(capsys):
    def checked(*arguments):
        code = run(["sieve", "check", *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return checked


def test_each_rule_has_a_line_with_its_name(check, script):
    told = check("--cost", script)[1].splitlines()
    assert "for each KiB" in told[0]
    assert re.fullmatch(r" +3 +3 +1,044 +0\.\d{4}%  Bills", told[2])
    assert re.fullmatch(r" +4 +2 +1,044 +0\.\d{4}%  elsif header .*", told[3])
    assert "the characters last for 23,946 KiB" in told[-1]


def test_a_message_is_measured(check, script, message):
    told = check("--cost", "--message", message, script)[1].splitlines()
    assert "for a message of 17 octets" in told[0]
    assert re.fullmatch(r" +3 +3 +26 +0\.\d{4}%  Bills", told[2])
    assert re.fullmatch(r" +4 +0 +0 +0\.0000%  elsif header .*", told[3])


def test_for_programs(check, script, message):
    (file,) = json.loads(check("--cost", "--json", script)[1])["files"]
    assert file["cost"]["octets"] is None
    assert [(rule["line"], rule["characters"]) for rule in file["cost"]["rules"]] == [(3, 1044), (4, 1044)]
    assert file["cost"]["total"]["instructions"] == 5
    assert file["cost"]["budget"] == {"instructions": 200_000, "characters": 50_000_000}
    (file,) = json.loads(check("--message", message, "--json", script)[1])["files"]
    assert file["cost"]["rules"][0]["instructions"] == 3


def test_a_broken_script_has_problems_and_no_price(check, tmp_path):
    path = tmp_path / "b.sieve"
    path.write_text("frob;")
    code, out, _ = check("--cost", "--json", str(path))
    assert code == 1
    assert "cost" not in json.loads(out)["files"][0]


def test_a_message_that_is_not_there_is_an_error_of_its_own(check, script, tmp_path):
    code, _, err = check("--cost", "--message", str(tmp_path / "none"), script)
    assert code == 2
    assert "cannot read" in err
