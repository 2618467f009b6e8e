import os
import threading

import pytest

from sievemda.errors import AlreadyExists, DataError, NotFound, StoreTrouble
from sievemda.store.scripts import Script, ScriptActive, ScriptStore, TooManyScripts


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "user" / "alice"
    home.mkdir(parents=True)
    return home


@pytest.fixture
def scripts(home):
    return ScriptStore(home)


def names(scripts):
    return [s.name for s in scripts.list()]


def test_a_home_without_scripts_has_none_and_nothing_is_made(scripts, home):
    assert scripts.list() == ()
    assert scripts.active() is None
    assert list(home.iterdir()) == []


def test_a_stored_script_is_a_file_of_its_name_and_inactive(scripts, home):
    scripts.put("main", b"keep;\n")
    assert (home / "sieve" / "main.sieve").read_bytes() == b"keep;\n"
    assert scripts.list() == (Script("main", active=False),)
    assert scripts.active() is None


def test_files_and_folder_belong_to_the_owner_alone(scripts, home):
    scripts.put("main", b"keep;\n")
    assert (home / "sieve").stat().st_mode & 0o777 == 0o700
    assert (home / "sieve" / "main.sieve").stat().st_mode & 0o777 == 0o600


def test_the_active_link_is_relative(scripts, home):
    scripts.put("main", b"keep;\n")
    scripts.activate("main")
    assert str((home / ".dovecot.sieve").readlink()) == "sieve/main.sieve"
    assert scripts.list() == (Script("main", active=True),)
    assert scripts.active() == ("main", b"keep;\n")


def test_replacing_the_active_script_is_live_at_once(scripts):
    scripts.put("main", b"keep;\n")
    scripts.activate("main")
    scripts.put("main", b"discard;\n")
    assert scripts.active() == ("main", b"discard;\n")


def test_deactivating_twice_is_no_error(scripts):
    scripts.put("main", b"keep;\n")
    scripts.activate("main")
    scripts.deactivate()
    scripts.deactivate()
    assert scripts.active() is None
    assert names(scripts) == ["main"]


def test_the_active_script_cannot_be_deleted(scripts):
    scripts.put("main", b"keep;\n")
    scripts.activate("main")
    with pytest.raises(ScriptActive):
        scripts.delete("main")
    scripts.deactivate()
    scripts.delete("main")
    assert scripts.list() == ()


@pytest.mark.parametrize("act", ["get", "delete", "activate"])
def test_a_missing_script_is_not_found(scripts, act):
    with pytest.raises(NotFound):
        getattr(scripts, act)("nope")


def test_a_renamed_active_script_stays_active(scripts, home):
    scripts.put("old", b"keep;\n")
    scripts.activate("old")
    scripts.rename("old", "new")
    assert scripts.list() == (Script("new", active=True),)
    assert str((home / ".dovecot.sieve").readlink()) == "sieve/new.sieve"


def test_renaming_onto_an_existing_script_changes_nothing(scripts):
    scripts.put("a", b"keep;\n")
    scripts.put("b", b"discard;\n")
    with pytest.raises(AlreadyExists):
        scripts.rename("a", "b")
    with pytest.raises(AlreadyExists):
        scripts.rename("a", "a")
    assert (scripts.get("a"), scripts.get("b")) == (b"keep;\n", b"discard;\n")


def test_renaming_a_missing_script_onto_an_existing_one_says_missing(scripts):
    scripts.put("b", b"keep;\n")
    with pytest.raises(NotFound):
        scripts.rename("a", "b")


def test_at_the_limit_only_replacing_is_allowed(scripts):
    scripts.put("a", b"keep;\n", max_scripts=2)
    scripts.put("b", b"keep;\n", max_scripts=2)
    with pytest.raises(TooManyScripts):
        scripts.put("c", b"keep;\n", max_scripts=2)
    scripts.put("b", b"discard;\n", max_scripts=2)
    assert scripts.get("b") == b"discard;\n"
    assert not scripts.has_room("c", 2)
    assert scripts.has_room("a", 2)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a/b",
        "../main",
        "nul\0",
        "tab\t",
        "new\nline",
        "del\x7f",
        "c1\x85",
        "line\u2028",
        "par\u2029",
        "\udcff",
        "x" * 129,
    ],
)
def test_what_is_not_a_name_is_refused(scripts, home, name):
    for act in (scripts.get, scripts.delete, scripts.activate, lambda n: scripts.put(n, b"keep;")):
        with pytest.raises(DataError):
            act(name)
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        ".",
        "..",
        ".hidden",
        "-rf",
        "a b",
        'say "hi"',
        "back\\slash",
        "Füße",
        "日本語",
        "a.sieve",
        "x" * 128,
        "😀" * 128,
        "long-" + "0" * 64,
        "~",
        "*",
    ],
)
def test_every_name_of_the_rfc_comes_back_as_it_was(scripts, home, name):
    scripts.put(name, b"keep;\n")
    scripts.activate(name)
    assert scripts.list() == (Script(name, active=True),)
    assert scripts.get(name) == b"keep;\n"
    assert scripts.active() == (name, b"keep;\n")
    scripts.deactivate()
    scripts.delete(name)
    assert list((home / "sieve").iterdir()) == []


