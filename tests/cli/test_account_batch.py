import base64
import json
import os

import pytest

from sievemda.auth.passwords import credentials_for
from sievemda.auth.users import Users
from sievemda.cli.main import run
from sievemda.config import Settings
from sievemda.state.credentials import Credentials
from sievemda.store import accounts
from sievemda.store.mailstore import MailStore


@pytest.fixture
def sievemda(tmp_path, capsys, monkeypatch):
    """Runs a command on an embedded site: (exit code, standard output, standard error)."""

    def call(*arguments, stdin=b"", sets=()):
        (tmp_path / "stdin").write_bytes(stdin)
        options = [word for setting in sets for word in ("--set", setting)]
        with (tmp_path / "stdin").open() as file:
            monkeypatch.setattr("sys.stdin", file)
            code = run(["--data", str(tmp_path / "d"), *options, *arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return call


@pytest.fixture
def batch(sievemda, tmp_path):
    """Makes accounts from the text of a CSV file: (exit code, outcome, standard error)."""

    def call(text, *options, sets=()):
        file = tmp_path / "users.csv"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        code, out, err = sievemda("account", "create", "--csv", str(file), "--json", *options, sets=sets)
        return code, json.loads(out) if out else None, err

    return call


@pytest.fixture
def users(tmp_path):
    settings = Settings(data=tmp_path / "d")
    return Users(Credentials(settings.accounts_path), settings.site)


def mailboxes(sievemda):
    return sievemda("mailbox", "list")[1].splitlines()


def left_over(tmp_path):
    return list((tmp_path / "d/mail/user").glob(".*")) if (tmp_path / "d/mail/user").is_dir() else []


# -- a whole account ---------------------------------------------------------------------------------------------------


def test_a_line_makes_a_whole_account(batch, sievemda, users, tmp_path):
    (tmp_path / "s.sieve").write_text("keep;")
    code, outcome, err = batch(
        "user,password,folders,quota,acl,script\n"
        "alice,secret,Sent \\Sent|Junk \\junk|Lists|Lists/Work,1G,Junk anyone p|INBOX bob lrs,s.sieve\n"
    )
    assert (code, outcome, err) == (0, {"made": 1, "updated": 0, "skipped": 0, "failed": []}, "")
    assert mailboxes(sievemda) == [
        "user/alice",
        "user/alice/Junk",
        "user/alice/Lists",
        "user/alice/Lists/Work",
        "user/alice/Sent",
    ]
    assert sievemda("acl", "list", "user/alice/Junk")[1].splitlines()[1] == "anyone p"
    assert sievemda("acl", "list", "user/alice")[1].splitlines()[1] == "bob lrs"
    info = json.loads(sievemda("account", "info", "alice", "--json")[1])
    assert info["quota"] == {"STORAGE": "0/1048576"}
    assert info["active_script"] == "s"
    assert set(info["subscriptions"]) == set(mailboxes(sievemda))
    assert sievemda("mailbox", "list", "--special-use", "--json")[1].count("special_use") == 2
    assert users.check_password("alice", "secret") == "alice"
    assert left_over(tmp_path) == []
    assert sievemda("mailbox", "list", "--orphans")[1] == ""


def test_options_hold_where_a_line_says_nothing(batch, sievemda):
    text = "user,quota\nalice,\nbob,5\n"
    assert batch(text, "--quota", "STORAGE 1M MESSAGE 7", "--folders", "Sent|Junk", "--acl", "Junk anyone p")[0] == 0
    assert mailboxes(sievemda)[:3] == ["user/alice", "user/alice/Junk", "user/alice/Sent"]
    assert json.loads(sievemda("account", "info", "alice", "--json")[1])["quota"] == {
        "STORAGE": "0/1024", "MESSAGE": "0/7"
    }  # fmt: skip
    assert json.loads(sievemda("account", "info", "bob", "--json")[1])["quota"] == {"STORAGE": "0/5"}


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfuser;folders\r\nalice;Entw\xc3\xbcrfe\r\n",
        "user\tfolders\r\nalice\tEntwürfe\r\n".encode("utf-16"),
        'USER , Folders\n"alice","Entwürfe"\n'.encode(),
        "\n\nuser,folders\n\nalice,Entwürfe\n,\n".encode(),
        "folders,user\nEntwürfe,alice,\n".encode(),
    ],
)
def test_files_of_spreadsheets_are_read(batch, sievemda, text):
    assert batch(text)[0] == 0
    assert mailboxes(sievemda) == ["user/alice", "user/alice/Entwürfe"]


def test_standard_input_is_a_file_too(sievemda):
    assert sievemda("account", "create", "--csv", "-", stdin=b"user\nalice\n")[0] == 0
    assert mailboxes(sievemda) == ["user/alice"]


