"""Reading and writing mbox."""

import mailbox as standard
from contextlib import closing

import pytest

from sievemda.mail.carried import Carried, of_octets
from sievemda.store.message_list import stored
from sievemda.upkeep.exporting.mbox import write_mbox
from sievemda.upkeep.filling import Filling
from sievemda.upkeep.importing import mbox as reading
from sievemda.upkeep.importing.mbox import Mbox

MARK = "From a@b.example Thu Nov 29 22:33:52 2001 +0000\n"
AT = 1007073232.0
TWO = f"{MARK}Subject: 1\n\none\n\n{MARK}Subject: 2\n\ntwo\n\n"


@pytest.fixture
def read(tmp_path):
    """The messages of a file: (content, flags, arrived, new), and the file as it was read."""

    def read(text, form="auto"):
        path = tmp_path / "box"
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape"))
        with path.open("rb") as file:
            box = Mbox(file.fileno(), "box", form)
            assert box.is_mbox
            found = [(b"".join(each.content()).decode("latin-1"), each) for each in box]
        return found, box

    return read


def texts(found):
    return [text for text, _ in found[0]]


# -- where messages begin ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("", []),
        ("\n\n", []),
        (TWO, ["Subject: 1\n\none\n", "Subject: 2\n\ntwo\n"]),
        (f"\n\n{TWO}\n\n", ["Subject: 1\n\none\n", "Subject: 2\n\ntwo\n\n\n"]),
        (TWO.replace("one\n\n", "one\n"), ["Subject: 1\n\none\n", "Subject: 2\n\ntwo\n"]),
        (TWO.replace("\n", "\r\n"), ["Subject: 1\r\n\r\none\r\n", "Subject: 2\r\n\r\ntwo\r\n"]),
        (f"{MARK}A: b\n\n{MARK}A: c\n\n", ["A: b\n", "A: c\n"]),
        (f"{MARK}A: b\n{MARK}A: c\nContent-Length: 0\n\n", ["A: b\n", "A: c\n\n"]),
        (f"{MARK}A: b\n\nFrom here on\nB: c\n\n", ["A: b\n\nFrom here on\nB: c\n"]),
        (f"{MARK}A: b\n\nFrom may 12 12:30 2001 on\nit is hot\n\n", ["A: b\n\nFrom may 12 12:30 2001 on\nit is hot\n"]),
        (f"{MARK}A: b\n\nx\nFrom x 2001 12:30\nB: c\n\n", ["A: b\n\nx\nFrom x 2001 12:30\nB: c\n"]),
        (f"From - {MARK[17:]}A: b\n\nc\n", ["A: b\n\nc\n"]),
        (f"{MARK}A: b\n\nx\0y\udcff\n", ["A: b\n\nx\0yÿ\n"]),
        (f"{MARK}\nno header\n\n{MARK}A: b\n", ["\nno header\n", "A: b\n"]),
        (f"{MARK}{MARK}A: b\n", ["A: b\n"]),
        (f"{MARK}\n{MARK}\n{MARK}A: b\n\n", ["\n", "\n", "A: b\n"]),
        ("From a@b\nA: b\n\nFrom here\non\n\nFrom c\nA: c\n\n", ["A: b\n\nFrom here\non\n", "A: c\n"]),
        ("From a jeu. nov. 29 2001\nA: b\n\nx\n\nFrom c lun. 3\nA: c\n\n", ["A: b\n\nx\n", "A: c\n"]),
        (f"{MARK}A: b\n\nx\n\nFrom me to you", ["A: b\n\nx\n\nFrom me to you"]),
        (f"{MARK}>From old {MARK[17:]}A: b\n\nc\n", [f">From old {MARK[17:]}A: b\n\nc\n"]),
    ],
)
def test_messages_are_told_apart(read, text, messages):
    assert texts(read(text)) == messages


