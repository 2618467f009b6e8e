import pytest
from hypothesis import given
from hypothesis import strategies as st

from sievemda.managesieve.reply import OK, Reply, literal, string
from sievemda.managesieve.wire import Malformed, Reader, number


def read(octets, *, budget=10_000, patience=10_000):
    """Everything there is to take."""
    reader = Reader(budget, patience)
    reader.feed(octets)
    found = []
    while (item := reader.next()) is not None:
        found.append(item)
        if isinstance(item, Malformed) and item.fatal:
            break
    return found


@pytest.mark.parametrize(
    ("octets", "line"),
    [
        (b"NOOP\r\n", ("NOOP",)),
        (b"noop\n", ("noop",)),
        (b'NOOP "tag"\r\n', ("NOOP", b"tag")),
        (b'NOOP  "tag"  \r\n', ("NOOP", b"tag")),
        (b'NOOP ""\r\n', ("NOOP", b"")),
        (b'NOOP "a \\"b\\" \\\\c"\r\n', ("NOOP", b'a "b" \\c')),
        (b"NOOP {3+}\r\nabc\r\n", ("NOOP", b"abc")),
        (b"NOOP {3}\r\nabc\r\n", ("NOOP", b"abc")),
        (b"NOOP {0+}\r\n\r\n", ("NOOP", b"")),
        (b"NOOP {3+}\nabc\n", ("NOOP", b"abc")),
        (b"NOOP {5+}\r\na\r\nb\0\r\n", ("NOOP", b"a\r\nb\0")),
        (b"PUTSCRIPT {1+}\r\na {5+}\r\nkeep;\r\n", ("PUTSCRIPT", b"a", b"keep;")),
        (b'PUTSCRIPT {1+}\r\na "keep;"\r\n', ("PUTSCRIPT", b"a", b"keep;")),
        (b'HAVESPACE "a" 100\r\n', ("HAVESPACE", b"a", "100")),
        (b'NOOP "%s"\r\n' % (b"x" * 5000), ("NOOP", b"x" * 5000)),
        (b'NOOP "\xc3\xbc {3+}"\r\n', ("NOOP", b"\xc3\xbc {3+}")),
        (b'""\r\n', (b"",)),
        (b'"*"\r\n', (b"*",)),
        (b"\r\n", ()),
    ],
)
def test_a_line_comes_out_as_its_tokens_however_it_is_cut(octets, line):
    assert read(octets) == [line]
    for size in (1, 2, 3, 7):
        reader, found = Reader(10_000, 10_000), []
        for at in range(0, len(octets), size):
            reader.feed(octets[at : at + size])
            while (item := reader.next()) is not None:
                found.append(item)
        assert found == [line]


def test_pipelined_lines_come_out_one_by_one():
    assert read(b'NOOP "1"\r\nPUTSCRIPT "a" {8+}\r\nLOGOUT\r\n\r\nLOGOUT\r\n') == [
        ("NOOP", b"1"),
        ("PUTSCRIPT", b"a", b"LOGOUT\r\n"),
        ("LOGOUT",),
    ]


@pytest.mark.parametrize(
    "octets",
    [
        b'NOOP "a\r\n',
        b'NOOP "a {8+}\r\n',
        b'NOOP "a\\n"\r\n',
        b'NOOP "a\0b"\r\n',
        b'NOOP "a\rb"\r\n',
        b'NOOP"a"\r\n',
        b'NOOP "a""b"\r\n',
        b"NOOP {x}\r\n",
        b"NOOP {}\r\n",
        b"NOOP {-1+}\r\n",
        b"NOOP {3+} \r\n",
        b"NOOP (a)\r\n",
        b"NOOP \t\r\n",
        b"\x80\xff\r\n",
        b"\0\r\n",
        b"%s\r\n" % (b"A" * 1025),
        b"\x16\x03\x01\x02\r\n",
    ],
)
def test_after_a_mistake_the_next_line_is_read(octets):
    found = read(octets + b"LOGOUT\r\n")
    assert isinstance(found[0], Malformed)
    assert not found[0].fatal
    assert found[1:] == [("LOGOUT",)]


