"""Lists of mailboxes as other versions write them, and as somebody damaged them."""

import io
import json

import pytest

from sievemda.policy.quota import Limits
from sievemda.store.internal import format_internal, parse_internal
from sievemda.store.names import MailboxName
from sievemda.upkeep.listing.entries import Entry, decoded
from sievemda.upkeep.listing.reading import read
from sievemda.upkeep.sorting import sorted_rows


@pytest.fixture
def reading(site):
    def reading(text, **names):
        content = text if isinstance(text, bytes) else text.encode()
        return list(read(io.BytesIO(content), "list", site(site={"virtdomains": "userid"}).namespace))

    return reading


ALICE = MailboxName("alice")


@pytest.mark.parametrize(
    ("line", "name", "partition", "acl"),
    [
        (
            "user.alice\t0 default alice\tlrswipcda\tbob\tlrs\t\n",
            ALICE,
            "default",
            (("alice", "lrswipcda"), ("bob", "lrs")),
        ),
        ("user.alice\tdefault alice\tlrs\t\n", ALICE, "default", (("alice", "lrs"),)),
        ("user.alice\te p2 alice\tlrs\t\n", ALICE, "p2", (("alice", "lrs"),)),
        ("user.alice\t0 default \n", ALICE, "default", ()),
        ("user.alice\t0 default\n", ALICE, "default", ()),
        ("user.alice\t0 default a b\tlrs\t\n", ALICE, "default", (("a b", "lrs"),)),
        ("user.alice\t0 default alice\tlrs\t", ALICE, "default", (("alice", "lrs"),)),
        ("example.org!user.a^b.c^d\t0 default \n", MailboxName("a.b@example.org", ("c.d",)), "default", ()),
        ("board.x\r\n".replace("\r\n", "\t0 default \r\n"), MailboxName(None, ("board", "x")), "default", ()),
        ("user.alice.Entw&APw-rfe\t0 default \n", MailboxName("alice", ("Entwürfe",)), "default", ()),
    ],
)
def test_lines_of_every_version_are_understood(reading, line, name, partition, acl):
    (entry,) = reading(line)
    assert (entry.name, entry.partition, entry.acl) == (name, partition, acl)
    assert decoded(entry.encode()) == entry


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("user.a\t1 srv!default a\tlrs\t\n", "remote"),
        ("user.a\tsrv.example.org!default a\tlrs\t\n", "remote"),
        ('{"user.a": {"mbtype": "r", "server": "srv"}}', "remote"),
        ('{"user.a": {"mbtype": "ed", "acl": {}}}', "deleted"),
        ('{"DELETED.user.*.6B02B818": {"mbtype": "e", "partition": "default"}}', "deleted"),
        ("DELETED.user.a.6B02B818\t0 default a\tlrs\t\n", "deleted"),
        ('{"user.a": {"mbtype": "i"}}', "intermediate"),
        ('{"user.a.#calendars": {"mbtype": "c"}}', "not mail"),
        ("user.a\t32 default a\tlrs\t\n", "not mail"),
        ("user.a\t0 default a\tlrs\tb\n", "broken"),
        ("user.a\t0 default a\tlrs", "broken"),
        ("user.a\n", "broken"),
        ("user..a\t0 default \n", "broken"),
        (b"user.\xff\t0 default \n", "broken"),
        ("user.a&x\t0 default \n", "broken"),
        ('{"user.a": 7}', "broken"),
        ('{"user.a": {"acl": [1]}}', "broken"),
        ('{"user.a": {"partition": ["x"]}}', "broken"),
        ('{"user.a": {"quota": {"STORAGE": "x"}}}', "broken"),
        ('{"user.a": {"quota": {"STORAGE": 1e99}}}', "broken"),
        ('{"user.a": {"annotations": {"": {"comment": "x"}}}}', "broken"),
        ('{"user.a": ' + "9" * 9000 + "}", "broken"),
        ('{"user.a": ' + "[" * 99999, "broken"),
        ("[]", "broken"),
    ],
)
def test_what_is_not_for_us_is_named(reading, text, what):
    (entry,) = reading(text)
    assert entry.what == what
    assert entry.silent == (what in ("deleted", "intermediate"))