def test_long_names_that_differ_at_the_end_are_two_scripts(scripts):
    scripts.put("é" * 127 + "a", b"# a\n")
    scripts.put("é" * 127 + "b", b"# b\n")
    scripts.rename("é" * 127 + "a", "é" * 127 + "c")
    assert names(scripts) == ["é" * 127 + "b", "é" * 127 + "c"]
    assert scripts.get("é" * 127 + "c") == b"# a\n"


def test_an_active_plain_file_becomes_a_script_and_stays_active(scripts, home):
    (home / ".dovecot.sieve").write_bytes(b"# by hand\n")
    assert scripts.active() == ("", b"# by hand\n")
    assert scripts.list() == (Script("dovecot", active=True),)
    assert scripts.get("dovecot") == b"# by hand\n"


def test_an_active_link_to_a_script_of_the_users_elsewhere_is_taken_in(scripts, home):
    scripts.put("dovecot", b"# mine\n")
    (home / "rules").mkdir()
    (home / "rules" / "my.sieve").write_bytes(b"# by hand\n")
    (home / ".dovecot.sieve").symlink_to("rules/my.sieve")
    assert scripts.state().plain
    assert scripts.list() == (Script("dovecot", active=False), Script("dovecot2", active=True))
    assert scripts.active() == ("dovecot2", b"# by hand\n")
    scripts.activate("dovecot")
    assert scripts.get("dovecot2") == b"# by hand\n"
    assert (home / "rules" / "my.sieve").read_bytes() == b"# by hand\n"


def test_an_active_link_to_a_file_of_somebody_else_shows_nobody_what_is_in_it(scripts, home, tmp_path, monkeypatch):
    secret = tmp_path / "secret"
    secret.write_bytes(b"password\n")
    (home / ".dovecot.sieve").symlink_to(secret)
    real = os.fstat
    monkeypatch.setattr(os, "fstat", lambda fd: _of_somebody_else(real(fd)))
    assert scripts.list() == ()
    scripts.put("a", b"keep;\n")
    assert names(scripts) == ["a"]
    assert (home / ".dovecot.sieve").readlink() == secret


def _of_somebody_else(found):
    return os.stat_result([*found[:4], found.st_uid + 1, *found[5:]])


def test_the_active_link_may_lead_to_the_folder_by_another_path(scripts, home, tmp_path):
    (tmp_path / "other").symlink_to(home)
    scripts.put("a", b"keep;\n")
    (home / ".dovecot.sieve").symlink_to(tmp_path / "other" / "sieve" / "a.sieve")
    assert scripts.list() == (Script("a", active=True),)
    assert scripts.active() == ("a", b"keep;\n")


def test_activating_another_script_keeps_the_plain_file(scripts, home):
    scripts.put("dovecot", b"# mine\n")
    (home / ".dovecot.sieve").write_bytes(b"# by hand\n")
    scripts.activate("dovecot")
    assert scripts.active() == ("dovecot", b"# mine\n")
    assert scripts.get("dovecot2") == b"# by hand\n"


def test_a_link_out_of_the_folder_is_no_script_and_is_not_written_through(scripts, home, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    scripts.put("a", b"keep;\n")
    (home / "sieve" / "evil.sieve").symlink_to(secret)
    assert names(scripts) == ["a"]
    with pytest.raises(NotFound):
        scripts.get("evil")
    scripts.put("evil", b"keep;\n")
    assert secret.read_bytes() == b"secret"
    assert scripts.get("evil") == b"keep;\n"


def test_a_folder_that_is_a_link_is_not_followed(scripts, home, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (home / "sieve").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreTrouble):
        scripts.put("a", b"keep;\n")
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_fifo_in_the_place_of_a_script_does_not_hang(scripts, home):
    scripts.put("a", b"keep;\n")
    os.mkfifo(home / "sieve" / "pipe.sieve")
    with pytest.raises(NotFound):
        scripts.get("pipe")


def test_an_active_link_that_leads_nowhere_is_no_active_script(scripts, home):
    (home / ".dovecot.sieve").symlink_to("sieve/gone.sieve")
    assert scripts.active() is None
    scripts.put("a", b"keep;\n")
    scripts.activate("a")
    assert scripts.active() == ("a", b"keep;\n")


def test_a_missing_home_is_trouble_and_is_not_made(tmp_path):
    with pytest.raises(StoreTrouble):
        ScriptStore(tmp_path / "gone").put("a", b"keep;\n")
    assert list(tmp_path.iterdir()) == []


def test_what_a_crash_left_behind_goes_with_the_next_upload(scripts, home):
    scripts.put("a", b"keep;\n")
    (home / "sieve" / ".tmp-0123").write_bytes(b"half")
    scripts.put("a", b"keep;\n")
    assert [f.name for f in (home / "sieve").iterdir()] == ["a.sieve"]


def test_a_failed_write_leaves_the_old_script(scripts, home, monkeypatch):
    scripts.put("a", b"keep;\n")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreTrouble):
        scripts.put("a", b"discard;\n")
    monkeypatch.undo()
    assert scripts.get("a") == b"keep;\n"
    assert [f.name for f in (home / "sieve").iterdir()] == ["a.sieve"]


