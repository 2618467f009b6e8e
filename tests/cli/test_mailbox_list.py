import json
import os

import pytest

from sievemda.cli.main import run


@pytest.fixture
def sievemda(tmp_path, capsys, monkeypatch):
    """Runs a command on an embedded site with two users and a board: (exit code, standard output, standard error)."""

    def call(*arguments, stdin=b"", sets=()):
        (tmp_path / "stdin").write_bytes(stdin)
        options = [word for setting in sets for word in ("--set", setting)]
        with (tmp_path / "stdin").open() as file:
            monkeypatch.setattr("sys.stdin", file)
            code = run(["--data", str(tmp_path / "d"), *options, *arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    for name in ("user/alice", "user/alice/Lists", "user/alice/Lists/deep", "user/bob", "user/alice-b", "board"):
        assert call("mailbox", "create", name) == (0, "", "")
    return call


@pytest.fixture
def maildir(tmp_path):
    """The directory of a folder of alice."""
    root = tmp_path / "d/mail/user/alice/Maildir"
    return lambda folder="": root / f".{folder}" if folder else root


def names(out):
    return out.splitlines()


ALL = ["board", "user/alice", "user/alice-b", "user/alice/Lists", "user/alice/Lists/deep", "user/bob"]


# -- which ones ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ((), ALL),
        (("user/bob", "board"), ["board", "user/bob"]),
        (("user/alice*", "user/alice/*"), ALL[1:5]),
        (("--regex", "^user/[^/]*$"), ["user/alice", "user/alice-b", "user/bob"]),
        (("user/alice/*", "--regex", "deep$"), ["user/alice/Lists/deep"]),
        (("user/nobody",), []),
        (("user/%",), ["user/alice", "user/alice-b", "user/bob"]),
        (("--partition", "default", "board"), ["board"]),
    ],
)
def test_what_is_listed_is_what_was_named_once_and_sorted(sievemda, arguments, found):
    code, out, err = sievemda("mailbox", "list", *arguments)
    assert (code, names(out), err) == (0, found, "")


def test_names_may_come_from_a_file(sievemda, tmp_path):
    file = tmp_path / "names"
    file.write_bytes(b"\xef\xbb\xbf# a comment\r\nuser/bob\r\n\r\n  board  \nuser/bob\n")
    assert sievemda("mailbox", "list", "--from-file", str(file)) == (0, "board\nuser/bob\n", "")


def test_names_may_come_from_standard_input(sievemda):
    assert sievemda("mailbox", "list", "--from-file", "-", stdin=b"user/bob\n")[1] == "user/bob\n"


def test_a_name_in_a_file_that_there_is_not_is_told_with_its_line(sievemda, tmp_path):
    (tmp_path / "names").write_text("user/nobody\nuser//x\nboard\n")
    code, out, err = sievemda("mailbox", "list", "--from-file", str(tmp_path / "names"))
    assert (code, out) == (67, "board\n")
    assert f"{tmp_path}/names:1: no mailbox user/nobody" in err
    assert f"{tmp_path}/names:2: " in err


def test_wildcards_in_a_file_are_letters(sievemda):
    code, out, _ = sievemda("mailbox", "list", "--from-file", "-", stdin=b"user/alice/*\n")
    assert (code, out) == (67, "")


@pytest.mark.parametrize("arguments", [("--regex", "a("), ("--regex", "(?P<x"), ("--partition", "nope")])
def test_a_bad_expression_pattern_or_partition_is_one_line(sievemda, arguments):
    code, out, err = sievemda("mailbox", "list", *arguments)
    assert (code, out, err.count("\n")) == (65, "", 1)


@pytest.mark.parametrize("content", [b"\xff\n", b"x" * 5000, b"\0" * 5000])
def test_a_file_that_has_no_names_in_it_is_bad_data(sievemda, content):
    assert sievemda("mailbox", "list", "--from-file", "-", stdin=content)[0] == 65


def test_a_missing_file_is_an_error_of_input(sievemda):
    assert sievemda("mailbox", "list", "--from-file", "/nonexistent/names")[0] == 74


# -- what of them ----------------------------------------------------------------------------------------------------


def put(folder, part, name, when=0):
    path = folder / part / name
    path.write_bytes(b"x" * 10)
    os.utime(path, (when, when))