@pytest.mark.parametrize("window", [16, 40, 64])
def test_the_window_may_end_anywhere(read, monkeypatch, window):
    monkeypatch.setattr(reading, "_WINDOW", window)
    text = TWO.replace("one", ">From x\n>>From y\n" + "z" * 100 + ">From z\none")
    assert texts(read(text)) == [
        f"Subject: 1\n\nFrom x\n>From y\n{'z' * 100}>From z\none\n",
        "Subject: 2\n\ntwo\n",
    ]


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ("auto", "From x\n>From y\n"),
        ("mboxrd", "From x\n>From y\n"),
        ("mboxo", "From x\n>>From y\n"),
        ("mboxcl2", ">From x\n>>From y\n"),
    ],
)
def test_quotes_are_taken_away_as_they_were_put_there(read, form, body):
    assert texts(read(f"{MARK}A: b\n\n>From x\n>>From y\n\n", form)) == [f"A: b\n\n{body}"]


def test_a_length_that_fits_is_believed(read):
    body = f"x\n\n{MARK}A: quoted\n\n>From y\n"
    found = read(f"{MARK}Content-Length: {len(body)}\nA: b\n\n{body}\n{TWO}")
    assert texts(found)[:2] == [f"A: b\n\n{body}", "Subject: 1\n\none\n"]


@pytest.mark.parametrize("length", [0, 3, 1000, 10**14, "junk"])
def test_a_length_that_does_not_fit_is_not(read, length):
    text = TWO.replace("Subject: 1\n", f"Subject: 1\nContent-Length: {length}\n")
    assert texts(read(text)) == ["Subject: 1\n\none\n", "Subject: 2\n\ntwo\n"]


# -- what they are -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "flags", "new"),
    [
        ("", (), True),
        ("Status: O\n", (), False),
        ("Status: RO\nX-Status: AFDT\n", ("\\Seen", "\\Answered", "\\Flagged", "\\Draft", "\\Deleted"), False),
        ("Status: R\n", ("\\Seen",), False),
        ("status:   ro\nX-STATUS: f\n", ("\\Seen", "\\Flagged"), False),
        ("Status: O\nX-Keywords: $Label1 work   $Label1 \n", ("$Label1", "work"), False),
        ("X-Keywords: a\n b\n", ("a", "b"), False),
        ("X-Keywords: a, b,c\n", ("a", "b,c"), False),
        ("X-UID: 17\nX-IMAPbase: 1 17 work\nContent-Length: 9\n", (), True),
        ("X-Mozilla-Status: 0005\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys: $label1  \n", None, False),
        ("X-Mozilla-Status: nonsense\n", (), False),
    ],
)
def test_fields_of_the_mbox_become_flags_and_leave(read, fields, flags, new):
    [(text, carried)], _ = read(f"{MARK}A: b\n{fields}C: d\n\ne\n")
    assert text == "A: b\nC: d\n\ne\n"
    assert carried.flags == (("\\Seen", "\\Flagged", "$label1") if flags is None else flags)
    assert carried.new is new


@pytest.mark.parametrize(
    ("mark", "fields", "arrived"),
    [
        (MARK, "Date: Fri, 30 Nov 2001 00:00:00 +0000\n", AT),
        ("From a\n", "Date: Thu, 29 Nov 2001 23:33:52 +0100\n", AT),
        ("From a\n", "Received: by x; Thu, 29 Nov 2001 22:33:52 +0000\nDate: Fri, 30 Nov 2001 00:00:00 +0000\n", AT),
        ("From a\n", "Date: never\n", None),
        (MARK.replace("2001", "9999"), "Date: Thu, 29 Nov 2001 22:33:52 +0000\n", AT),
        ("From a Wed Dec 31 23:59:59 1969 +0000\n", "Date: Thu, 29 Nov 2001 22:33:52 +0000\n", AT),
    ],
)
def test_a_message_arrived_when_its_postmark_or_else_its_fields_say(read, mark, fields, arrived):
    [(_, carried)], _ = read(f"{mark}{fields}\nx\n")
    assert carried.arrived == arrived