def test_of_many_renames_of_one_script_one_wins(home):
    ScriptStore(home).put("a", b"keep;\n")
    won = []

    def rename(number):
        try:
            ScriptStore(home).rename("a", f"b{number}")
            won.append(number)
        except NotFound:
            pass

    threads = [threading.Thread(target=rename, args=(n,)) for n in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(won) == 1
    assert names(ScriptStore(home)) == [f"b{won[0]}"]


def test_many_uploads_at_once_never_pass_the_limit(home):
    full = []

    def put(number):
        try:
            ScriptStore(home).put(f"s{number}", b"keep;\n", max_scripts=5)
        except TooManyScripts:
            full.append(number)

    threads = [threading.Thread(target=put, args=(n,)) for n in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(names(ScriptStore(home))) == 5
    assert len(full) == 11


def test_a_reader_always_finds_a_whole_active_script(home):
    scripts = ScriptStore(home)
    texts = {bytes([65 + n]) * 20_000 for n in range(4)}
    scripts.put("one", b"A" * 20_000)
    scripts.put("two", b"B" * 20_000)
    scripts.activate("one")
    stop = threading.Event()

    def change():
        for n in range(60):
            scripts.put("one", bytes([65 + n % 4]) * 20_000)
            scripts.activate("two" if n % 2 else "one")
            if n % 2:
                scripts.rename("one", "three")
                scripts.rename("three", "one")
        stop.set()

    writer = threading.Thread(target=change)
    writer.start()
    seen = []
    while not stop.is_set():
        seen.append(scripts.active())
    writer.join()
    assert all(found is not None and found[1] in texts for found in seen)


# -- names -------------------------------------------------------------------------------------------------------------

NFC, NFD = "Müll", "Mu\u0308ll"


@pytest.mark.parametrize(
    "name", [".", "..", "-rf", " ", "x.sieve", "tmp", ".tmp-0123456789abcdef", ".active", "CON", "~", "*"]
)
def test_odd_names_are_names_like_any_other(scripts, name):
    scripts.put(name, b"keep;\n")
    scripts.put("other", b"stop;\n")
    scripts.activate(name)
    assert scripts.get(name) == b"keep;\n"
    assert scripts.active() == (name, b"keep;\n")
    assert name in names(scripts)


def test_names_that_differ_in_case_are_two(scripts):
    scripts.put("Main", b"keep;\n")
    scripts.put("main", b"stop;\n")
    assert names(scripts) == ["Main", "main"]


@pytest.mark.parametrize(("first", "second"), [(NFC, NFD), (NFD, NFC)])
def test_two_spellings_of_a_name_are_one_script_which_keeps_the_first(scripts, first, second):
    scripts.put(first, b"keep;\n")
    scripts.put(second, b"stop;\n")
    assert names(scripts) == [first]
    assert scripts.get(second) == b"stop;\n"
    assert scripts.read(second) == b"stop;\n"
    scripts.activate(second)
    assert scripts.active() == (first, b"stop;\n")
    with pytest.raises(ScriptActive):
        scripts.delete(second)
    scripts.put("other", b"keep;\n")
    with pytest.raises(AlreadyExists):
        scripts.rename("other", second)


def test_a_script_can_get_another_spelling_of_its_name(scripts):
    scripts.put(NFD, b"keep;\n")
    scripts.activate(NFD)
    scripts.rename(NFD, NFC)
    assert names(scripts) == [NFC]
    assert scripts.active() == (NFC, b"keep;\n")


def test_the_longest_name_in_octets_can_be_spelled_otherwise_too(scripts):
    long = "\U0001f4e7" * 127 + "ü"
    scripts.put(long, b"keep;\n")
    assert names(scripts) == [long]
    assert scripts.get(long[:-1] + "ü") == b"keep;\n"