@pytest.mark.parametrize("cut", [1, 2, 9, 40, 100, 119])
def test_of_a_file_that_is_cut_off_what_is_whole_is_read(reading, cut):
    text = '{\n"user.a": {"mbtype": "e", "partition": "default"},\n"user.b": {"mbtype": "e", "partition": "default", "acl": {"b": "lrs"}}\n}\n'
    *found, last = reading(text[:cut])
    assert "the file ends in the middle" in last.why
    assert all(isinstance(entry, Entry) for entry in found)
    assert len(found) == (cut > 53)


def test_what_stands_behind_the_end_is_wrong(reading):
    assert [type(entry).__name__ for entry in reading('{"user.a": {}} {"user.b": {}}')] == ["Entry", "Unread"]


def test_entries_longer_than_a_block_are_read(reading):
    rights = {f"user{number}": "lrs" for number in range(100_000)}
    first, second = reading(json.dumps({"user.a": {"acl": rights}, "user.b": {}}))
    assert len(first.acl) == 100_000
    assert second.name == MailboxName("b")


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("user.alice\t5 100\n", Limits(storage=102400)),
        ("user.alice\t5 -1\n", Limits()),
        ("user.alice\t%(S (0 10240) M (3) AS (0 2) NF (1 7) MODSEQ 0)\n", Limits(10485760, None, 7, 2048)),
        ('{"user/alice": {"STORAGE": {"used": 3, "limit": 10}, "X-NUM-FOLDERS": {"used": 1}}}', Limits(10240)),
        ('{"user.alice": {"mbtype": "i", "quota": {"MESSAGE": "5"}}}', Limits(messages=5)),
    ],
)
def test_quota_roots_are_read_as_cyrus_keeps_and_reports_them(reading, text, limits):
    (entry,) = reading(text)
    assert (entry.name, entry.kind, entry.limits) == (ALICE, "i", limits)


@pytest.mark.parametrize(
    "name",
    [
        MailboxName("a.b", ("x^y", "a&b", "w!z", "q.r", "ü^!é", "&AF4-")),
        MailboxName("jürgen@example.org", ("x",)),
        MailboxName(None, ("board", "100% ~")),
        MailboxName(None, (), "example.org"),
    ],
)
def test_internal_names_lead_back(site, name):
    namespace = site(site={"virtdomains": "userid"}).namespace
    internal = format_internal(name)
    assert internal.isascii()
    assert parse_internal(namespace, internal) == name


@pytest.mark.parametrize("in_memory", [1, 300, 10**6])
def test_rows_come_in_order_whatever_fits_into_memory(in_memory):
    rows = [b"%d" % (number * 7919 % 1000) for number in range(1000)]
    assert list(sorted_rows(iter(rows), in_memory)) == sorted(rows)


@pytest.mark.parametrize(
    "field",
    [
        '"partition": "\\ud800"',
        '"annotations": {"": {"/shared/comment": "\\ud800"}}',
        '"annotations": {"\\ud800": {"/private/comment": "x"}}',
    ],
)
def test_half_a_character_is_no_text(reading, field):
    (entry,) = reading(f'{{"user.alice": {{"mbtype": "e", {field}}}}}')
    assert (entry.what, "no text" in entry.why) == ("broken", True)


def test_the_first_name_of_all_may_be_a_space(reading):
    assert [entry.name.path for entry in reading(" \t0 default anyone\tlrs\t\n#x\t0 default \n")] == [(" ",), ("#x",)]


@pytest.mark.parametrize("text", ["", " \n \n", "\r\n\n", "{}", " {\n\n}\n"])
def test_an_empty_list_has_nothing_wrong_in_it(reading, text):
    assert reading(text) == []
