"""News comes into shared folders, from directories and over NNTP, each article once."""

import os

import pytest

from sievemda.errors import DataError, NotPermitted, Unavailable
from sievemda.store import withdrawn
from sievemda.store.message_list import stored
from sievemda.store.names import MailboxName
from sievemda.upkeep.importing.news import nntp
from sievemda.upkeep.importing.news.nntp import NewsHost
from sievemda.upkeep.importing.news.nntp import NewsServer as Client
from sievemda.upkeep.importing.news.source import active, parts_of, wildmat
from sievemda.upkeep.importing.news.spool import NewsSpool
from sievemda.upkeep.importing.news.taking import News, Plan
from sievemda.upkeep.importing.places import Places
from tests.upkeep.importing.news_server import NewsServer, wired

ENTRY = 1577872800.0


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(nntp, "_PAUSE", 0)


def article(number, text="", **headers):
    given = {"From": "a@example.org", "Subject": str(number), "Message-ID": f"<{number}@example.org>"} | headers
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in given.items()]
    return "\n".join([*lines, "", text or f"Body {number}", ""]).encode()


@pytest.fixture
def spool(tmp_path):
    """Makes a news spool of groups and their articles."""

    def make(**groups):
        for group, articles in groups.items():
            directory = tmp_path / "news" / group.replace("_", "/")
            directory.mkdir(parents=True, exist_ok=True)
            for number, content in articles.items():
                (directory / str(number)).write_bytes(content)
                os.utime(directory / str(number), (ENTRY, ENTRY))
        return NewsSpool(tmp_path / "news")

    return make


def client(server, **options):
    return Client(NewsHost("127.0.0.1", server.port, timeout=60, **options))


class Run:
    def __init__(self, store, source, top=("news",), wanted="*", **plan):
        self.faults = []
        places = Places(store, dry_run=plan.get("dry_run", False))
        tell = lambda error, about: self.faults.append((about, str(error)))  # noqa: E731
        self.news = News(places, source, MailboxName(None, top), Plan(wildmat(wanted), **plan), tell)

    def __call__(self):
        for _ in self.news.run():
            pass
        return {taken.mailbox: (taken.added, taken.there, taken.failed) for taken in self.news.taken}


def contents(store, name):
    mailbox = store.find(store.namespace.parse_admin(name))
    return [one.file.read_bytes() for one in stored(mailbox)]


def test_a_group_is_a_folder_that_anyone_may_read(store, spool):
    assert Run(store, spool(comp_lang_c={1: article(1), 3: article(3)}, comp={2: article(9)}))() == {
        "news/comp": (1, 0, 0),
        "news/comp/lang/c": (2, 0, 0),
    }
    folder = store.find(store.namespace.parse_admin("news/comp/lang/c"))
    assert [(one.file.read_bytes(), one.arrived, one.new) for one in stored(folder)] == [
        (article(1), ENTRY, True),
        (article(3), ENTRY, True),
    ]
    assert folder.acl().entries == (("anyone", frozenset("lrs")),)


def test_a_second_run_brings_what_is_new(store, spool):
    Run(store, spool(a_b={1: article(1)}))()
    assert Run(store, spool(a_b={1: article(1), 2: article(2)}))() == {"news/a/b": (1, 1, 0)}


def test_an_article_as_it_goes_over_the_wire_loses_what_belongs_to_that(store, spool):
    content = article(1, ".hidden\n..\ntext")
    Run(store, spool(a={1: wired(content)}))()
    assert contents(store, "news/a") == [content]


def test_a_crosspost_may_be_a_link_within_the_spool_only(store, spool, tmp_path):
    source = spool(a={1: article(1)}, b={2: article(2)})
    (tmp_path / "news" / "b" / "1").symlink_to(tmp_path / "news" / "a" / "1")
    (tmp_path / "secret").write_text("x")
    (tmp_path / "news" / "b" / "3").symlink_to(tmp_path / "secret")
    (tmp_path / "news" / "b" / "4").mkdir()
    run = Run(store, source)
    assert run() == {"news/a": (1, 0, 0), "news/b": (2, 0, 2)}
    assert [about for about, _ in run.faults] == ["b, article 3", "b, article 4"]


