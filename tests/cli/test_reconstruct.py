"""`sievemda reconstruct` as it is called."""

import json
import os

import pytest


@pytest.fixture
def damaged(call, tmp_path):
    """A site with a user whose INBOX has a message with a wrong size and no `tmp`: the Maildir."""
    call("mailbox", "create", "user/alice")
    call("mailbox", "create", "user/alice/Lists")
    maildir = tmp_path / "d" / "mail" / "user" / "alice" / "Maildir"
    (maildir / "tmp").rmdir()
    (maildir / "cur" / "1700000000.M1P1Q1.host,S=5:2,S").write_bytes(b"From: a@b\n\nx\n")
    return maildir


def test_each_mailbox_is_named_when_it_is_through_and_what_was_mended(call, damaged):
    code, out, err = call("reconstruct")
    assert code == 0
    lines = out.splitlines()
    assert [line for line in lines if ": " not in line] == ["user/alice", "user/alice/Lists"]
    assert lines[-1] == "2 mailboxes, 1 messages: 2 mended"
    assert lines[0] == f"user/alice: {damaged}: no tmp in it; made"
    assert "S=5 in its name, and it has 13 octets; renamed to cur/1700000000.M1P1Q1.host,S=13,W=16:2,S" in out
    assert err == ""
    assert call("reconstruct", "-q") == (0, "", "")


def test_a_dry_run_says_what_it_would_do(call, damaged):
    code, out, err = call("reconstruct", "-n", "-q", "user/alice")
    assert (code, err) == (0, "")
    assert out.count("; would be mended: ") == 2
    assert out.endswith("1 mailboxes, 1 messages: 2 to mend\n")
    assert not (damaged / "tmp").exists()


def test_json_is_one_document(call, damaged):
    code, out, _ = call("reconstruct", "--json", "user/alice*")
    found = json.loads(out)
    assert code == 0
    assert [finding["kind"] for finding in found["findings"]] == ["parts", "size"]
    assert (found["mailboxes"], found["messages"], found["counts"]) == (2, 1, {"mended": 2})
    assert json.loads(call("reconstruct", "--json")[1])["findings"] == []


def test_what_is_left_to_a_person_is_a_matter_of_the_exit_code(call, damaged):
    (damaged / "cur" / "link").symlink_to("/etc/passwd")
    code, out, _ = call("reconstruct", "user/alice")
    assert code == os.EX_DATAERR
    assert "a symbolic link is no message; not mended: look where it leads" in out


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (["user/nobody"], os.EX_NOUSER, "no mailbox user/nobody"),
        (["-r"], os.EX_USAGE, "-r and -u want to know of what"),
        (["-u"], os.EX_USAGE, "-r and -u want to know of what"),
        (["-p", "nowhere"], os.EX_DATAERR, "no partition 'nowhere'"),
        (["user/../x"], os.EX_DATAERR, "cannot be"),
        (["--only", "nothing"], os.EX_USAGE, "is not one of"),
    ],
)
def test_what_cannot_be_is_told(call, damaged, arguments, code, error):
    found, _, err = call("reconstruct", *arguments)
    assert found == code
    assert error in err


@pytest.mark.parametrize(
    ("options", "number"), [(["-m"], 1), (["-s"], 0), (["-m", "--only", "messages"], 2), (["-a", "-s"], 2), (["-l"], 0)]
)
def test_only_what_is_asked_for_is_looked_at(call, damaged, options, number):
    found = json.loads(call("reconstruct", "-n", "--json", *options)[1])
    assert len(found["findings"]) == number


def test_indexes_of_dovecot_go_when_that_is_asked_for_and_its_numbers_stay(call, damaged):
    for name in ("dovecot.index", "dovecot.index.log", "dovecot.index.cache", "dovecot-uidlist"):
        (damaged / name).write_bytes(b"3 V1 N1\n")
    call("reconstruct", "-x", "user/alice")
    assert {path.name for path in damaged.glob("dovecot[.-]*")} == {"dovecot-uidlist", "dovecot-acl"}


def test_many_findings_of_a_kind_are_summed_up(call, damaged):
    for number in range(30):
        (damaged / "cur" / f"17000000{number:02}.M2P2Q2.host,S=1:2,S").write_bytes(b"From: a@b\n\nx\n")
    code, out, _ = call("reconstruct", "-q")
    assert code == 0
    assert out.count("octets; renamed") == 20
    assert len(list((damaged / "cur").glob("*,S=13,W=16:2,S"))) == 31