def test_sizes_are_counted_without_opening_messages(sievemda, maildir):
    put(maildir("Lists"), "new", "1790000000.M1P1.h,S=100")
    put(maildir("Lists"), "cur", "1790000001.M1P1.h,S=200,W=210:2,")
    put(maildir("Lists"), "cur", "1790000002.M1P1.h,S=300:2,FS")
    put(maildir("Lists"), "cur", "without-size:2,S")
    found = json.loads(sievemda("mailbox", "list", "user/alice/Lists", "--sizes", "--json")[1])
    assert found == [
        {"name": "user/alice/Lists", "partition": "default", "special_use": "",
         "octets": 610, "messages": 4, "new": 1, "unseen": 2}
    ]  # fmt: skip
    text = sievemda("mailbox", "list", "user/alice/Lists", "--sizes")[1].splitlines()
    assert text[0].split() == ["octets", "messages", "new", "unseen", "name"]
    assert text[1].split() == ["610", "4", "1", "2", "user/alice/Lists"]


def test_the_largest_comes_first_when_sorted_by_size(sievemda, maildir):
    put(maildir("Lists"), "new", "1.x,S=100")
    put(maildir(), "new", "1.x,S=200")
    found = names(sievemda("mailbox", "list", "user/alice*", "--sort", "octets", "--sizes")[1])[1:]
    assert [line.split()[-1] for line in found][:2] == ["user/alice", "user/alice/Lists"]


@pytest.mark.parametrize("sort", ["octets", "messages", "unseen"])
def test_sorting_needs_no_column(sievemda, maildir, sort):
    put(maildir("Lists"), "new", "1.x,S=100")
    assert names(sievemda("mailbox", "list", "user/*", "--sort", sort)[1])[0] == "user/alice/Lists"


def test_what_was_used_longest_ago_comes_first(sievemda, maildir):
    for part in ("cur", "new"):
        os.utime(maildir("Lists") / part, (1000, 1000))
    assert names(sievemda("mailbox", "list", "--sort", "used")[1])[0] == "user/alice/Lists"


def test_only_those_with_a_special_use(sievemda):
    sievemda("mailbox", "create", "user/bob/Junk", "--special-use", "Junk")
    assert sievemda("mailbox", "list", "--special-use")[1].splitlines()[1].split() == ["\\Junk", "user/bob/Junk"]
    assert [row["name"] for row in json.loads(sievemda("mailbox", "list", "--special-use", "--json")[1])] == [
        "user/bob/Junk"
    ]


def test_a_long_list_says_who_and_where(sievemda):
    row = json.loads(sievemda("mailbox", "list", "user/bob", "--long", "--json")[1])[0]
    assert {"octets", "messages", "new", "unseen", "partition", "owner", "special_use", "used", "evidence"} < set(row)
    assert row["owner"] == "bob"


DOTS = ("unixhierarchysep=no", "virtdomains=on", "defaultdomain=example.org")


@pytest.mark.parametrize("name", ["user.b^c", "user.b^c.x^y", "user.dora@x.net", "user.dora.Work@x.net"])
def test_a_subscription_keeps_the_dots_of_a_user_where_they_also_separate(sievemda, name):
    for new in ("user.b^c", "user.b^c.x^y", "user.dora@x.net", "user.dora.Work@x.net"):
        sievemda("mailbox", "create", new, sets=DOTS)
    assert sievemda("mailbox", "subscribe", "bob", name, sets=DOTS) == (0, "", "")
    assert sievemda("mailbox", "subscriptions", "bob", sets=DOTS)[1].splitlines()[-1] == name
    assert sievemda("mailbox", "unsubscribe", "bob", name, sets=DOTS) == (0, "", "")
    assert sievemda("mailbox", "subscriptions", "bob", sets=DOTS)[1] == "user.bob\n"


def test_a_shared_folder_of_another_domain_cannot_be_subscribed_to_and_others_can(sievemda):
    sievemda("mailbox", "create", "news@x.net", sets=DOTS)
    code, _, told = sievemda("mailbox", "subscribe", "bob", "news@x.net", "board", sets=DOTS)
    assert (code, told) == (65, "sievemda: bob cannot name news@x.net, which is of another domain\n")
    assert sievemda("mailbox", "subscriptions", "bob", sets=DOTS)[1] == "user.bob\nboard\n"


def test_only_what_a_user_is_subscribed_to(sievemda):
    sievemda("mailbox", "subscribe", "bob", "board")
    assert sievemda("mailbox", "list", "--subscribed", "bob")[1] == "board\nuser/bob\n"
    assert sievemda("mailbox", "list", "--subscribed", "nobody")[0] == 67