def test_the_home_has_the_modes_of_all_homes(batch, tmp_path):
    batch("user\nalice\n")
    assert (tmp_path / "d/mail/user/alice").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("hashed", ["yes", "no"])
def test_homes_lie_where_single_ones_would(batch, sievemda, hashed):
    sets = (f"hashimapspool={hashed}", "virtdomains=on")
    batch("user\nzoe@example.org\n", sets=sets)
    sievemda("mailbox", "create", "user/zed@example.org", sets=sets)
    zoe, zed = (sievemda("mailbox", "path", f"user/{name}@example.org", sets=sets)[1] for name in ("zoe", "zed"))
    assert zoe.replace("zoe", "zed") == zed


def test_a_home_that_is_there_keeps_what_is_in_it(batch, sievemda, tmp_path):
    home = tmp_path / "homes/alice"
    home.mkdir(parents=True)
    (home / "notes").write_text("mine")
    sets = (f"mail_home={tmp_path}/homes/{{user}}",)
    assert batch("user,folders\nalice,Sent\n", sets=sets)[0] == 0
    assert (home / "notes").read_text() == "mine"
    assert (home / "Maildir/.Sent/cur").is_dir()
    assert sorted(path.name for path in home.parent.iterdir()) == ["alice"]


def test_a_partition_is_chosen_by_the_line(batch, sievemda, tmp_path):
    sets = (f"partition-default={tmp_path}/d/mail", f"partition-two={tmp_path}/two", "defaultpartition=default")
    assert batch("user,partition\nalice,two\nbob,\ncarol,nope\n", sets=sets)[1]["made"] == 2
    assert (tmp_path / "two/user/alice/Maildir/cur").is_dir()
    assert (tmp_path / "d/mail/user/bob/Maildir/cur").is_dir()


def test_a_delivery_finds_the_account(batch, tmp_path):
    batch("user,quota\nalice,10\n")
    store = MailStore(Settings(data=tmp_path / "d"))
    inbox = store.find(store.namespace.parse_admin("user/alice"))
    root = inbox.quota_root()
    assert root.would_accept()
    with root.recording(100):
        (inbox.path / "new/1.x,S=100").write_bytes(b"x" * 100)
    assert inbox.quota_root().usage().storage == 100


# -- mistakes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("head", "line", "said"),
    [
        ("user", "a/b", "a/b"),
        ("user", "..", ".."),
        ("user", "anyone", "anyone"),
        ("user", '"a\nb"', "not a user name"),
        ("user", "a\x00b", ""),
        ("user", "x" * 300, "user"),
        ("user,folders", "alice,../../etc", ".."),
        ("user,folders", "alice,a//b", "empty"),
        ("user,folders", "alice,Sent|a;b", "not allowed"),
        ("user,folders", "alice,Sent \\Nonsense", "special use"),
        ("user,folders", "alice,INBOX", "INBOX"),
        ("user,folders", "alice,\\Sent", ""),
        ("user,quota", "alice,many", "many"),
        ("user,quota", "alice,99999999999999999999G", ""),
        ("user,quota", "alice,STORAGE", ""),
        ("user,quota", "alice,NONSENSE 5", "NONSENSE"),
        ("user,acl", "alice,INBOX bob", "FOLDER IDENTIFIER RIGHTS"),
        ("user,acl", "alice,INBOX bob z", "z"),
        ("user,acl", "alice,INBOX a*b lrs", "a*b"),
        ("user,acl", "alice,Nix bob lrs", "Nix"),
        ("user,acl", "alice,INBOX group:no-such-group lrs", "no-such-group"),
        ("user,partition", "alice,nope", "nope"),
        ("user,script", "alice,missing.sieve", "missing.sieve"),
        ("user,script", "alice,broken.sieve", "broken.sieve"),
        ("user,password", "alice,{SSHA}xxx", "known"),
        ("user,password", "alice,{ARGON2ID}xxx", "argon2id"),
        ("user,password", "alice," + "x" * 2000, "password"),
        ("user,password", 'alice,"{SCRAM-SHA-256}4096,c2FsdA==,AAAA,AAAA"', "octets"),
        ("user,password", 'alice,"{SCRAM-SHA-256}1,c2FsdA==,AAAA,AAAA"', "4096"),
        ("user,folders", "alice,Sent,surplus", "fields"),
        ("user,folders", 'alice,"a"b', "not CSV"),
        ("user,folders", 'alice,"Sent', "not CSV"),
        ("user", '"alice', "not CSV"),
        ("user,folders", ",Sent", "no user"),
    ],
)
def test_a_mistake_costs_its_own_line_and_no_other(batch, sievemda, tmp_path, users, head, line, said):
    (tmp_path / "broken.sieve").write_text("keep")
    code, outcome, err = batch(f"{head}\n{line}\nbob\n")
    assert code == 65
    assert outcome["made"] == 1
    assert len(outcome["failed"]) == 1
    assert outcome["failed"][0]["line"] == 2
    assert err.startswith(f"sievemda: {tmp_path}/users.csv:2: ")
    assert err.count("\n") == 1
    assert said in err
    assert mailboxes(sievemda) == ["user/bob"]
    assert users.kept("alice") == {}
    assert left_over(tmp_path) == []


