import json

import pytest

from sievemda.cli.main import run
from sievemda.config import Settings
from sievemda.store.denials import denials_of
from sievemda.store.mailstore import MailStore
from sievemda.store.names import MailboxName


@pytest.fixture
def sievemda(tmp_path, capsys):
    def command(*arguments):
        code = run(["--data", str(tmp_path), *arguments])
        return code, *capsys.readouterr()

    assert command("mailbox", "create", "user/alice")[0] == 0
    return command


@pytest.fixture
def denials(tmp_path):
    store = MailStore(Settings(data=tmp_path))
    return lambda user="alice": dict(denials_of(store.find(MailboxName(user))))


@pytest.mark.parametrize(
    ("options", "services"),
    [
        ([], {"lmtp", "sieve"}),
        (["--service", "lmtp"], {"lmtp"}),
        (["-s", "lmtp,SIEVE"], {"lmtp", "sieve"}),
        (["-s", "lmtp", "-s", "sieve"], {"lmtp", "sieve"}),
    ],
)
def test_a_user_is_shut_out_of_the_services_that_are_named(sievemda, denials, options, services):
    assert sievemda("account", "deny", "Alice", *options, "-m", "being moved")[0] == 0
    assert denials() == dict.fromkeys(services, "being moved")


def test_a_user_is_let_in_again_service_by_service(sievemda, denials):
    sievemda("account", "deny", "alice")
    assert sievemda("account", "allow", "alice", "-s", "lmtp")[0] == 0
    assert set(denials()) == {"sieve"}
    assert sievemda("account", "allow", "alice")[0] == 0
    assert denials() == {}


def test_who_is_not_shut_out_cannot_be_let_in(sievemda):
    assert sievemda("account", "allow", "alice")[0] == 67
    sievemda("account", "deny", "alice", "-s", "sieve")
    assert sievemda("account", "allow", "alice", "-s", "lmtp")[0] == 67


def test_those_who_are_shut_out_are_listed(sievemda):
    sievemda("mailbox", "create", "user/bob")
    sievemda("account", "deny", "bob", "-m", "has left")
    sievemda("account", "deny", "alice", "-s", "lmtp")
    assert sievemda("account", "denied")[1] == "alice lmtp Account disabled\nbob lmtp has left\nbob sieve has left\n"
    assert json.loads(sievemda("account", "denied", "--json")[1])["bob"] == {"lmtp": "has left", "sieve": "has left"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["deny", "nobody"], 67),
        (["allow", "nobody"], 67),
        (["deny", "../x"], 65),
        (["deny", "alice", "-s", "imap"], 65),
        (["deny", "alice", "-m", "a\nb"], 65),
        (["deny", "alice", "-m", "x" * 501], 65),
        (["deny"], 64),
    ],
)
def test_what_cannot_be_done_says_why(sievemda, denials, arguments, code):
    found, _, error = sievemda("account", *arguments)
    assert found == code
    assert error
    assert denials() == {}


def test_an_entry_goes_with_the_account(sievemda, denials):
    sievemda("account", "deny", "alice", "-s", "lmtp")
    assert sievemda("mailbox", "rename", "user/alice", "user/carol")[0] == 0
    assert set(denials("carol")) == {"lmtp"}


def test_no_annotation_shows_or_changes_an_entry(sievemda, denials):
    sievemda("account", "deny", "alice", "-s", "lmtp")
    assert "lmtp" not in sievemda("mailbox", "metadata", "user/alice")[1]
    sievemda("mailbox", "metadata", "user/alice", "/shared/comment", "x")
    assert set(denials()) == {"lmtp"}