def test_what_nobody_has_used_is_listed_with_what_says_so(sievemda, maildir):
    assert sievemda("mailbox", "list", "--inactive", "1")[1].splitlines()[1:] == []
    for part, when in (("cur", 1_000_000_000), ("new", 1_000_086_400)):
        os.utime(maildir("Lists") / part, (when, when))
    lines = sievemda("mailbox", "list", "--inactive", "30")[1].splitlines()
    assert lines[1].split() == ["2001-09-10T01:46:40Z", "new", "user/alice/Lists"]


def test_a_reader_keeps_a_mailbox_active(sievemda, maildir):
    for part in ("cur", "new"):
        os.utime(maildir("Lists") / part, (1, 1))
    (maildir("Lists") / "dovecot.index.log").touch()
    assert "user/alice/Lists\n" not in sievemda("mailbox", "list", "--inactive", "1")[1]


def test_an_empty_list_is_an_empty_array(sievemda):
    assert json.loads(sievemda("mailbox", "list", "user/nobody", "--json")[1]) == []


def test_deleted_and_orphans_are_two_lists(sievemda):
    assert sievemda("mailbox", "list", "--deleted", "--orphans")[0] == 64


def test_deleted_ones_can_be_chosen_by_pattern_and_expression(sievemda):
    for name in ("user/bob", "user/alice-b"):
        sievemda("mailbox", "delete", name, "--yes")
    assert sievemda("mailbox", "list", "--deleted")[1] == "user/bob\nuser/alice-b\n"
    assert sievemda("mailbox", "list", "--deleted", "user/a*")[1] == "user/alice-b\n"
    assert sievemda("mailbox", "list", "--deleted", "--regex", "bob")[1] == "user/bob\n"


def test_orphans_are_listed_with_their_reason(sievemda, tmp_path):
    (tmp_path / "d/mail/user/carol/Maildir").mkdir(parents=True)
    code, out, _ = sievemda("mailbox", "list", "--orphans")
    assert (code, out.count("\n")) == (0, 1)
    assert out.startswith(f"{tmp_path}/d/mail/user/carol: it has no INBOX")
    assert json.loads(sievemda("mailbox", "list", "--orphans", "--json")[1])[0]["kind"] == "home"


# -- deleting --------------------------------------------------------------------------------------------------------


def test_a_pattern_deletes_what_matches_and_says_what(sievemda):
    code, out, err = sievemda("mailbox", "delete", "user/alice/*", "--yes")
    assert (code, names(out), err) == (0, ["user/alice/Lists/deep deleted", "user/alice/Lists deleted"], "")
    assert "user/alice" in names(sievemda("mailbox", "list")[1])


@pytest.mark.parametrize("target", [("user/alice/*",), ("--regex", "Lists"), ("board", "user/bob")])
def test_several_are_not_deleted_without_a_yes(sievemda, target):
    code, _, err = sievemda("mailbox", "delete", *target)
    assert code == 64
    assert "2 mailboxes" in err
    assert names(sievemda("mailbox", "list")[1]) == ALL


def test_a_dry_run_deletes_nothing(sievemda):
    assert names(sievemda("mailbox", "delete", "user/alice/*", "--dry-run")[1]) == ALL[3:5][::-1]
    assert names(sievemda("mailbox", "list")[1]) == ALL


def test_a_folder_goes_with_those_below_it_when_asked_to(sievemda):
    assert sievemda("mailbox", "delete", "user/alice/Lists", "--yes")[0] == 77
    assert sievemda("mailbox", "delete", "-r", "user/alice/Lists", "--yes")[0] == 0
    assert "user/alice/Lists" not in sievemda("mailbox", "list")[1]


def test_a_user_is_deleted_as_a_whole_and_comes_back_as_a_whole(sievemda):
    assert names(sievemda("mailbox", "delete", "user/alice*", "--yes")[1]) == [
        "user/alice deleted",
        "user/alice-b deleted",
    ]
    sievemda("mailbox", "undelete", "user/alice")
    assert "user/alice/Lists/deep" in names(sievemda("mailbox", "list")[1])


def test_one_that_fails_does_not_keep_the_others(sievemda):
    code, out, err = sievemda("mailbox", "delete", "user/alice/Lists", "user/nobody", "board", "--yes")
    assert code == 67
    assert names(out) == ["board deleted"]
    assert "user/nobody" in err
    assert "user/alice/Lists: " in err


def test_nothing_named_is_a_usage_error(sievemda):
    assert sievemda("mailbox", "delete", "--yes")[0] == 64