def test_news_comes_over_nntp(store):
    dotted = article(5, ".\n..\n.end", Date="Wed, 01 Jan 2020 10:00:00 +0000")
    with NewsServer({"comp.lang.c": {1: article(1), 5: dotted}, "alt.x": {}}) as server:
        assert Run(store, client(server))() == {"news/alt/x": (0, 0, 0), "news/comp/lang/c": (2, 0, 0)}
        assert sorted(contents(store, "news/comp/lang/c")) == sorted([article(1), dotted])
        server.groups["comp.lang.c"][6] = article(6)
        assert Run(store, client(server))()["news/comp/lang/c"] == (1, 2, 0)
        assert server.fetched == [("comp.lang.c", number) for number in (1, 5, 6)]
    folder = store.find(store.namespace.parse_admin("news/comp/lang/c"))
    assert ENTRY - 7200 < min(one.arrived for one in stored(folder)) <= ENTRY + 7200


def test_a_connection_that_breaks_is_made_again(store):
    broken = []

    def spoil(number, octets):
        if number == 2 and len(broken) < 2:
            broken.append(number)
            return octets[:40]
        return octets

    with NewsServer({"a": {number: article(number) for number in (1, 2, 3)}}) as server:
        server.spoil = spoil
        assert Run(store, client(server))() == {"news/a": (3, 0, 0)}
    assert sorted(contents(store, "news/a")) == [article(1), article(2), article(3)]


def test_a_server_that_keeps_breaking_is_given_up(store):
    with NewsServer({"a": {1: article(1), 2: article(2)}}) as server:
        server.spoil = lambda number, octets: octets[:40] if number == 2 else octets
        with pytest.raises(Unavailable, match="run it again"):
            Run(store, client(server))()
        server.spoil = lambda _number, octets: octets
        assert Run(store, client(server))() == {"news/a": (1, 1, 0)}


def test_an_article_that_is_too_large_or_gone_does_not_stop_the_others(store):
    with NewsServer({"a": {1: article(1), 2: article(2, "x" * 5000), 3: None, 4: article(4)}}) as server:
        run = Run(store, client(server, longest=2000))
        assert run() == {"news/a": (2, 0, 1)}
        assert [about for about, _ in run.faults] == ["a, article 2"]


@pytest.mark.parametrize("greeting", ["502 go away", "hello", "400 not now"])
def test_a_server_that_does_not_let_us_in(store, greeting):
    with NewsServer({}) as server:
        server.greeting = greeting
        with pytest.raises(Unavailable):
            Run(store, client(server))()


def test_a_line_without_end_is_refused(store, monkeypatch):
    monkeypatch.setattr(nntp, "_MAX_LINE", 1000)
    with NewsServer({"a": {1: article(1, "x" * 5000)}}) as server, pytest.raises(Unavailable, match="without end"):
        Run(store, client(server))()


def test_who_has_a_password_says_it(store):
    with NewsServer({"a": {1: article(1)}}, password="secret") as server:
        with pytest.raises(NotPermitted, match="wants a user"):
            Run(store, client(server))()
        with pytest.raises(NotPermitted, match="refuses bob"):
            Run(store, client(server, user="bob", password="wrong"))()
        assert Run(store, client(server, user="bob", password="secret"))() == {"news/a": (1, 0, 0)}


def test_another_server_brings_no_article_twice(store, spool):
    Run(store, spool(a={1: article(1), 2: article(2)}))()
    other = {number + 40: article(number, Path="other") for number in (1, 2, 3)}
    with NewsServer({"a": other}) as server:
        assert Run(store, client(server))() == {"news/a": (1, 2, 0)}
        server.groups["a"] = {1: article(3), 2: article(4)}  # it has lost its numbers
        assert Run(store, client(server))() == {"news/a": (1, 1, 0)}


def test_groups_can_be_chosen_and_new_ones_begin_with_the_latest(store, spool):
    source = spool(comp_a={1: article(1), 2: article(2), 3: article(3)}, comp_os_x={1: article(1)}, alt={1: article(1)})
    assert Run(store, source, (), "comp.*,!comp.os.*", last=2)() == {"comp/a": (2, 1, 0)}
    assert Run(store, source, (), "comp.*,!comp.os.*")() == {"comp/a": (0, 3, 0)}