@pytest.mark.parametrize(
    "text", ["", "\n", "name,quota\nalice,1\n", "user,colour\nalice,red\n", "user,user\na,b\n", b"user\n\xff\xfe\n"]
)
def test_a_file_without_a_header_line_is_refused_as_a_whole(batch, sievemda, text):
    code, outcome, err = batch(text)
    assert (code, outcome, err.count("\n")) == (65, None, 1)
    assert mailboxes(sievemda) == []


def test_a_user_who_stands_twice_is_a_mistake(batch):
    code, outcome, err = batch("user\nalice\nbob\nAlice\n")
    assert (code, outcome["made"]) == (65, 2)
    assert ":4: user alice stands in line 2 already" in err


def test_a_line_without_end_ends_the_list(batch, tmp_path):
    code, _, told = batch("user\nbob\n" + "x" * (1 << 20) + "\nalice\n")
    assert (code, told.splitlines()[-1]) == (65, f"sievemda: {tmp_path}/users.csv:3: the line is too long")


def test_lines_are_counted_also_behind_fields_of_several(batch):
    assert batch('user,folders\nalice,"Sent\n|Junk"\na/b,\n')[1]["failed"][0]["line"] == 4


def test_what_fails_half_way_leaves_nothing(batch, sievemda, users, tmp_path, monkeypatch):
    def fails(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(accounts.rootlist, "set_limits", fails)
    code, outcome, _ = batch("user,folders,quota,password\nalice,Sent,5,secret\n")
    assert (code, outcome["made"]) == (74, 0)
    assert mailboxes(sievemda) == []
    assert left_over(tmp_path) == []
    assert users.kept("alice") == {}


def test_an_account_that_crashed_half_way_is_made_anew(batch, sievemda, tmp_path):
    half = tmp_path / "d/mail/user/.account.1.M1P1Q1.host/mail/user/alice/Maildir/cur"
    half.mkdir(parents=True)
    assert mailboxes(sievemda) == []
    assert batch("user,folders\nalice,Sent\n")[1]["made"] == 1
    assert mailboxes(sievemda) == ["user/alice", "user/alice/Sent"]


def test_something_else_in_the_place_of_the_home_is_not_touched(batch, tmp_path):
    place = tmp_path / "d/mail/user"
    place.mkdir(parents=True)
    (place / "alice").symlink_to("/nonexistent")
    code, outcome, _ = batch("user\nalice\n")
    assert (code, outcome["made"]) != (0, 1)
    assert (place / "alice").is_symlink()
    assert left_over(tmp_path) == []


# -- again -----------------------------------------------------------------------------------------------------------


def test_the_same_list_again_changes_nothing(batch, sievemda):
    batch("user,folders\nalice,Sent\n")
    sievemda("mailbox", "delete", "user/alice/Sent", "--yes")
    assert batch("user,folders\nalice,Sent\nbob,\n")[1] == {"made": 1, "updated": 0, "skipped": 1, "failed": []}
    assert mailboxes(sievemda) == ["user/alice", "user/bob"]


def test_an_update_gives_what_is_lacking(batch, sievemda, users):
    batch("user,folders\nalice,Sent\n")
    text = "user,folders,quota,acl,password\nalice,Sent \\Sent|Junk,9,Junk anyone p,new\n"
    assert batch(text, "--update")[1] == {"made": 0, "updated": 1, "skipped": 0, "failed": []}
    assert mailboxes(sievemda) == ["user/alice", "user/alice/Junk", "user/alice/Sent"]
    assert "\\Sent" in sievemda("mailbox", "list", "--special-use")[1]
    assert "anyone p" in sievemda("acl", "list", "user/alice/Junk")[1]
    assert users.check_password("alice", "new") == "alice"


def test_a_dry_run_finds_the_mistakes_and_makes_nothing(batch, sievemda, users):
    code, outcome, _ = batch("user,password\nalice,secret\na/b,\n", "--dry-run")
    assert (code, outcome["made"], len(outcome["failed"])) == (65, 1, 1)
    assert mailboxes(sievemda) == []
    assert users.kept("alice") == {}


# -- passwords -------------------------------------------------------------------------------------------------------


def test_hashed_passwords_are_kept_as_they_are(batch, users):
    kept = credentials_for("secret")
    iterations, salt, stored, server = kept["SCRAM-SHA-256"].split(":")
    text = f'user,password\nalice,"{{ARGON2ID}}{kept["argon2id"]} {{SCRAM-SHA-256}}{iterations},{salt},{stored},{server}"\n'
    assert batch(text)[0] == 0
    assert users.check_password("alice", "secret") == "alice"
    assert users.kept("alice") == {key: value for key, value in kept.items() if key != "SCRAM-SHA-1"}


def test_verifiers_of_postgresql_are_understood(batch, users):
    keys = [base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2)]
    assert batch(f"user,password\nalice,{{SCRAM-SHA-256}}SCRAM-SHA-256$4096:c2FsdA==${keys[0]}:{keys[1]}\n")[0] == 0
    assert users.verifier("alice", "SCRAM-SHA-256").iterations == 4096