@pytest.mark.parametrize(
    "octets",
    [
        b"NOOP (x {8+}\r\nLOGOUT\r\n\r\n",
        b"NOOP (x {8}\r\nLOGOUT\r\n {8+}\r\nLOGOUT\r\n\r\n",
        b"NOOP {1+}\r\na{8+}\r\nLOGOUT\r\n\r\n",
        b'NOOP "a\0b" {8+}\r\nLOGOUT\r\n\r\n',
        b'NOOP "a\rb" {8}\r\nLOGOUT\r\n\r\n',
        b'NOOP "a\\n\\"b" {8+}\r\nLOGOUT\r\n\r\n',
    ],
)
def test_the_literals_of_a_malformed_line_are_not_commands(octets):
    found = read(octets + b"NOOP\r\n")
    assert isinstance(found[0], Malformed)
    assert found[1:] == [("NOOP",)]


@pytest.mark.parametrize(
    "octets", [b" ab" * 3000, b' "ab"' * 3000, b" {2+}\r\nab" * 3000], ids=["atoms", "strings", "literals"]
)
def test_a_line_of_many_words_is_not_kept(octets):
    found = read(b"NOOP" + octets + b" {6+}\r\nNOOP\r\n\r\nLOGOUT\r\n", budget=100_000)
    assert [type(item) for item in found] == [Malformed, tuple]
    assert len(found[0].tokens) < 100
    assert found[1] == ("LOGOUT",)


def test_a_malformed_line_tells_what_came_before():
    assert read(b'PUTSCRIPT "a" (\r\n')[0].tokens == ("PUTSCRIPT", b"a")


@pytest.mark.parametrize(
    "octets",
    [
        b'PUTSCRIPT "a" {200+}\r\n' + b"x" * 200 + b"\r\n",
        b'PUTSCRIPT "a" "' + b"x" * 200 + b'"\r\n',
        b'PUTSCRIPT "a" {60+}\r\n' + b"x" * 60 + b" {60+}\r\n" + b"x" * 60 + b"\r\n",
    ],
)
@pytest.mark.parametrize("size", [1, 50, 10_000])
def test_a_line_over_the_budget_is_skipped_and_not_kept(octets, size):
    reader, found = Reader(100, 10_000), []
    for at in range(0, len(octets), size):
        reader.feed(octets[at : at + size])
        while (item := reader.next()) is not None:
            found.append(item)
        assert len(reader._buffer) <= 100 + size
    reader.feed(b"NOOP\r\n")
    assert [(item.too_large, item.fatal) for item in found] == [(True, False)]
    assert reader.next() == ("NOOP",)


@pytest.mark.parametrize(
    "octets",
    [
        b"NOOP {4294967296+}\r\n",
        b"NOOP {99999999999999999999999999+}\r\n",
        b"x" * 3000,
        b"NOOP {4000+}\r\n" + b"x" * 3000,
        b'"' + b"x" * 3000,
    ],
)
def test_a_line_whose_end_cannot_be_awaited_is_fatal(octets):
    found = read(octets, budget=1000, patience=1000)
    assert found[-1].fatal


def test_a_large_literal_is_not_allocated_before_it_comes():
    reader = Reader(10_000, 5_000_000_000)
    reader.feed(b"NOOP {4294967295+}\r\n")
    assert reader.next() is None
    assert len(reader._buffer) == 0


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 200, 1_000])
@pytest.mark.parametrize("mark", [b"{11+}", b"{11}"])
def test_the_literal_behind_a_line_that_is_too_long_is_not_a_command(mark, size):
    reader, found = Reader(100, 10_000), []
    octets = b'PUTSCRIPT "' + b"x" * 300 + b'" ' + mark + b'\r\nDELETE "a"\n\r\nNOOP\r\n'
    for at in range(0, len(octets), size):
        reader.feed(octets[at : at + size])
        while (item := reader.next()) is not None:
            found.append(item)
    assert [isinstance(item, Malformed) for item in found] == [True, False]
    assert found[1] == ("NOOP",)


