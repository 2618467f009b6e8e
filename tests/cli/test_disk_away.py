"""Commands while a partition is not mounted: what may lie there is not unknown, and lists say that they are not whole."""

import pytest

from sievemda.cli.main import run


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
def away(sievemda, tmp_path):
    assert sievemda("mailbox", "create", "user/alice")[0] == 0
    assert sievemda("mailbox", "create", "--partition", "fast", "user/bob", "board")[0] == 0
    (tmp_path / "fast").rename(tmp_path / "disk")
    (tmp_path / "fast").mkdir()
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


def test_deletions_of_a_domain_that_is_no_more_are_listed(sievemda):
    domains = ("virtdomains=userid", "defaultdomain=example.org")
    sievemda("mailbox", "create", "user/al@example.net", sets=domains)
    sievemda("mailbox", "delete", "--yes", "user/al@example.net", sets=domains)
    code, out, _ = sievemda("mailbox", "deleted")
    assert (code, out.split()[-1]) == (0, "user/al@example.net")
    assert sievemda("mailbox", "deleted", "user/*")[:2] == (0, "")