@pytest.mark.parametrize("text", ["{PLAIN}{secret}", "{plain}{secret}", "{CLEARTEXT}{secret}"])
def test_a_plain_password_can_say_that_it_is_one(batch, users, text):
    batch(f"user,password\nalice,{text}\n")
    assert users.check_password("alice", "{secret}") == "alice"


# -- one by one ------------------------------------------------------------------------------------------------------


def test_accounts_can_be_named(sievemda, users):
    assert sievemda("account", "create", "alice", "--folders", "Sent", "--password-stdin", stdin=b"pw\n") == (0, "", "")
    assert users.check_password("alice", "pw") == "alice"
    assert mailboxes(sievemda) == ["user/alice", "user/alice/Sent"]
    code, _, err = sievemda("account", "create", "alice")
    assert (code, err.count("\n")) == (73, 1)
    assert sievemda("account", "create", "bob", "carol", "alice")[0] == 0
    assert "user/carol" in mailboxes(sievemda)


@pytest.mark.parametrize("arguments", [(), ("a", "--csv", "x"), ("a", "b", "--password-stdin")])
def test_what_is_unclear_is_a_usage_error(sievemda, arguments):
    assert sievemda("account", "create", *arguments)[0] == 64


def test_users_are_listed_sorted(sievemda, tmp_path):
    sievemda("account", "create", "bob", "alice")
    sievemda("account", "passwd", "bob", stdin=b"x\n")
    assert sievemda("account", "list") == (0, "alice\nbob\n", "")
    assert sievemda("account", "list", "b*")[1] == "bob\n"
    assert sievemda("account", "list", "--without-password")[1] == "alice\n"
    assert sievemda("account", "list", "--inactive", "1")[1] == ""
    rows = json.loads(sievemda("account", "list", "--json")[1])
    assert [row["mailboxes"] for row in rows] == [1, 1]
    assert rows[0]["password_changed"] is None
    assert rows[1]["password_changed"]
    assert sievemda("account", "list", "--long")[1].count("\n") == 3


def test_who_has_not_been_active_for_long_is_found(sievemda, tmp_path):
    sievemda("account", "create", "alice", "bob")
    for part in ("cur", "new"):
        os.utime(tmp_path / "d/mail/user/bob/Maildir" / part, (1, 1))
    assert sievemda("account", "list", "--inactive", "30")[1] == "bob\n"


def test_info_of_nobody(sievemda):
    assert sievemda("account", "info", "nobody")[0] == 67
    assert sievemda("account", "create", "alice")[0] == 0
    assert "userid: alice\n" in sievemda("account", "info", "alice")[1]


@pytest.mark.parametrize(
    "command", [("account", "rename", "alice", "bob"), ("mailbox", "rename", "user/alice", "user/bob")]
)
def test_a_user_is_renamed_with_his_password(sievemda, users, command):
    sievemda("account", "create", "alice", "--folders", "Sent", "--password-stdin", stdin=b"pw\n")
    assert sievemda(*command) == (0, "", "")
    assert mailboxes(sievemda) == ["user/bob", "user/bob/Sent"]
    assert users.check_password("bob", "pw") == "bob"
    assert users.check_password("alice", "pw") is None
    assert sievemda(*command)[0] == 67


def test_a_user_can_be_deleted_with_his_mail(sievemda, users):
    sievemda("account", "create", "alice", "--password-stdin", stdin=b"pw\n")
    assert sievemda("account", "delete", "alice", "--mail")[0] == 64
    assert sievemda("account", "delete", "alice", "--mail", "--yes") == (0, "", "")
    assert mailboxes(sievemda) == []
    assert users.kept("alice") == {}
    assert sievemda("mailbox", "list", "--deleted")[1] == "user/alice\n"
    assert sievemda("account", "delete", "alice", "--mail", "--yes")[0] == 67
