"""Commands while a partition is not mounted: what may lie there is not unknown, and lists say that they are not whole."""

import pytest

from sievemda.cli.main import run
from sievemda.store import partitions


@pytest.fixture
def sievemda(tmp_path, capsys):
    def call(*arguments, sets=()):
        flags = [word for each in (f"partition-fast={tmp_path}/fast", *sets) for word in ("--set", each)]
        code = run(["--data", str(tmp_path / "d"), *flags, *arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return call


@pytest.fixture
def away(sievemda, tmp_path, monkeypatch):
    assert sievemda("mailbox", "create", "user/alice")[0] == 0
    assert sievemda("mailbox", "create", "--partition", "fast", "user/bob", "board")[0] == 0
    (tmp_path / "fast").rename(tmp_path / "disk")
    (tmp_path / "fast").mkdir()
    monkeypatch.setattr(partitions, "_seen", set())  # every command is a process of its own
    return sievemda


@pytest.mark.parametrize(
    "arguments",
    [
        ("mailbox", "info", "user/bob"),
        ("mailbox", "info", "user/nobody"),
        ("mailbox", "delete", "--yes", "user/bob"),
        ("mailbox", "undelete", "user/bob"),
        ("mailbox", "rename", "user/bob", "user/carl"),
        ("mailbox", "create", "user/bob"),
        ("acl", "list", "board"),
        ("acl", "set", "board", "anyone", "p"),
        ("quota", "set", "user/bob", "STORAGE", "10"),
    ],
    ids=" ".join,
)
def test_what_may_be_on_it_is_to_be_asked_for_again(away, arguments):
    code, out, err = away(*arguments)
    assert (code, out) == (75, "")
    assert "partition fast is away" in err
    assert "no mailbox" not in err


@pytest.mark.parametrize(
    ("arguments", "listed"),
    [(("mailbox", "list"), "user/alice\n"), (("account", "list"), "alice\n"), (("mailbox", "deleted"), "")],
    ids=str,
)
def test_a_list_says_that_it_is_not_whole(away, arguments, listed, caplog):
    code, out, _ = away(*arguments)
    assert (code, out) == (0, listed)
    assert "partition fast is away" in caplog.text


def letter(tmp_path, sievemda):
    """In the mailbox of somebody whose disk is there."""
    path = tmp_path / "letter"
    path.write_text("Subject: x\n\nhello\n")
    assert sievemda("import", "eml", str(path), "user/alice")[0] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("expire", "-f", "-d", "0", "-X", "user/*"),
        ("expire", "-f", "-d", "0", "-X", "-u", "alice"),
        ("expire", "--deleted"),
        ("prune",),
        ("prune", "--dry-run"),
        ("relink",),
        ("quota", "fix"),
        ("mailbox", "dump"),
        ("backup", "whole.tar"),
        ("backup", "--partition", "fast", "one.tar"),
        ("export", "mbox", "user/*", "all"),
    ],
    ids=" ".join,
)
def test_work_on_all_mailboxes_is_not_done_while_some_are_away(away, arguments, caplog, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = away(*arguments)
    assert code == 75
    assert "partition fast is away" in err + caplog.text


@pytest.mark.parametrize(
    "arguments",
    [
        ("expire", "-f", "-d", "0", "user/alice"),
        ("backup", "--partition", "default", "one.tar"),
        ("relink", "user/alice"),
    ],
    ids=" ".join,
)
def test_work_on_what_is_there_does_not_suffer_from_a_disk_that_is_away(away, arguments, caplog, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert away(*arguments)[0] == 0
    assert "away" not in caplog.text


def test_messages_expire_where_the_disk_is_there(away, tmp_path):
    letter(tmp_path, away)
    code, out, _ = away("expire", "-f", "-b", "0", "--json", "user/*")
    assert code == 75
    assert '"removed": {}, "failures": 1' in out
    assert '"mailbox": "user/alice", "messages": 1' in out
    assert away("mailbox", "discarded", "user/alice")[1].count("user/alice") == 1


def test_deletions_of_a_domain_that_is_no_more_are_listed(sievemda):
    domains = ("virtdomains=userid", "defaultdomain=example.org")
    sievemda("mailbox", "create", "user/al@example.net", sets=domains)
    sievemda("mailbox", "delete", "--yes", "user/al@example.net", sets=domains)
    code, out, _ = sievemda("mailbox", "deleted")
    assert (code, out.split()[-1]) == (0, "user/al@example.net")
    assert sievemda("mailbox", "deleted", "user/*")[:2] == (0, "")