def test_flags_that_an_imap_server_has_changed_in_a_file_of_ours_hold(read):
    fields = "Status: RO\nX-Status: A \nX-Keywords: work      \nX-UID: 2\nSubject: x\nStatus: the sender's\n"
    [(text, carried)], _ = read(f"{MARK}{fields}\nx\n")
    assert carried.flags == ("\\Seen", "\\Answered", "work")
    assert text == "Subject: x\nStatus: the sender's\n\nx\n"


def test_what_an_imap_server_notes_for_itself_is_no_message(read):
    notes = "Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 1 2\n\nThis text is part of ...\n\n"
    found, box = read(f"{MARK}{notes}{TWO}")
    assert (len(found), box.skipped) == (2, 1)
    quoted = f"{MARK}{notes.replace('X-IMAP: 1 2', 'X: y')}{TWO}"
    assert len(read(quoted)[0]) == 3


def test_it_is_told_where_a_message_lies(read):
    assert [each.where for _, each in read(TWO)[0]] == ["box, message 1, at octet 0", "box, message 2, at octet 65"]


# -- what is not whole -------------------------------------------------------------------------------------------------

PARTS = 'Content-Type: multipart/mixed; boundary="==x"\n\n--==x\n\nhello\n'


@pytest.mark.parametrize(
    ("text", "count", "reason"),
    [
        (TWO, 2, ""),
        (TWO.rstrip("\n") + "\n", 2, ""),
        (TWO.rstrip("\n"), 2, "message 2, at octet 65, is not whole: its last line is cut"),
        (TWO + MARK[:30], 2, "message 3, at octet 130, is not whole: its first line is cut"),
        (TWO.replace("Subject: 2\n", "Content-Length: 99\n"), 2, "its Content-Length is 99"),
        (f"{MARK}{PARTS}", 1, "its last part has no end"),
        (f"{MARK}{PARTS}--==x--\n", 1, ""),
        (TWO + MARK, 2, "message 3, at octet 130, is not whole: there is nothing but its first line"),
        (f"{TWO}{MARK}A: b\n", 3, "message 3, at octet 130, is not whole: its header has no end"),
    ],
)
def test_what_is_cut_is_told_and_what_is_whole_is_there(read, text, count, reason):
    found, box = read(text)
    assert len(found) == count
    assert reason in box.problem
    assert bool(reason) == bool(box.problem)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [MARK, MARK.replace("+0000", "").replace(" \n", "\n"), f"From - {MARK[17:]}"])
def test_wherever_a_file_is_cut_the_messages_before_are_whole(read, mark, end):
    one = f"{mark}A: b\n\nx\n>From y\n\nFrom then on\nend\n\n".replace("\n", end)
    [whole] = texts(read(one))
    for cut in range(len(one), 2 * len(one) - len(end)):
        found = read((one + one)[:cut])
        assert texts(found)[0] == whole
        assert found[1].problem or cut == len(one) or one[: cut - len(one)].endswith("\n"), cut


# -- writing -----------------------------------------------------------------------------------------------------------

MESSAGES = [
    Carried(of_octets(b"Return-Path: <x@y.example>\nA: b\n\nhi\n"), ("\\Seen", "zeta", "alpha"), 1e9),
    Carried(of_octets(b"A: b\nStatus: mine\nX-UID: 5\n\nFrom x\n>From y\n>>From z\n"), (), 2e9, new=True),
    Carried(
        of_octets(b"Status: RO\nX-UID: 5\n\nthe sender's\n"), ("\\Answered", "\\Flagged", "\\Draft", "\\Deleted"), 5
    ),
    Carried(of_octets(b"\nno header\n"), (), 1e9),
    Carried(of_octets(b"\n\n>From x\n\n"), (), 1e9),
    Carried(of_octets(b"\n"), (), 1e9),
    Carried(of_octets(b"From me Thu Nov 29 22:33:52 2001\nA: b\n\n" + MARK.encode() + b"C: d\n"), (), 1e9),
    Carried(of_octets(b"A: only\n"), (), 1e9),
    Carried(of_octets(b"A: only\n\n"), (), 1e9),
    Carried(of_octets(b"A: b\n\nends empty\n\n\n"), (), 1e9),
    Carried(of_octets(b"same\n"), (), 1e9),
    Carried(of_octets(b"same\n"), (), 1e9),
    Carried(of_octets(b"A: b\n\n" + b"long" * 400_000 + b"\n>From x\n"), (), 1e9),
]


