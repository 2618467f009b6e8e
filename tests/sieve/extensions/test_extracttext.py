import pytest

from tests.sieve.trying import outcome, problems

R = 'require ["foreverypart", "mime", "variables", "extracttext", "vnd.dovecot.debug"];\n'
LETTER = b"From: Boss <boss@example.org>\nSubject: do it\n"


def extracted(message, command='extracttext "t"', type_=""):
    script = f'{R}foreverypart {{ {command}; debug_log "${{t}}"; }}'
    found = outcome(script, message)
    assert found.failure is None, found.failure
    return [note.text for note in found.notes]


def part(fields, data):
    return LETTER + fields + b"\n\n" + data


@pytest.mark.parametrize(
    ("fields", "data", "expected"),
    [
        (b"X: y", b"hello\nworld\n", "hello\r\nworld\r\n"),
        (b"Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit", b"f\xfcr", "für"),
        (b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64", b"ZsO8cg==", "für"),
        (b"Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable", b"f=C3=BCr =\nalle", "für alle"),
        (b"Content-Type: text/html", b"<html><body><p>Hi <b>you</b></p><p>&lt;</p></body></html>", "Hi you\r\n<"),
        (b"Content-Type: text/plain; charset=x-nobody", b"hello", ""),
        (b"Content-Type: text/plain; charset=utf-8", b"f\xfcr", ""),
        (b"Content-Transfer-Encoding: x-nobody", b"hello", ""),
        (b"Content-Type: application/json", b'{"a": 1}', '{"a": 1}'),
        (b"Content-Type: application/octet-stream", b"\xff\xfe\x00", ""),
        (b"Content-Type: rubbish", b"hello", "hello"),
        (b"Content-Type: text/plain", b"", ""),
    ],
)
def test_the_text_of_a_part_is_stored(fields, data, expected):
    assert extracted(part(fields, data)) == [expected]


def test_a_part_that_contains_parts_has_no_text():
    message = part(b"Content-Type: multipart/mixed; boundary=a", b"prologue\n--a\n\none\n--a\nX: y\n--a--\n")
    assert extracted(message) == ["", "one", ""]


def test_a_multipart_without_any_part_has_no_text():
    assert extracted(part(b"Content-Type: multipart/mixed; boundary=a", b"prologue\n--a--\nepilogue\n")) == [""]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ('extracttext :first 3 "t"', "äx"),
        ('extracttext :first 4 "t"', "äx "),
        ('extracttext :first 1 "t"', ""),
        ('extracttext :first 0 "t"', ""),
        ('extracttext :first 1000000 "t"', "äx yz"),
        ('extracttext :upper :first 3 "t"', "äX"),
        ('extracttext :length "t"', "5"),
        ('extracttext :length :first 3 "t"', "2"),
        ('extracttext :upperfirst :lower "t"', "äx yz"),
        ('extracttext :quotewildcard "T"', "äx yz"),
    ],
)
def test_first_cuts_before_the_modifiers_and_never_inside_of_a_character(command, expected):
    assert extracted(part(b"X: y", "äx yz".encode()), command) == [expected]


def test_a_long_text_is_cut_to_what_a_variable_holds():
    message = part(b"X: y", b"x" * 100_000)
    script = R + 'foreverypart { extracttext "t"; set :length "n" "${t}"; debug_log "${n}"; }'
    assert [note.text for note in outcome(script, message).notes] == ["16384"]


@pytest.mark.parametrize(
    ("script", "count"),
    [
        (R + 'extracttext "t";', 1),
        (R + 'foreverypart { extracttext "${t}"; }', 1),
        (R + 'foreverypart { extracttext "1t"; }', 1),
        (R + "foreverypart { extracttext; }", 1),
        (R + 'foreverypart { extracttext :first "1" "t"; }', 1),
        (R + 'foreverypart { extracttext :upper :lower "t"; }', 1),
        (R + 'foreverypart { extracttext "a" "t"; }', 1),
        ('require ["extracttext", "variables"];', 1),
        ('require ["extracttext", "foreverypart"];', 1),
        ('require ["variables", "foreverypart"]; foreverypart { extracttext "t"; }', 1),
    ],
)
def test_wrong_uses_are_errors(script, count):
    assert len(problems(script)) == count


def test_the_example_of_the_rfc():
    """RFC 5703 §9.3, with the capabilities that it uses and forgot to require."""
    script = """require ["mime", "variables", "extracttext", "foreverypart", "fileinto"];
        if header :contains "from" "boss@example.org" {
            if header :matches "Subject" "*" { set "subject" "${1}"; }
            foreverypart {
                if header :mime :type :is "Content-Type" "text" {
                    extracttext :first 100 "msgcontent";
                    break;
                }
            }
            if not header :contains "subject" "FYI:" { fileinto "${subject}/${msgcontent}"; }
        }"""
    message = part(b"Content-Type: multipart/mixed; boundary=a", b"--a\nContent-Type: text/plain\n\nnow\n--a--\n")
    assert [effect.mailbox for effect in outcome(script, message).effects] == ["do it/now"]