# -- paths -----------------------------------------------------------------------------------------------------------


def test_the_path_is_the_directory_of_the_messages(sievemda, maildir):
    assert sievemda("mailbox", "path", "user/alice/Lists") == (0, f"{maildir('Lists')}\n", "")
    assert sievemda("mailbox", "path", "-u", "alice")[1] == f"{maildir()}\n"


def test_an_unknown_mailbox_is_bad_data_and_the_others_are_shown(sievemda, maildir):
    code, out, err = sievemda("mailbox", "path", "user/nobody", "user/alice")
    assert (code, out, err) == (65, f"{maildir()}\n", "sievemda: no mailbox user/nobody\n")
    assert sievemda("mailbox", "path", "-q", "user/nobody", "user/alice") == (65, f"{maildir()}\n", "")
    assert sievemda("mailbox", "path", "-s", "user/nobody", "user/alice")[:2] == (65, "")


def test_everything_that_belongs_to_a_mailbox(sievemda, tmp_path, capsys):
    hashed, home = ["--data", str(tmp_path / "h"), "--set", "hashimapspool=yes"], tmp_path / "h/mail/z/user/zoe"
    assert run([*hashed, "mailbox", "create", "user/zoe"]) == run([*hashed, "mailbox", "path", "--json", "user/zoe"])
    assert json.loads(capsys.readouterr().out) == [
        {"name": "user/zoe", "data": f"{home}/Maildir", "meta": f"{home}/Maildir", "sieve": f"{home}/sieve",
         "home": str(home), "stage": f"{tmp_path}/h/mail/stage.", "partition": "default", "hash": "z"}
    ]  # fmt: skip
    lines = names(sievemda("mailbox", "path", "-a", "board")[1])
    assert lines[0] == "Name: board"
    assert "Home: -" in lines


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("user/alice/Maildir", "user/alice"),
        ("user/alice", "user/alice"),
        ("user/alice/Maildir/.Lists/new/1.x,S=10", "user/alice/Lists"),
        ("user/alice/Maildir/.Lists.deep", "user/alice/Lists/deep"),
        ("shared/.board/cur", "board"),
    ],
)
def test_a_path_has_the_name_of_its_mailbox(sievemda, maildir, tmp_path, path, name):
    put(maildir("Lists"), "new", "1.x,S=10")
    assert sievemda("mailbox", "path", "-p", str(tmp_path / "d/mail" / path)) == (0, f"{name}\n", "")


@pytest.mark.parametrize("path", ["/etc", "/", "", "\0", "user", "nowhere/at/all"])
def test_a_path_of_nobody_is_bad_data(sievemda, path):
    assert sievemda("mailbox", "path", "-p", path)[:2] == (65, "")


def test_a_folder_on_another_partition_has_its_name_too(sievemda, tmp_path):
    sets = (f"partition-default={tmp_path}/d/mail", f"partition-two={tmp_path}/two", "defaultpartition=default")
    assert sievemda("mailbox", "create", "user/alice/Far", "--partition", "two", sets=sets)[0] == 0
    place = sievemda("mailbox", "path", "user/alice/Far", sets=sets)[1].strip()
    assert place.startswith(f"{tmp_path}/two/")
    assert sievemda("mailbox", "path", "-p", place, sets=sets)[1] == "user/alice/Far\n"


# -- info ------------------------------------------------------------------------------------------------------------

MAIL = b"From: =?utf-8?q?J=C3=BCrgen?= <j@example.net>\nSubject: =?utf-8?b?R3LDvMOfZQ==?=\nMessage-ID: <1@x>\n\nbody\n"


@pytest.fixture
def mail(maildir):
    """Three messages in alice's Lists, two of which Dovecot knows."""
    folder = maildir("Lists")
    for part, name, when in (
        ("cur", "1790000001.M1P1.h,S=112,W=120:2,FSa", 1_790_000_001),
        ("new", "1790000002.M1P1.h,S=112", 1_790_000_002),
        ("cur", "1790000003.M1P1.h,S=112:2,", 1_790_000_003),
    ):
        (folder / part / name).write_bytes(MAIL)
        os.utime(folder / part / name, (when, when))
    (folder / "dovecot-keywords").write_text("0 $Work\n")
    (folder / "dovecot-uidlist").write_text(
        "3 V1790000000 N8 Gabc\n7 W120 :1790000001.M1P1.h,S=112,W=120\n5 :1790000003.M1P1.h,S=112\n"
    )
    return folder


