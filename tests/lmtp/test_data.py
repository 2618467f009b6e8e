from hypothesis import given
from hypothesis import strategies as st

from sievemda.lmtp.data import Unstuffer

PIECES = [b"\r", b"\n", b".", b"a", b"\r\n", b"..", b"\r\n.", b"\n.\n"]


def run(raw, cuts):
    """(content, rest) of `raw` fed in pieces."""
    unstuffer, content, start = Unstuffer(), b"", 0
    for end in [*sorted({c for c in cuts if 0 < c < len(raw)}), len(raw)]:
        content += unstuffer.feed(raw[start:end])
        start = end
        if unstuffer.done:
            return content, unstuffer.rest + raw[end:]
    return content, None


def by_lines(raw):
    """The same by the words of RFC 5321 §4.5.2."""
    lines, content = raw.split(b"\r\n"), []
    for number, line in enumerate(lines):
        if line == b".":
            return b"".join(content), b"\r\n".join(lines[number + 1 :])
        content.append((line[1:] if line.startswith(b".") else line) + b"\r\n")
    raise AssertionError


@given(st.lists(st.sampled_from(PIECES)).map(b"".join), st.lists(st.integers(0, 60)))
def test_any_division_into_blocks_reads_as_the_lines_do(text, cuts):
    raw = text + b"\r\n.\r\nQUIT\r\n"
    assert run(raw, cuts) == by_lines(raw)


def test_the_end_may_come_first():
    assert run(b".\r\n", []) == (b"", b"")


def test_without_an_end_all_but_its_beginning_is_given_out():
    assert run(b"abc\r\n.", []) == (b"abc", None)


def test_a_line_of_100_kilobytes_arrives_whole():
    line = b"x" * 100_000
    assert run(line + b"\r\n.\r\n", range(0, 100_000, 4096)) == (line + b"\r\n", b"")
