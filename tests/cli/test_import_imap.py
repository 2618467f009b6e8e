"""`sievemda import imap` at the command line."""

import io
import json
import sys

import pytest

from tests.upkeep.importing.imap_server import Box, ImapServer

MESSAGE = b"Subject: x\r\n\r\nx\r\n"


@pytest.fixture
def password(tmp_path):
    file = tmp_path / "password"
    file.write_text("secret\n")
    return str(file)


@pytest.fixture
def server():
    with ImapServer({"INBOX": Box([(1, "", MESSAGE)]), "Lists": Box([(1, "", MESSAGE)])}) as server:
        yield server


def test_an_account_comes_to_the_user_of_that_name(call, server, password):
    assert call("import", "imap", f"imap://alice@127.0.0.1:{server.port}", "--password-file", password) == (
        0,
        (
            "INBOX -> user/alice: 1 came, 0 there already\n"
            "Lists -> user/alice/Lists: 1 came, 0 there already\n"
            "alice: 2 messages came\n"
        ),
        "",
    )


def test_the_kind_need_not_be_said(call, server, password):
    address = f"imap://alice@127.0.0.1:{server.port}/Lists"
    code, out, _ = call("import", address, "user/bob/Mine", "--password-file", password)
    assert (code, out.splitlines()[0]) == (0, "Lists -> user/bob/Mine: 1 came, 0 there already")


def test_a_report_in_json(call, server, password):
    code, out, _ = call(
        "import", "imap", f"imap://alice@127.0.0.1:{server.port}", "--password-file", password, "--json"
    )
    said = json.loads(out)
    assert code == 0
    assert said["made"] == ["user/alice", "user/alice/Lists"]
    assert said["accounts"][0]["folders"][0] == {
        "folder": "INBOX",
        "mailbox": "user/alice",
        "messages": 1,
        "added": 1,
        "there": 0,
        "failed": 0,
        "marked": 0,
        "removed": 0,
        "lost": {},
    }


def test_many_accounts_and_one_password_of_an_administrator(call, server, tmp_path, password):
    file = tmp_path / "accounts.csv"
    file.write_text("user,mailbox\nalice,\nbob,user/robert\n")
    options = ["--accounts", str(file), "--admin-user", "cyrus", "--password-file", password]
    code, out, _ = call("import", "imap", f"imap://127.0.0.1:{server.port}", *options)
    assert code == 0
    assert "bob: 2 messages came" in out
    assert call("mailbox", "list")[1].split() == ["user/alice", "user/alice/Lists", "user/robert", "user/robert/Lists"]


def test_one_account_that_fails_does_not_stop_the_others(call, server, tmp_path):
    file = tmp_path / "accounts.csv"
    file.write_text("user,password\nno:body/..,x\nalice,y\n")
    code, out, err = call("import", "imap", f"imap://127.0.0.1:{server.port}", "--accounts", str(file))
    assert (code, "alice: 2 messages came" in out) == (65, True)
    assert err.count("\n") == 1


def test_the_password_may_come_by_the_environment_or_standard_input(call, server, monkeypatch):
    address = f"imap://alice@127.0.0.1:{server.port}"
    monkeypatch.setenv("SIEVEMDA_IMPORT_PASSWORD", "one")
    assert call("import", "imap", address)[0] == 0
    monkeypatch.delenv("SIEVEMDA_IMPORT_PASSWORD")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"two\n")))
    assert call("import", "imap", address)[0] == 0
    assert server.logins == [b"AGFsaWNlAG9uZQ==\r\n", b"AGFsaWNlAHR3bw==\r\n"]


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["imap", "http://x"], "is no address"),
        (["imap", "imap://alice:secret@x"], "no password in an address"),
        (["imap", "imap://x"], "say whose account"),
        (["imap", "imap://a@x:99999"], "is no port"),
        (["imap", "imaps://a@x", "--no-tls"], "either TLS"),
        (["imap", "imap://a@x/F", "--folders", "G"], "either a folder"),
        (["imap", "imap://a@x", "--accounts", "f"], "either --accounts"),
        (["imap", "imap://a@x", "--since", "yesterday"], "is no day"),
        (["imap", "imap://a@x", "--map", "x"], "is not OLD=NEW"),
    ],
)
def test_misuse_is_told(call, arguments, what):
    code, _, err = call("import", *arguments)
    assert code == 64
    assert what in err


def test_an_account_does_not_become_a_shared_folder_by_a_slip(call, server, password):
    code, _, err = call("import", "imap", f"imap://alice@127.0.0.1:{server.port}", "bob", "--password-file", password)
    assert (code, "user/NAME" in err) == (67, True)
    assert call("mailbox", "list")[1] == ""


def test_a_server_that_is_not_there(call, password):
    code, _, err = call("import", "imap", "imap://alice@127.0.0.1:1", "--password-file", password)
    assert (code, err) == (69, "sievemda: alice: 127.0.0.1:1: Connection refused\n")


def test_certificates_that_cannot_be_read(call, tmp_path):
    missing = str(tmp_path / "missing")
    assert call("import", "imap", "imaps://a@x", "--ca-file", missing)[0] == 65