def test_names_that_no_folder_can_have_are_mapped_and_told(store):
    with NewsServer({"user.x": {1: article(1)}, "a^b": {1: article(1)}, "bad..name": {}, "a/b": {}}) as server:
        run = Run(store, client(server), ())
        assert run() == {"a_b": (1, 0, 0), "_user/x": (1, 0, 0)}
        assert run.news.renamed == {"user.x": "_user/x", "a^b": "a_b"}


def test_folders_follow_the_groups(store, spool, tmp_path):
    spool(a={1: article(1)}, b={1: article(1)})
    store.create(store.namespace.parse_admin("news"))
    store.create(store.namespace.parse_admin("news/ours"))
    listed = tmp_path / "active"
    listed.write_text("a 1 1 y\nb 1 1 m\nempty.group 0 1 y\nold 1 1 =a\n")
    source = NewsSpool(tmp_path / "news", listed)
    assert Run(store, source, sync=True)() == {
        "news/a": (0, 0, 0),
        "news/b": (0, 0, 0),
        "news/empty/group": (0, 0, 0),
    }
    Run(store, source)()
    listed.write_text("a 1 1 y\n")
    dry = Run(store, source, remove=True, dry_run=True)
    dry()
    run = Run(store, source, remove=True)
    run()
    assert sorted(dry.news.removed) == sorted(run.news.removed) == ["news/b", "news/empty/group"]
    names = sorted(store.namespace.format_admin(found.name) for found in store.mailboxes_of(None))
    assert names == ["news", "news/a", "news/ours"]
    store.undelete(store.namespace.parse_admin("news/b"))
    assert contents(store, "news/b") == [article(1)]


def test_a_list_that_is_empty_removes_nothing(store, spool, tmp_path):
    source = spool(a={1: article(1)})
    Run(store, source)()
    (tmp_path / "active").touch()
    with pytest.raises(DataError, match="no groups"):
        Run(store, NewsSpool(tmp_path / "news", tmp_path / "active"), remove=True)()
    assert len(contents(store, "news/a")) == 1


CANCEL = {"Control": "cancel <1@example.org>", "Message_ID": "<c@example.org>"}


@pytest.mark.parametrize(
    ("honoured", "sender", "left"),
    [(False, "a@example.org", 2), (True, "a@example.org", 1), (True, "forger@example.org", 2)],
)
def test_a_cancel_message_is_no_article_and_counts_if_it_is_to_and_is_genuine(store, spool, honoured, sender, left):
    articles = {1: article(1), 2: article(2), 3: article(3, **CANCEL, From=sender)}
    run = Run(store, spool(a=articles), cancels=honoured)
    run()
    assert len(contents(store, "news/a")) == left
    assert run.news.cancelled == 2 - left
    tree = store.find(store.namespace.parse_admin("news/a")).tree
    assert len(list(withdrawn.entries(tree))) == 2 - left


def test_a_dry_run_makes_nothing(store, spool):
    source = spool(a={1: article(1)})
    assert Run(store, source, dry_run=True)() == {"news/a": (1, 0, 0)}
    assert list(store.mailboxes_of(None)) == []
    Run(store, source)()
    assert Run(store, source, dry_run=True)() == {"news/a": (0, 1, 0)}


@pytest.mark.parametrize(
    ("pattern", "group", "matches"),
    [
        ("*", "a.b", True),
        ("comp.*", "comp.lang", True),
        ("comp.*", "computer", False),
        ("comp.*,!comp.os.*", "comp.os.linux", False),
        ("comp.*,!comp.os.*,comp.os.linux", "comp.os.linux", True),
        ("a.?", "a.b", True),
        ("a.?", "a.bc", False),
        ("!a", "b", False),
    ],
)
def test_the_last_pattern_that_fits_counts(pattern, group, matches):
    assert wildmat(pattern)(group) == matches


@pytest.mark.parametrize("name", ["", "a..b", ".a", "a.", "a b", "a/b", "../x", "a\x00", "a,b", "a*"])
def test_what_is_no_name_of_a_group(name):
    assert parts_of(name) is None


def test_a_list_of_groups_that_is_none():
    with pytest.raises(DataError, match="line 2"):
        active(["a 1 1 y", "what is this"], "active")
