"""`sievemda quota`: reports in the forms of Cyrus and Oracle, repairs, and bad input."""

import csv
import io
import json

import pytest

from sievemda.cli.main import run

HEADER = "   Quota   % Used     Used             Resource Root"
VIRTUAL = ("virtdomains=userid",)


@pytest.fixture
def sievemda(tmp_path, capsys):
    """Runs a command on an embedded site: (exit code, standard output, standard error)."""

    def call(*arguments, sets=VIRTUAL):
        options = [word for setting in sets for word in ("--set", setting)]
        code = run(["--data", str(tmp_path), *options, *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def quota(sievemda):
    """`sievemda quota` over a site with roots of every kind."""
    for name in ("user/alice", "user/alice/Lists", "user/ab", "board", "user/carol@example.org"):
        assert sievemda("mailbox", "create", name) == (0, "", "")
    for words in (
        ("user/alice", "STORAGE", "1000", "MESSAGE", "10"),
        ("user/alice/Lists", "STORAGE", "50"),
        ("user/ab", "MAILBOX", "3"),
        ("board", "STORAGE", "0"),
        ("@example.org", "STORAGE", "500"),
    ):
        assert sievemda("quota", "set", *words) == (0, "", "")

    def call(*arguments):
        code, out, err = sievemda("quota", *arguments)
        assert (code, err) == (0, ""), err
        return out

    return call


@pytest.fixture
def put(tmp_path):
    """Puts a message of 1500 octets beside the program, as an IMAP server would."""

    def deliver(folder, name="1.host"):
        (tmp_path / "mail" / folder / "cur" / f"{name}:2,S").write_bytes(b"x" * 1500)

    return deliver


def reported(text):
    first, *lines = text.splitlines()
    assert first == HEADER
    return list(dict.fromkeys(line[48:] for line in lines))


EVERY = ["@example.org", "board", "user/ab", "user/alice", "user/alice/Lists"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ((), EVERY),
        (("user/a",), ["user/ab", "user/alice", "user/alice/Lists"]),
        (("user.a",), ["user/ab", "user/alice", "user/alice/Lists"]),
        (("user/al",), ["user/alice", "user/alice/Lists"]),
        (("user/alice/",), ["user/alice/Lists"]),
        (("user/",), ["user/ab", "user/alice", "user/alice/Lists"]),
        (("user/%",), ["user/ab", "user/alice"]),
        (("board", "user/al", "user/alice"), ["board", "user/alice", "user/alice/Lists"]),
        (("nope",), []),
        (("@example.org",), ["@example.org"]),
        (("-u", "alice"), ["user/alice", "user/alice/Lists"]),
        (("-u", "ab", "nobody"), ["user/ab"]),
        (("-u", "al"), []),
        (("-u",), EVERY),
        (("-d", "example.org"), ["@example.org"]),
        (("-d", "example.org", "user"), []),
        (("-d", "internal"), EVERY[1:]),
        (("-d", "nowhere.example"), []),
    ],
)
def test_prefixes_users_and_a_domain_choose_the_roots(quota, words, found):
    assert reported(quota("report", *words)) == found


def test_a_report_has_a_line_for_each_resource(quota, put):
    put("user/alice/Maildir")
    assert quota("report", "-u", "alice").splitlines()[1:5] == [
        "    1000        0        1              STORAGE user/alice",
        "      10       10        1              MESSAGE user/alice",
        "                         0   ANNOTATION-STORAGE user/alice",
        "                         1              MAILBOX user/alice",
    ]


def test_a_limit_of_zero_has_no_percentage(quota):
    assert quota("report", "board").splitlines()[1] == "       0                 0              STORAGE board"


@pytest.mark.parametrize("form", [("-J",), ("--json",), ("--format", "json")])
def test_a_report_as_json_is_that_of_cyrus(quota, put, form):
    put("user/alice/Maildir/.Lists")
    assert json.loads(quota("report", *form, "user/alice/")) == {
        "user/alice/Lists": {
            "STORAGE": {"used": 1500, "limit": 51200},
            "MESSAGE": {"used": 1},
            "ANNOTATION-STORAGE": {"used": 0},
            "MAILBOX": {"used": 1},
        }
    }


def test_a_report_about_nothing_is_an_empty_object(quota):
    assert json.loads(quota("report", "-J", "nope")) == {}


def test_the_report_of_oracle_is_a_line_for_each_root_below_its_domain(quota, put):
    put("user/alice/Maildir")
    lines = quota("report", "--format", "oracle").splitlines()
    assert [line for line in lines if line.startswith("Domain")] == ["Domain: (default)", "Domain: example.org"]
    rows = [line.split() for line in lines if line and line[0] == " " and "diskquota" not in line]
    assert rows == [
        ["0", "0", "no", "quota", "0", "board"],
        ["no", "quota", "0", "no", "quota", "0", "ab"],
        ["1000", "1", "0%", "10", "1", "10%", "alice"],
        ["50", "0", "0%", "no", "quota", "0", "user/alice/Lists"],
        ["500", "0", "0%", "no", "quota", "0", "@example.org"],
    ]


def test_a_report_as_csv_can_be_read_by_programs(quota, put):
    put("user/alice/Maildir")
    rows = {row["root"]: row for row in csv.DictReader(io.StringIO(quota("report", "--format", "csv")))}
    assert sorted(rows) == EVERY
    alice = rows["user/alice"]
    assert (alice["storage_used"], alice["storage_limit"], alice["message_percent"]) == ("1500", "1024000", "10")
    assert rows["user/ab"]["storage_limit"] == ""


def test_a_report_counts_where_a_file_was_told_something_else(quota, put, tmp_path):
    (tmp_path / "mail/user/alice/Maildir/maildirsize").write_text("1024000S,10C\n0 0\n5000 5\n")
    assert " 0              MESSAGE user/alice\n" in quota("report", "-u", "alice")


def test_a_count_believes_no_file(quota, tmp_path):
    # `0 0`: counted without what the root of Lists counts.
    (tmp_path / "mail/user/alice/Maildir/maildirsize").write_text("1024000S,10C\n5000 5\n0 0\n")
    assert " 5              MESSAGE user/alice\n" in quota("report", "-u", "alice")
    assert " 0              MESSAGE user/alice\n" in quota("report", "-u", "alice", "--count")


@pytest.mark.parametrize(
    ("name", "root"),
    [
        ("user/alice", "user/alice\n"),
        ("user/alice/Lists", "user/alice/Lists\n"),
        ("user/carol@example.org", "@example.org\n"),
    ],
)
def test_root_names_the_root_that_counts(quota, name, root):
    assert quota("root", name) == root


def test_root_prints_nothing_when_there_is_none(sievemda):
    sievemda("mailbox", "create", "user/alice")
    assert sievemda("quota", "root", "user/alice") == (0, "", "")
    assert sievemda("quota", "root", "--json", "user/alice") == (0, "null\n", "")


# --- fix ---


@pytest.fixture
def wrong(sievemda, quota, put, tmp_path):
    """A site with two wrong files and a root without mailboxes."""
    put("user/alice/Maildir")
    (tmp_path / "mail/user/alice/Maildir/maildirsize").write_text("1024000S,10C\n5000 5\n")
    (tmp_path / "mail/shared/.board/maildirsize").write_text("x")
    put("shared/.board")
    assert sievemda("quota", "set", "+gone", "MESSAGE", "5") == (0, "", "")
    return sievemda


REPAIRS = [
    "board: STORAGE usage was 0, now 1500",
    "board: MESSAGE usage was 0, now 1",
    "gone: removed",
    "user/alice: STORAGE usage was 5000, now 1500",
    "user/alice: MESSAGE usage was 5, now 1",
]


def test_fix_says_what_was_wrong_and_reports_what_is(wrong):
    code, out, err = wrong("quota", "fix")
    assert (code, err.splitlines()) == (0, REPAIRS)
    assert reported(out) == EVERY
    assert wrong("quota", "fix", "-q") == (0, "", "")


def test_a_dry_run_changes_nothing(wrong):
    for _ in range(2):
        code, out, err = wrong("quota", "fix", "-n")
        assert (code, err.splitlines()) == (0, REPAIRS)
        assert reported(out) == EVERY
    assert "gone" in wrong("quota", "list")[1]


def test_fix_mends_what_was_chosen(wrong):
    assert wrong("quota", "fix", "-q", "-u", "alice")[2].splitlines() == REPAIRS[3:]
    assert wrong("quota", "fix", "-q", "-n")[2].splitlines() == REPAIRS[:3]


def test_repairs_stand_in_the_json_object_and_nowhere_else(wrong):
    code, out, err = wrong("quota", "fix", "-J")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert found.pop("_repairs") == REPAIRS
    assert sorted(found) == EVERY
    assert found["user/alice"]["STORAGE"] == {"used": 1500, "limit": 1024000}


def test_a_root_that_cannot_be_counted_does_not_stop_the_others(quota, sievemda, tmp_path):
    size_file = tmp_path / "mail/user/ab/Maildir/sievemda-mailbox"
    size_file.unlink()
    size_file.mkdir()
    code, out, err = sievemda("quota", "report", "-u", "alice", "ab")
    assert (code, err.count("\n")) == (74, 1)
    assert "Traceback" not in err
    assert reported(out) == ["user/alice", "user/alice/Lists"]


# --- bad input ---


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("set", "@example.org", "STORAGE"), 65),
        (("set", "@", "STORAGE", "1"), 65),
        (("set", "@internal", "STORAGE", "1"), 65),
        (("set", "@bad..domain", "STORAGE", "1"), 65),
        (("set", "+", "STORAGE", "1"), 65),
        (("set", "+user/x;y", "STORAGE", "1"), 65),
        (("set", "+user/alice/../x", "STORAGE", "1"), 65),
        (("set", "user/alice", "STORAGE", "1", "STORAGE", "2"), 65),
        (("set", "user/alice", "NOSUCH", "1"), 65),
        (("set", "user/alice", "STORAGE", "9" * 30), 65),
        (("set", "user/alice", "STORAGE", "-2"), 65),
        (("set", "user/alice", "STORAGE", "1k"), 65),
        (("set", "user/alice", "MESSAGE", "\u0663"), 65),
        (("set", "nowhere", "STORAGE", "1"), 67),
        (("list", "nowhere"), 67),
        (("list", "@example.net"), 67),
        (("root", "user/nobody"), 67),
        (("report", "-u", "a;b"), 65),
        (("report", "-d", "bad..domain"), 65),
        (("report", "a\nb"), 0),
        (("report", "--format", "xml"), 64),
        (("fix", "--format"), 64),
    ],
)
def test_bad_input_is_one_line_and_an_exit_code(quota, sievemda, arguments, code):
    found, out, err = sievemda("quota", *arguments)
    assert found == code, err
    assert out == "" or code == 0
    assert "Traceback" not in err
    assert err.count("\n") == (1 if code in (65, 67) else 0) or code == 64
    assert reported(sievemda("quota", "report")[1]) == EVERY


@pytest.mark.parametrize("command", ["set", "list", "root", "report", "fix"])
def test_every_command_has_help_with_an_example(sievemda, command):
    code, out, _ = sievemda("quota", command, "--help")
    assert code == 0
    assert f"Example: sievemda quota {command}" in out
