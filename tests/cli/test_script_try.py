import io
import json
import sys

import pytest

LISTS = 'require "fileinto"; if header :contains "Subject" "list" { fileinto "Lists"; }\n'


@pytest.fixture
def site(call, tmp_path, monkeypatch):
    """Alice with two messages and a folder; runs `script try alice ...`."""
    assert call("mailbox", "create", "user/alice")[0] == 0
    assert call("mailbox", "create", "user/alice/Lists")[0] == 0
    cur = tmp_path / "d/mail/user/alice/Maildir/cur"
    (cur / "1.host:2,").write_bytes(b"From: bob@example.net\nSubject: a list\n\nx\n")
    (cur / "2.host:2,").write_bytes(b"From: bob@example.net\nSubject: \x1b[31mother\n\nx\n")

    def tried(*arguments, stdin=b"", sets=()):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        return call(*sets, "script", "try", "alice", *arguments)

    return tried


@pytest.fixture
def put(call, tmp_path):
    def command(name, text):
        (tmp_path / "s.sieve").write_text(text)
        assert call("script", "put", "alice", name, str(tmp_path / "s.sieve"))[0] == 0

    return command


def test_differences_are_told_and_the_exit_code_is_that_of_diff(site, put):
    put("lists", LISTS)
    code, out, _ = site("lists")
    assert code == 1
    assert "a list [in INBOX]" in out
    assert "new     to Lists" in out
    assert "1 of 2 messages would be treated differently" in out
    assert "to Lists, not to INBOX" in out


def test_no_difference_is_success(site, put):
    put("same", "keep;")
    assert site("same")[:2] == (0, "0 of 2 messages would be treated differently\n")


def test_a_script_on_standard_input_or_in_a_file_is_tried(site, tmp_path):
    (tmp_path / "x.sieve").write_text(LISTS)
    for arguments in (["-"], ["--file", "-"], ["--file", str(tmp_path / "x.sieve")]):
        assert site(*arguments, stdin=LISTS.encode())[0] == 1


def test_to_have_no_script_can_be_tried(site, put, call):
    put("main", "discard;")
    call("script", "activate", "alice", "main")
    code, out, _ = site("--none")
    assert code == 1
    assert "to INBOX, not discarded" in out


def test_json_says_all(site, put):
    put("lists", LISTS)
    code, out, _ = site("lists", "--json", "--last", "1", "--all")
    told = json.loads(out)
    assert code == int(told["differ"])
    assert (told["looked_at"], told["active"], told["new"], told["complete"]) == (1, None, "lists", True)
    assert len(told["messages"]) == 1


SLOTS = ("--set", "sieve_active_slots=own=* webmail=managesieve")


def test_a_file_takes_the_place_of_what_is_in_its_slot(site, put, call):
    put("mine", "keep;")
    put("managesieve", LISTS.replace('"list"', '"other"'))
    for name in ("mine", "managesieve"):
        assert call(*SLOTS, "script", "activate", "alice", name)[0] == 0

    def tried(*arguments):
        code, out, _ = site("-", "--json", *arguments, stdin=LISTS.encode(), sets=SLOTS)
        assert code == 1
        found = json.loads(out)
        assert found["active_scripts"] == ["mine", "managesieve"]
        assert found["active"] == "mine"
        return found["new"], found["new_scripts"], found["differ"]

    assert tried() == ("", ["", "managesieve"], 1)
    assert tried("--as", "my other") == ("my other", ["my other", "managesieve"], 1)
    assert tried("--as", "managesieve") == ("managesieve", ["mine", "managesieve"], 2)


def test_nothing_of_a_message_moves_the_cursor(site):
    code, out, _ = site("-", stdin=b"discard;")
    assert code == 1
    assert "\x1b" not in out


def test_time_that_is_up_before_a_difference_is_found_is_no_success(site, put):
    put("lists", LISTS)
    code, out, _ = site("lists", "--seconds", "0.000000001")
    assert code == 75
    assert "time was up" in out


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "words"),
    [
        ((), b"", 64, "name one of"),
        (("a", "--none"), b"", 64, "name one of"),
        (("nothing",), b"", 67, "nothing"),
        (("-",), b"keep; foo;", 65, "not valid"),
        (("-", "--folder", "Nowhere"), b"keep;", 67, "Nowhere"),
        (("-", "--since", "yore"), b"keep;", 64, "--since"),
        (("-", "--last", "0"), b"keep;", 64, "--last"),
        (("nothing", "--as", "a"), b"", 64, "--as"),
        (("--none", "--as", "a"), b"", 64, "--as"),
        (("-", "--as", "a/b"), b"keep;", 65, "a script name cannot contain"),
    ],
)
def test_what_is_wrong_is_said(site, arguments, stdin, code, words):
    found, _, err = site(*arguments, stdin=stdin)
    assert found == code
    assert words in err


def test_an_unknown_user_is_not_found(call):
    assert call("script", "try", "nobody", "--none")[0] == 67


def test_only_messages_since_a_time(site):
    assert "0 of 0" in site("-", "--since", "2099-01-01", stdin=b"discard;")[1]
    assert "2 of 2" in site("-", "--since", "1d", stdin=b"discard;")[1]
