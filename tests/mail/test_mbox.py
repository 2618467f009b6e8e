import io
import mailbox

import pytest

from sievemda.mail.mbox import is_mbox, letters

FROM = b"From bob@example.net Sat Jan  3 01:05:34 2026\n"


def read(data, most=1 << 20):
    return list(letters(io.BytesIO(data), most))


def texts(data):
    return [letter.data for letter in read(data)]


def test_messages_begin_at_from_lines_and_the_empty_line_before_is_of_none():
    one, two = b"Subject: 1\n\none\n", b"Subject: 2\n\ntwo\n"
    found = read(FROM + one + b"\n" + FROM + two + b"\n")
    assert [letter.data for letter in found] == [one, two]
    assert [letter.sender for letter in found] == ["bob@example.net"] * 2
    assert found[-1].end == len(FROM) * 2 + len(one) + len(two) + 2


def test_line_ends_may_be_crlf():
    one = b"Subject: 1\r\n\r\none\r\n"
    assert texts((FROM + b"@@" + b"\n" + FROM).replace(b"\n", b"\r\n").replace(b"@@", one) + one) == [one, one]


def test_a_message_without_a_body_keeps_the_end_of_its_header():
    assert texts(FROM + b"Subject: 1\n\n" + FROM + b"Subject: 2\n\n") == [b"Subject: 1\n\n", b"Subject: 2\n\n"]
    assert texts(FROM + b"Subject: 1\n\n\n" + FROM + b"Subject: 2\n\n") == [b"Subject: 1\n\n", b"Subject: 2\n\n"]


def test_what_is_no_mbox_is_one_message_with_all_its_lines():
    assert texts(b"A: 1\n\nx\n\n") == [b"A: 1\n\nx\n\n"]


def test_one_quoting_mark_is_taken_away():
    assert texts(FROM + b"A: 1\n\n>From me\n>>From me\n> From\n")[0] == b"A: 1\n\nFrom me\n>From me\n> From\n"


@pytest.mark.parametrize("line", [b"From here it goes on\n", b"From: x\n", b" From a 1:00 2026\n", b"From\n"])
def test_a_sentence_is_no_beginning(line):
    assert len(read(FROM + b"A: 1\n\nx\n\n" + line + b"and on\n")) == 1


def test_a_line_without_a_date_counts_when_a_field_follows():
    assert len(read(b"From a@b\nA: 1\n\nx\n\nFrom c@d\nA: 2\n\ny\n")) == 2


def test_a_beginning_needs_an_empty_line_before_it():
    assert len(read(FROM + b"A: 1\n\nx\n" + FROM + b"A: 2\n\ny\n")) == 1


def test_a_content_length_that_fits_is_believed():
    body = b"x\n\n" + FROM + b">From y\n"
    data = FROM + b"Content-Length: %d\n\n%s\n" % (len(body), body) + FROM + b"A: 2\n\ny\n"
    assert texts(data) == [b"Content-Length: %d\n\n%s" % (len(body), body), b"A: 2\n\ny\n"]


@pytest.mark.parametrize("length", [0, 1, 3, 10**6, 10**14])
def test_a_content_length_that_does_not_fit_is_not_believed(length):
    data = FROM + b"Content-Length: %d\n\nxx\n\n" % length + FROM + b"A: 2\n\ny\n"
    assert [text[-3:] for text in texts(data)] == [b"xx\n", b"\ny\n"]


def test_of_a_large_message_the_beginning_is_kept_and_the_rest_passed_over():
    data = FROM + b"A: 1\n\n" + b"x" * 70_000 * 3 + b"\n\n" + FROM + b"A: 2\n\ny\n"
    found = read(data, 1000)
    assert [(len(letter.data), letter.complete) for letter in found] == [(1000, False), (8, True)]


def test_the_end_of_a_long_line_is_no_empty_line():
    data = FROM + b"A: 1\n\n" + b"x" * (1 << 16) + b"\n" + FROM + b"A: 2\n\ny\n"
    assert len(read(data)) == 1


@pytest.mark.parametrize("data", [b"", b"\n\n", b"From ", b"From \n", FROM, b"no mbox\n", b"From " + b"x" * 200_000])
def test_whatever_a_file_holds_it_is_read_to_its_end(data):
    assert len(read(data)) <= 1


def test_what_the_standard_library_writes_is_read_as_it_was(tmp_path):
    written = [f"Subject: {n}\n\n{'From x' if n % 2 else 'text'}\n\nlast {n}\n".encode() for n in range(20)]
    box = mailbox.mbox(tmp_path / "box")
    for each in written:
        box.add(each)
    box.close()
    with (tmp_path / "box").open("rb") as file:
        found = [letter.data for letter in letters(file, 1 << 20)]
    assert [each.rstrip(b"\n") for each in found] == [each.rstrip(b"\n") for each in written]


def test_no_more_of_the_file_is_read_than_the_messages_that_are_taken():
    class Counting(io.BytesIO):
        read_so_far = 0

        def readline(self, size=-1):
            line = super().readline(size)
            self.read_so_far += len(line)
            return line

    file = Counting((FROM + b"A: 1\n\nx\n\n") * 1000)
    first = next(letters(file, 1 << 20))
    assert first.data == b"A: 1\n\nx\n"
    assert file.read_so_far < 3 * len(FROM + b"A: 1\n\nx\n\n")


@pytest.mark.parametrize(("beginning", "expected"), [(FROM, True), (b"\n\n" + FROM, True), (b"From: a\n", False)])
def test_what_begins_like_an_mbox(beginning, expected):
    assert is_mbox(beginning) is expected