def written(box, form="mboxrd"):
    pieces = []
    write_mbox(box, pieces.append, form)
    return b"".join(pieces)


def known(box):
    return [(each.file.read_bytes(), each.flags, each.new, each.arrived) for each in stored(box)]


def filled(box, messages):
    with Filling(box) as work:
        for message in messages:
            work.add(message)
    return box


@pytest.mark.parametrize("form", ["mboxrd", "mboxcl2"])
def test_what_is_written_is_read_as_it_was_and_written_the_same(tmp_path, mailbox, form):
    first, second = mailbox("user/alice/One"), mailbox("user/alice/Two")
    text = written(filled(first, MESSAGES), form)
    (tmp_path / "x").write_bytes(text)
    with (tmp_path / "x").open("rb") as file:
        box = Mbox(file.fileno(), "x")
        filled(second, box)
    assert not box.problem
    by_keyword = [(data, set(flags), new, arrived) for data, flags, new, arrived in known(first)]
    assert [(data, set(flags), new, arrived) for data, flags, new, arrived in known(second)] == by_keyword
    assert written(second, form) == text


def test_other_programs_find_the_same_messages(tmp_path, mailbox):
    box = filled(mailbox("user/alice/One"), [MESSAGES[0], MESSAGES[5]])
    (tmp_path / "x").write_bytes(written(box, "mboxo"))
    with closing(standard.mbox(tmp_path / "x", create=False)) as opened:
        found = list(opened)
    assert [each.get_flags() for each in found] == ["RO", "O"]
    assert found[0].get_from() == "x@y.example Sun Sep  9 01:46:40 2001"
    assert found[0]["X-IMAPbase"] == "1 0000000002 alpha zeta"
    assert found[0]["X-Keywords"] == "alpha zeta"


def test_a_message_without_a_last_line_end_gets_one(mailbox):
    box = filled(mailbox("user/alice/One"), [Carried(of_octets(b"A: b\n\nc"), (), 0)])
    assert written(box).endswith(b"\n\nc\n\n")


@pytest.mark.parametrize(
    ("content", "base"),
    [
        ("3 V1700000000 N9 Gabc\n", "1700000000 0000000002"),
        ("3 N9 V1700000000\n", "1700000000 0000000002"),
        ("1 1700000000 9\n", "1700000000 0000000002"),
        ("junk\n", "1 0000000002"),
    ],
)
def test_an_imap_servers_uidvalidity_is_in_the_first_message(mailbox, content, base):
    box = filled(mailbox("user/alice/One"), MESSAGES[3:5])
    (box.path / "dovecot-uidlist").write_text(content)
    text = written(box)
    assert f"X-IMAPbase: {base}\n".encode() in text
    assert text.count(b"X-IMAPbase") == 1


def test_a_message_that_has_gone_is_counted(mailbox, monkeypatch):
    box = filled(mailbox("user/alice/One"), MESSAGES[:2])
    pieces = []

    def vanish(piece):
        pieces.append(piece)
        for each in list(stored(box)):
            each.file.unlink()

    assert write_mbox(box, vanish) == (1, 1)


def test_a_message_that_a_reader_moves_while_it_is_looked_for_is_written_once(mailbox):
    box = mailbox("user/alice/One")
    for name in ("new/1.a,S=2", "cur/1.a,S=2:2,S", "cur/2.b:2,", "new/3.c"):
        (box.path / name).write_text("x\n")
    assert write_mbox(box, lambda _: None) == (3, 0)