def messages(sievemda, *arguments):
    code, out, err = sievemda("mailbox", "info", "user/alice/Lists", "--messages", "--json", *arguments)
    assert (code, err) == (0, "")
    return json.loads(out)


def test_messages_are_told_by_uid_with_all_that_is_known(sievemda, mail):
    found = messages(sievemda)
    assert [row["uid"] for row in found] == [5, 7, None]
    assert found[1] == {
        "mailbox": "user/alice/Lists", "uid": 7, "file": str(mail / "cur/1790000001.M1P1.h,S=112,W=120:2,FSa"),
        "size": 112, "flags": ["\\Flagged", "\\Seen", "$Work"], "seen": True, "new": False,
        "arrived": "2026-09-21T14:13:21Z", "message_id": "<1@x>", "date": "", "from": "Jürgen <j@example.net>",
        "subject": "Grüße",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "uids"),
    [
        (("--unseen",), [5, None]),
        (("--flag", "$work"), [7]),
        (("--flag", "\\flagged", "--flag", "\\Seen"), [7]),
        (("--since", "2026-09-21T14:13:22Z"), [5, None]),
        (("--since", "2026-09-21T14:13:22+00:00", "--unseen"), [5, None]),
        (("--since", "2999-01-01"), []),
        (("--since", "9999-12-31"), []),
        (("--since", "0001-01-01"), [5, 7, None]),
    ],
)
def test_messages_can_be_chosen(sievemda, mail, arguments, uids):
    assert [row["uid"] for row in messages(sievemda, *arguments)] == uids


def test_messages_as_text_are_one_line_each(sievemda, mail):
    (mail / "new/1790000002.M1P1.h,S=112").write_bytes(b"Subject: \x1b[31m\xff red\n\n")
    lines = names(sievemda("mailbox", "info", "user/alice/Lists", "--messages")[1])
    assert len(lines) == 4
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("user/alice", "--unseen"), 64),
        ((), 64),
        (("user/alice", "--messages", "--since", "yesterday"), 65),
        (("user/nobody",), 67),
        (("user/nobody", "board"), 67),
    ],
)
def test_what_cannot_be_told_ends_with_a_code(sievemda, arguments, code):
    assert sievemda("mailbox", "info", *arguments)[0] == code


def test_an_inbox_tells_of_its_user(sievemda, mail, tmp_path):
    sievemda("quota", "set", "user/alice", "MESSAGE", "10")
    (tmp_path / "s.sieve").write_text("keep;")
    sievemda("script", "put", "alice", "main", str(tmp_path / "s.sieve"))
    sievemda("script", "activate", "alice", "main")
    user = json.loads(sievemda("mailbox", "info", "user/alice", "--json")[1])["user"]
    assert user["scripts"] == ["main"]
    assert user["active_script"] == "main"
    assert (user["mailboxes"], user["messages"], user["octets"]) == (3, 3, 336)
    assert user["quota"] == {"MESSAGE": "3/10"}
    assert user["newest_message"] == "2026-09-21T14:13:23Z"
    assert user["password_changed"] is None
    text = sievemda("mailbox", "info", "user/alice")[1]
    assert "user active script: main\n" in text


def test_several_are_an_array(sievemda):
    assert [row["name"] for row in json.loads(sievemda("mailbox", "info", "user/%", "--json")[1])] == [
        "user/alice", "user/alice-b", "user/bob"
    ]  # fmt: skip


@pytest.mark.parametrize("content", [b"", b"9 what\n", b"3 V1\nx y\n\xff\xff\n5\n", b"\0" * 100])
def test_a_broken_uidlist_gives_no_uids(sievemda, mail, content):
    (mail / "dovecot-uidlist").write_bytes(content)
    assert [row["uid"] for row in messages(sievemda)] == [None, None, None]


def test_a_uidlist_that_is_no_file_is_not_read(sievemda, mail):
    (mail / "dovecot-uidlist").unlink()
    os.mkfifo(mail / "dovecot-uidlist")
    assert len(messages(sievemda)) == 3


def test_a_message_that_is_a_link_is_not_followed(sievemda, mail, tmp_path):
    (tmp_path / "secret").write_text("Subject: secret\n\n")
    (mail / "new/1790000009.M1P1.h,S=1").symlink_to(tmp_path / "secret")
    assert "secret" not in [row["subject"] for row in messages(sievemda)]


# -- subscriptions ---------------------------------------------------------------------------------------------------


