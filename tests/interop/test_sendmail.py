"""sendmail with mailer cyrusv2 and the rule for bulletin boards."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.interop.sendmail import Sendmail
from tests.interop.site import Site, message


@pytest.fixture(scope="module")
def sendmail(directory: Path, site: Site) -> Sendmail:
    return Sendmail(directory / "sendmail", site.socket)


@pytest.fixture
def board_site(make_directory: Callable[[], Path], logs: dict[str, Path]) -> Iterator[Site]:
    """A site whose boards are addressed as board+NAME."""
    site = Site(make_directory(), {"postuser": "board"})
    logs["sievemda with postuser"] = site.log
    site.start()
    yield site
    site.stop()


def test_mail_goes_to_the_inbox(site: Site, sendmail: Sendmail, user: str) -> None:
    sendmail.send(message("Over sendmail"), f"{user}@example.org")

    [file] = site.files(user)
    assert b"Over sendmail" in file.read_bytes()


def test_a_detail_keeps_its_capitals(site: Site, sendmail: Sendmail, user: str) -> None:
    site.cli("mailbox", "create", f"user/{user}/Lists")
    site.cli("acl", "set", f"user/{user}/Lists", "anyone", "p")

    sendmail.send(message(), f"{user}+Lists@example.org")

    assert len(site.files(user, "Lists")) == 1


def test_two_recipients_share_one_file(site: Site, sendmail: Sendmail, user: str, new_name) -> None:
    other = site.user(new_name("user"))

    sendmail.send(message(), f"{user}@example.org", f"{other}@example.org")

    assert site.files(user)[0].samefile(site.files(other)[0])


def test_a_board_is_reached_by_its_plus_address(site: Site, sendmail: Sendmail, new_name) -> None:
    board = new_name("Board")
    site.cli("mailbox", "create", board)
    site.cli("acl", "set", board, "anyone", "lrsp")

    sendmail.send(message(), f"+{board}@example.org")

    assert len(site.files(None, board)) == 1


def test_a_board_is_reached_through_the_posting_user(board_site: Site, directory: Path, new_name) -> None:
    sendmail = Sendmail(directory / new_name("sendmail"), board_site.socket)
    board_site.cli("mailbox", "create", "news")
    board_site.cli("acl", "set", "news", "anyone", "lrsp")

    sendmail.send(message(), "board+news@example.org")

    assert len(board_site.files(None, "news")) == 1


def test_a_closed_board_is_refused_for_good(site: Site, sendmail: Sendmail, new_name) -> None:
    board = new_name("board")
    site.cli("mailbox", "create", board)

    dialogue = sendmail.send(message(), f"+{board}@example.org", code=os.EX_NOUSER)

    assert "550 5.7.1" in dialogue
    assert site.files(None, board) == []


def test_an_unknown_user_is_told_to_the_sender(site: Site, sendmail: Sendmail) -> None:
    dialogue = sendmail.send(message(), "nobody.here@example.org", code=os.EX_NOUSER)

    assert "5.1.1" in dialogue


def test_mail_for_a_user_over_quota_waits_in_the_queue(site: Site, sendmail: Sendmail, user: str) -> None:
    site.cli("quota", "set", f"user/{user}", "MESSAGE", "0")
    sendmail.send(message(), f"{user}@example.org")

    dialogue = sendmail.send(message(), f"{user}@example.org")
    assert "Deferred: 452 4.2.2" in dialogue
    assert len(sendmail.queued()) == 1

    site.cli("quota", "set", f"user/{user}")
    sendmail.run("-v", "-q")
    assert sendmail.queued() == []
    assert len(site.files(user)) == 2
