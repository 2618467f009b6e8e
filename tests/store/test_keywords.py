import threading

import pytest


def keywords(box):
    return (box.path / "dovecot-keywords").read_text()


@pytest.mark.parametrize(
    ("flags", "letters"),
    [
        ((), ""),
        (("\\Seen",), "S"),
        (("\\seen", "\\FLAGGED", "\\Answered", "\\Draft", "\\Deleted"), "DFRST"),
        (("\\Seen", "\\Seen"), "S"),
        (("\\Recent", "\\Nonsense"), ""),
        (("$Junk",), "a"),
        (("\\Seen", "$Junk"), "Sa"),
        (("b", "a"), "ab"),
        (("work", "WORK"), "a"),
        (("bad keyword", "bad\nkeyword", "bad]", "ä", ""), ""),
    ],
)
def test_flags_become_letters(store, mailbox, flags, letters):
    assert store.files.keywords.letters(mailbox("user/alice").path, flags) == letters


def test_a_new_keyword_gets_the_next_number_in_dovecots_file(store, mailbox):
    box = mailbox("user/alice")
    store.files.keywords.letters(box.path, ("$Junk", "work"))
    store.files.keywords.letters(box.path, ("later",))
    assert keywords(box) == "0 $Junk\n1 work\n2 later\n"


def test_a_keyword_is_found_without_regard_to_case(store, mailbox):
    box = mailbox("user/alice")
    (box.path / "dovecot-keywords").write_text("0 $Forwarded\n3 Work\n")
    assert store.files.keywords.letters(box.path, ("$forwarded", "WORK")) == "ad"
    assert keywords(box) == "0 $Forwarded\n3 Work\n"


def test_a_hole_in_the_numbers_is_filled(store, mailbox):
    box = mailbox("user/alice")
    (box.path / "dovecot-keywords").write_text("0 one\n2 three\n")
    assert store.files.keywords.letters(box.path, ("two",)) == "b"
    assert keywords(box) == "0 one\n1 two\n2 three\n"


def test_the_27th_keyword_is_dropped_and_said(store, mailbox, caplog):
    box = mailbox("user/alice")
    flags = tuple(f"k{number}" for number in range(27))
    assert store.files.keywords.letters(box.path, flags) == "abcdefghijklmnopqrstuvwxyz"
    assert "k26 dropped" in caplog.text


def test_a_flood_of_keywords_is_no_flood_of_the_log(store, mailbox, caplog):
    box = mailbox("user/alice")
    store.files.keywords.letters(box.path, tuple(f"keyword{number}" for number in range(9999)))
    assert "... dropped" in caplog.text
    assert len(caplog.text) < 1000


def test_a_keyword_that_dovecot_added_meanwhile_is_not_lost(store, mailbox):
    box = mailbox("user/alice")
    store.files.keywords.letters(box.path, ("mine",))
    (box.path / "x").write_text("0 mine\n1 dovecots\n")
    (box.path / "x").rename(box.path / "dovecot-keywords")
    store.files.keywords.letters(box.path, ("another",))
    assert keywords(box) == "0 mine\n1 dovecots\n2 another\n"


def test_deliveries_at_once_agree_on_the_letters(store, mailbox):
    box = mailbox("user/alice")
    found = {}

    def learn(number):
        found[number] = store.files.keywords.letters(box.path, (f"k{number}",))

    threads = [threading.Thread(target=learn, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = dict(line.split() for line in keywords(box).splitlines())
    assert {chr(97 + int(number)): name for number, name in names.items()} == {
        letter: f"k{number}" for number, letter in found.items()
    }
    assert not list(box.path.glob("*.lock"))


def test_a_damaged_line_is_passed_over(store, mailbox):
    box = mailbox("user/alice")
    (box.path / "dovecot-keywords").write_bytes(b"nonsense\n99 far\n1 \xff\n0 good\n")
    assert store.files.keywords.letters(box.path, ("good",)) == "a"


def test_each_change_of_the_file_makes_it_a_second_younger(store, mailbox):
    """Dovecot reads it again when its time in seconds is another one."""
    box = mailbox("user/alice")
    times = []
    for keyword in ("one", "two", "three"):
        store.files.keywords.letters(box.path, (keyword,))
        times.append(int((box.path / "dovecot-keywords").stat().st_mtime))
    assert times == sorted(set(times))