def test_what_came_before_tls_is_forgotten():
    reader = Reader(1000, 1000)
    reader.feed(b'STARTTLS\r\nPUTSCRIPT "a" {5+}\r\nke')
    assert reader.next() == ("STARTTLS",)
    reader.clear()
    reader.feed(b"NOOP\r\n")
    assert reader.next() == ("NOOP",)


@pytest.mark.parametrize(
    ("token", "value"),
    [
        ("0", 0),
        ("42", 42),
        ("4294967295", 4294967295),
        ("4294967296", 4294967296),
        ("9" * 1000, 4294967296),
        ("007", None),
        ("-1", None),
        ("1K", None),
        (b"42", None),
    ],
)
def test_numbers_have_no_leading_zeros_and_those_beyond_32_bits_are_alike(token, value):
    assert number(token) == value


atoms = st.from_regex(r"[A-Za-z0-9!*+.-]{1,20}", fullmatch=True)
strings = st.binary(max_size=50)


@given(tokens=st.lists(atoms | strings, max_size=5), cut=st.integers(1, 20))
def test_what_is_written_is_read_back(tokens, cut):
    octets = (
        b" ".join(t.encode() if isinstance(t, str) else string(t).replace(b"}\r\n", b"+}\r\n", 1) for t in tokens)
        + b"\r\n"
    )
    reader, found = Reader(10_000, 10_000), []
    for at in range(0, len(octets), cut):
        reader.feed(octets[at : at + cut])
        while (item := reader.next()) is not None:
            found.append(item)
    assert found == [tuple(tokens)]


@given(octets=st.binary(max_size=300) | st.text(alphabet='"\\{}+ \r\n0123A(', max_size=120).map(str.encode))
def test_no_octets_break_the_reader(octets):
    for item in read(octets, budget=50, patience=50):
        assert isinstance(item, (tuple, Malformed))


@pytest.mark.parametrize(
    ("reply", "octets"),
    [
        (OK, b"OK\r\n"),
        (Reply("NO", "no such thing"), b'NO "no such thing"\r\n'),
        (Reply("NO", "gone", "NONEXISTENT"), b'NO (NONEXISTENT) "gone"\r\n'),
        (Reply("NO", "", "TRYLATER"), b"NO (TRYLATER)\r\n"),
        (Reply("OK", "done", "TAG", b"x"), b'OK (TAG {1}\r\nx) "done"\r\n'),
        (Reply("NO", 'add require "x"'), b'NO {15}\r\nadd require "x"\r\n'),
        (Reply("NO", 'there is no "x\\y"', "NONEXISTENT"), b"NO (NONEXISTENT) \"there is no 'x/y'\"\r\n"),
        (Reply("OK", "two\nlines", "WARNINGS"), b'OK (WARNINGS) "two lines"\r\n'),
        (Reply("NO", "line 1: a\r\nline 2: b"), b"NO {20}\r\nline 1: a\r\nline 2: b\r\n"),
        (Reply("BYE", "bye"), b'BYE "bye"\r\n'),
    ],
)
def test_replies_as_octets(reply, octets):
    assert bytes(reply) == octets


def test_a_plain_success_has_no_text():
    with pytest.raises(ValueError, match="needs a code"):
        Reply("OK", "done")


@pytest.mark.parametrize(("text", "octets"), [(b'a"b', b'"a\\"b"'), (b"a\\b", b'"a\\\\b"'), (b'"' * 512, None)])
def test_a_name_is_quoted_where_that_can_be(text, octets):
    assert string(text) == (octets or b'"' + b'\\"' * 512 + b'"')


@pytest.mark.parametrize("text", [b"a\nb", b"a\rb", b"a\0b", b"x" * 1025])
def test_what_cannot_be_quoted_is_a_literal(text):
    assert string(text) == literal(text)