@pytest.fixture
def file(maildir):
    return maildir() / "subscriptions"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("Shared Folders/board", "Shared Folders/board"),
        ("board", "Shared Folders/board"),
        ("user/bob", "Other Users/bob/INBOX"),
        ("Other Users/bob", "Other Users/bob/INBOX"),
    ],
)
def test_a_subscription_stands_as_the_user_sees_it(sievemda, file, name, line):
    assert sievemda("mailbox", "subscribe", "alice", name) == (0, "", "")
    assert file.read_text().splitlines()[-1] == line
    admin = "board" if "board" in name else "user/bob"
    assert names(sievemda("mailbox", "subscriptions", "alice")[1])[-1] == admin
    assert sievemda("mailbox", "unsubscribe", "alice", name)[0] == 0
    assert line not in file.read_text()


@pytest.mark.parametrize("name", ["Lists", "user/alice/Lists", "INBOX", "user/alice"])
def test_own_folders_go_by_either_name(sievemda, file, name):
    assert sievemda("mailbox", "unsubscribe", "alice", name) == (0, "", "")
    line = "Lists" if "Lists" in name else "INBOX"
    assert line not in file.read_text().splitlines()
    assert sievemda("mailbox", "subscribe", "alice", name) == (0, "", "")
    assert file.read_text().splitlines().count(line) == 1


def test_patterns_subscribe_to_what_there_is(sievemda):
    sievemda("mailbox", "unsubscribe", "alice", "user/alice*")
    assert names(sievemda("mailbox", "subscriptions", "alice")[1]) == []
    sievemda("mailbox", "subscribe", "alice", "user/alice/*", "board")
    assert set(names(sievemda("mailbox", "subscriptions", "alice")[1])) == {*ALL[3:5], "board"}


def test_what_does_not_exist_needs_force(sievemda):
    assert sievemda("mailbox", "subscribe", "alice", "Nix")[0] == 67
    assert sievemda("mailbox", "subscribe", "alice", "Nix", "--force")[0] == 0
    found = json.loads(sievemda("mailbox", "subscriptions", "alice", "--missing", "--json")[1])
    assert found == [{"name": "user/alice/Nix", "shown": "Nix", "exists": False}]
    assert sievemda("mailbox", "unsubscribe", "alice", "--missing") == (0, "", "")
    assert sievemda("mailbox", "subscriptions", "alice", "--missing")[1] == ""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("subscribe", "nobody", "x"), 67),
        (("subscribe", "alice"), 64),
        (("subscribe", "a/b", "x"), 65),
        (("subscribe", "alice", "a//b"), 65),
        (("unsubscribe", "alice", "Nix"), 67),
        (("subscriptions", "nobody"), 67),
    ],
)
def test_bad_subscriptions_end_with_a_code_and_one_line(sievemda, arguments, code):
    found, _, err = sievemda("mailbox", *arguments)
    assert found == code
    assert err.count("\n") == 1 or code == 64


def test_broken_lines_are_shown_and_kept(sievemda, file):
    file.write_bytes(b"V\t2\n\nLists\n&&&broken\nOther Users\t\x01\nlow\xff\n")
    assert sievemda("mailbox", "subscriptions", "alice")[0] == 0
    assert sievemda("mailbox", "subscribe", "alice", "INBOX")[0] == 0
    assert file.read_bytes() == b"V\t2\n\nLists\n&&&broken\nOther Users\t\x01\nlow\xff\nINBOX\n"


def test_a_file_of_version_1_stays_one(sievemda, file):
    file.write_text("INBOX\nLists.deep\n")
    assert names(sievemda("mailbox", "subscriptions", "alice")[1]) == ["user/alice", "user/alice/Lists/deep"]
    sievemda("mailbox", "subscribe", "alice", "board")
    assert file.read_text() == "INBOX\nLists.deep\nShared Folders/board\n"


def test_a_subscriptions_file_that_is_none_is_trouble(sievemda, file):
    file.unlink()
    file.mkdir()
    code, _, err = sievemda("mailbox", "subscriptions", "alice")
    assert (code, err.count("\n")) == (74, 1)


def test_without_the_alternative_namespace_a_shared_folder_has_no_prefix(sievemda, file):
    sets = ("altnamespace=no",)
    sievemda("mailbox", "subscribe", "alice", "board", sets=sets)
    sievemda("mailbox", "subscribe", "alice", "user/bob", sets=sets)
    assert file.read_text().splitlines()[-2:] == ["board", "user/bob/INBOX"]
    assert names(sievemda("mailbox", "subscriptions", "alice", sets=sets)[1])[-2:] == ["board", "user/bob"]
