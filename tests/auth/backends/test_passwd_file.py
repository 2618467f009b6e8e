import base64
import logging
import os
import threading

import pytest

from sievemda import configload
from sievemda.auth.backends import Kept, Verdict
from sievemda.auth.backends.passwd_file import PasswdFile
from sievemda.auth.chain import users_of
from sievemda.auth.client import Client
from sievemda.auth.passwords import scram_fits
from sievemda.auth.schemes import read_secret
from sievemda.auth.users import Users
from sievemda.config import Site
from sievemda.errors import ConfigurationError, DataError, TemporaryTrouble

SCRAM = "{SCRAM-SHA-256}4096,5Bdc9bsmr+NPzMEheF0AbQ==,x28CnuuswG3fbuwc/cQHZpl6NoIPcN1QnYT6Cs1Aejo=,bEqr1XIRNTEpQcX1DaYRyV5W5/aFgEoVoymtY1dfqkg="
HERE = Client("192.0.2.7")
RIGHT, WRONG, UNKNOWN = Verdict.RIGHT, Verdict.WRONG, Verdict.UNKNOWN


@pytest.fixture
def file(tmp_path):
    return tmp_path / "users"


@pytest.fixture
def make(file):
    def make(*lines, site=None):
        file.write_text("".join(f"{line}\n" for line in lines))
        return PasswdFile(file, "CRYPT", site or Site())

    return make


def verdict(backend, user, password, client=HERE):
    return backend.check(user, password, client).verdict


def test_the_first_colon_ends_the_name_and_the_next_one_the_password(make):
    backend = make(
        "# users",
        "",
        "  ",
        "alice:{PLAIN}pencil",
        "bob:{PLAIN}b b:1000:1000:Bob, B.:/home/bob:/bin/sh:userdb_mail=maildir:~/Maildir",
    )
    assert verdict(backend, "alice", "pencil") is RIGHT
    assert verdict(backend, "alice", "wrong") is WRONG
    assert verdict(backend, "bob", "b b") is RIGHT
    assert verdict(backend, "carol", "pencil") is UNKNOWN
    assert verdict(backend, "", "") is UNKNOWN
    assert verdict(backend, "# users", "") is UNKNOWN


def test_names_are_compared_as_everywhere(make):
    backend = make(
        "Alice@EXAMPLE.org:{PLAIN}pencil", "bob@other.example:{PLAIN}x\r", site=Site(defaultdomain="example.org")
    )
    assert verdict(backend, "alice", "pencil") is RIGHT
    assert verdict(backend, "bob@other.example", "x") is RIGHT
    assert verdict(backend, "bob", "x") is UNKNOWN


@pytest.mark.parametrize(
    "name", ["a\0b", "alice\n", "alice:x", "*", "%", "alice\tx", "\udcff", "x" * 100_000, "al*", ":", "#"]
)
def test_a_hostile_name_is_nobody(make, name):
    backend = make("alice:{PLAIN}pencil")
    assert verdict(backend, name, "pencil") is UNKNOWN
    assert backend.kept(name, HERE) is None


@pytest.mark.parametrize("password", ["", "pencil\0", "pencil\n", "\0", "{PLAIN}pencil", "\udcff", "x" * 100_000])
def test_a_hostile_password_is_wrong(make, password):
    assert verdict(make("alice:{PLAIN}pencil"), "alice", password) is WRONG


def test_no_password_fits_who_has_none(make):
    backend = make("alice:", "bob::1000:1000", "carol:!", "dora:*:1:1")
    for user in ("alice", "bob", "carol", "dora"):
        for password in ("", "!", "*", "x"):
            assert verdict(backend, user, password) is WRONG


def test_any_password_fits_who_needs_none(make):
    backend = make(
        "alice:::::::nopassword", "bob::::::::nopassword allow_nets=192.0.2.0/24", "carol::::::: user_db=x nopassword=y"
    )
    assert verdict(backend, "alice", "anything") is RIGHT
    assert verdict(backend, "carol", "") is RIGHT
    assert backend.kept("alice", HERE) == Kept()


@pytest.mark.parametrize(
    ("nets", "address", "found"),
    [
        ("192.0.2.0/24", "192.0.2.7", RIGHT),
        ("192.0.2.7", "192.0.2.7", RIGHT),
        ("192.0.2.0/24", "198.51.100.1", WRONG),
        ("10.0.0.0/8,192.0.2.7/24", "192.0.2.99", RIGHT),
        ("2001:db8::/32", "2001:db8::1", RIGHT),
        ("2001:db8::/32", "192.0.2.7", WRONG),
        ("fe80::/10", "fe80::1%eth0", RIGHT),
        ("192.0.2.0/24", "", WRONG),
        ("192.0.2.0/24,local", "", RIGHT),
        ("local", "192.0.2.7", WRONG),
        ("", "192.0.2.7", WRONG),
        ("192.0.2.0/24", "nonsense", WRONG),
        ("192.0.2.0/24 allow_nets=192.0.2.7", "192.0.2.7", RIGHT),
        ("192.0.2.0/24 allow_nets=10.0.0.0/8", "192.0.2.7", WRONG),
        ("10.0.0.0/8 allow_nets=192.0.2.0/24", "192.0.2.7", WRONG),
        ("192.0.2.0/24 allow_real_nets=10.0.0.0/8", "192.0.2.7", WRONG),
        ("local allow_real_nets=local", "", RIGHT),
        ("local allow_real_nets=10.0.0.0/8", "", WRONG),
    ],
)
def test_networks_shut_out_everybody_else(make, nets, address, found):
    backend = make(f"alice:{{PLAIN}}pencil::::::allow_nets={nets}")
    assert verdict(backend, "alice", "pencil", Client(address)) is found
    assert (backend.kept("alice", Client(address)).plain is not None) is (found is RIGHT)


@pytest.mark.parametrize("field", ["nologin", "fail=yes"])
def test_who_is_shut_out_has_no_right_password(make, field):
    backend = make(f"alice:{{PLAIN}}pencil::::::{field}")
    assert verdict(backend, "alice", "pencil") is WRONG
    assert backend.kept("alice", HERE) == Kept()


@pytest.mark.parametrize(
    ("user", "fields", "called"),
    [
        ("old", "user=alice", "alice"),
        ("old@other.example", "nodelay user=alice@example.org x=y", "alice"),
        ("old", "user=Alice", "alice"),
        ("old", "user=a user=alice", "alice"),
        ("old", "userdb_user=alice", "alice"),
        ("old", "login_user=alice", "alice"),
        ("old", "user=%n-%d", "old-"),
        ("old@other.example", "user=%{user}.%{username}_%{domain}", "old@other.example.old_other.example"),
        ("old@other.example", "username=alice", "alice@other.example"),
        ("old@other.example", "domain=d.example", "old@d.example"),
        ("old", "domain=d.example username=%u%%", "old%@d.example"),
        ("old", "domain=example.org", "old"),
        ("old", "user_id=alice userdb_home=/user=alice", "old"),
    ],
)  # fmt: skip
def test_the_line_may_say_who_somebody_is(make, credentials, user, fields, called):
    site = Site(defaultdomain="example.org")
    users = Users(credentials, site, [make(f"{user}:{{PLAIN}}pencil::::::{fields}", site=site)])
    assert users.check_password(user, "pencil", HERE) == called
    assert users.check_password(user, "wrong", HERE) is None
    assert users.known_as(user, HERE) == called
    assert users.check_password("alice", "pencil", HERE) is None


@pytest.mark.parametrize("field", ["user=", "username=", "user=%Lu", "user=%", "domain=%{nobody}", "user=%{user"])
def test_a_line_that_does_not_say_who_somebody_is_lets_nobody_in(make, caplog, field):
    backend = make(f"alice:{{PLAIN}}pencil::::::{field}")
    with pytest.raises(TemporaryTrouble, match="there is no"):
        verdict(backend, "alice", "pencil")
    assert "pencil" not in caplog.text


def test_a_line_that_names_what_is_no_user_lets_nobody_in(make, credentials):
    users = Users(credentials, Site(), [make("alice:{PLAIN}pencil::::::user=../x", "bob:{PLAIN}pencil::::::user=..")])
    for name in ("alice", "bob"):
        assert users.check_password(name, "pencil", HERE) is None
        assert users.known_as(name, HERE) == ""


@pytest.mark.parametrize(
    ("scheme", "value"),
    [
        ("SCRAM-SHA-256", SCRAM.partition("}")[2]),
        ("ARGON2ID", "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$j1iyR64qXDnlJLK4In8xLtcWkacMInq7R3Uqemb4o04"),
        ("PBKDF2", "$1$salt$5$c9c1a566798a5c44dfd09860d664f0e31909ee2d"),
        ("MD5", "$1$salt$J1PqSTZGFL2Db3AIeaGdZ0"),
    ],
)
@pytest.mark.parametrize("encoding", ["HEX", "b64"])
def test_what_is_text_in_a_scheme_can_be_written_in_digits_or_base64(make, scheme, value, encoding):
    octets = value.encode()
    text = octets.hex() if encoding == "HEX" else base64.b64encode(octets).decode()
    backend = make(f"alice:{{{scheme}.{encoding}}}{text}")
    assert verdict(backend, "alice", "pencil") is RIGHT
    assert verdict(backend, "alice", "wrong") is WRONG
    assert bool(backend.kept("alice", HERE).verifiers) is (scheme == "SCRAM-SHA-256")


@pytest.mark.parametrize("scheme", ["SCRAM-SHA-1", "ARGON2ID", "PBKDF2", "PLAIN"])
def test_octets_that_are_no_text_are_told(scheme):
    with pytest.raises(DataError, match="is not UTF-8"):
        read_secret(f"{{{scheme}.HEX}}ff", "CRYPT")


def test_blanks_around_a_hash_are_none_of_it(make):
    backend = make("bob:{SSHA} dFWAdLXeDBTj01WbdotiS4s3zKlzYWx0 ", "carol:{PLAIN}pencil ")
    assert verdict(backend, "bob", "pencil") is RIGHT
    assert verdict(backend, "carol", "pencil") is WRONG
    assert verdict(backend, "carol", "pencil ") is RIGHT


def test_a_change_of_the_file_is_seen_at_once(make, file):
    backend = make("alice:{PLAIN}one")
    for number in range(5):
        file.write_text(f"alice:{{PLAIN}}no{number}\n")  # always of one size, and within one tick of the clock
        assert verdict(backend, "alice", f"no{number}") is RIGHT
    new = file.with_name("new")
    new.write_text("bob:{PLAIN}two\n")
    new.rename(file)
    assert verdict(backend, "bob", "two") is RIGHT
    assert verdict(backend, "alice", "no4") is UNKNOWN


@pytest.fixture
def fresh(monkeypatch):
    """However slow the machine is, a file that was written in the test is new."""
    monkeypatch.setattr("sievemda.auth.backends.passwd_file._FRESH", 10**15)
    monkeypatch.setattr("sievemda.auth.backends.passwd_file._PATIENCE", 60)


@pytest.mark.parametrize("half", ["", "a", "alice:{PLAIN}pen", "bob:{PLAIN}x\nalice"])
def test_a_file_that_is_being_written_is_waited_for(make, file, fresh, half):
    backend = make("alice:{PLAIN}old")
    assert verdict(backend, "alice", "old") is RIGHT
    file.write_text(half)

    def go_on():
        file.write_text("alice:{PLAIN}pencil\n")

    rest = threading.Timer(0.2, go_on)
    rest.start()
    assert verdict(backend, "alice", "pencil") is RIGHT
    rest.join()


def test_a_file_that_is_written_without_end_is_trouble_and_no_refusal(make, file, fresh, monkeypatch):
    backend = make("alice:{PLAIN}pencil")
    file.write_text("bob:{PLAIN}pen")
    monkeypatch.setattr("sievemda.auth.backends.passwd_file._PATIENCE", 0)
    with pytest.raises(TemporaryTrouble, match="it is being written"):
        verdict(backend, "alice", "pencil")


def test_the_last_line_may_be_without_an_end(file):
    file.write_text("alice:{PLAIN}pencil")
    assert verdict(PasswdFile(file, "CRYPT", Site()), "alice", "pencil") is RIGHT


def test_an_old_file_is_read_once(make, file, monkeypatch):
    backend = make("alice:{PLAIN}one")
    os.utime(file, (1, 1))
    monkeypatch.setattr("sievemda.auth.backends.passwd_file._FRESH", -1)
    assert verdict(backend, "alice", "one") is RIGHT
    monkeypatch.setattr("sievemda.auth.backends.passwd_file.Lines", None)
    assert verdict(backend, "alice", "one") is RIGHT


def test_a_file_that_is_not_there_is_trouble_until_it_is(make, file):
    backend = make("alice:{PLAIN}one")
    assert verdict(backend, "alice", "one") is RIGHT
    file.unlink()
    for ask in (
        lambda: verdict(backend, "alice", "one"),
        lambda: backend.kept("alice", HERE),
        backend.mechanisms,
        backend.probe,
    ):
        with pytest.raises(TemporaryTrouble, match="No such file"):
            ask()
    file.write_text("alice:{PLAIN}two\n")
    assert verdict(backend, "alice", "two") is RIGHT


def test_a_directory_in_its_place_is_trouble(file):
    file.mkdir()
    with pytest.raises(TemporaryTrouble, match="directory"):
        verdict(PasswdFile(file, "CRYPT", Site()), "alice", "x")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("bob", "no password follows"),
        ("bob:{NONSENSE}hush", "NONSENSE is not known"),
        ("bob:{SHA}hush", "{SHA}"),
        ("bob:{PLAIN}hush::::::allow_nets=300.1.1.1", "300.1.1.1"),
        ("bob:hush::::::nopassword", "nopassword"),
        ("bob:{CRYPT}$99$hush", None),
    ],
)
def test_a_damaged_line_is_told_with_its_number_and_shuts_out_its_user_alone(make, caplog, line, what):
    backend = make("# comment", "alice:{PLAIN}pencil", line, "carol:{PLAIN}pencil")
    with caplog.at_level(logging.WARNING):
        assert verdict(backend, "alice", "pencil") is RIGHT
        assert verdict(backend, "carol", "pencil") is RIGHT
        with pytest.raises(TemporaryTrouble, match=r"users:3: ") as caught:
            verdict(backend, "bob", "hush")
    assert "hush" not in str(caught.value) + caplog.text
    if what:
        assert "users:3: 'bob': " in caplog.text
        assert what in caplog.text
        with pytest.raises(TemporaryTrouble, match=r"users:3: 'bob': "):
            backend.probe()


@pytest.mark.parametrize("line", [b":{PLAIN}x", b"\xff\xfe:{PLAIN}x", b"a/b:{PLAIN}x", b"alice:{PLAIN}second", b"\0:x"])
def test_a_line_of_nobody_is_told(make, file, caplog, line):
    backend = make("alice:{PLAIN}pencil")
    file.write_bytes(b"alice:{PLAIN}pencil\n" + line + b"\n")
    with caplog.at_level(logging.WARNING):
        assert verdict(backend, "alice", "pencil") is RIGHT
    assert "users:2: " in caplog.text


def test_a_line_that_is_not_utf_8_shuts_out_its_user_alone(make, file):
    backend = make()
    file.write_bytes(b"alice:{PLAIN}pencil\nbob:{PLAIN}\xff\n")
    assert verdict(backend, "alice", "pencil") is RIGHT
    with pytest.raises(TemporaryTrouble, match="users:2: "):
        verdict(backend, "bob", "x")


def test_complaints_are_made_once_for_each_change_and_not_without_end(make, file, caplog):
    backend = make(*(f"user{n}" for n in range(100)), "alice:{PLAIN}pencil")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert verdict(backend, "alice", "pencil") is RIGHT
    assert len(caplog.records) == 21
    assert "80 more lines" in caplog.text


@pytest.mark.parametrize(
    ("lines", "mechanisms"),
    [
        ([], {"SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "DIGEST-MD5"}),
        (["a:{PLAIN}x", "b:{CLEARTEXT.B64}eA=="], {"SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "DIGEST-MD5"}),
        (["a:{PLAIN}x", f"b:{SCRAM}"], {"SCRAM-SHA-256"}),
        (["a:{PLAIN}x", "b:{SHA}0vxRJJChUDZGC1SJQBQ51tpUB/o="], set()),
        (["a:{PLAIN}x", "b:$6$x$y"], set()),
        (["a:{PLAIN}x", "b:"], {"SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "DIGEST-MD5"}),
    ],
)
def test_a_mechanism_is_there_when_everybody_can_log_in_by_it(make, lines, mechanisms):
    assert make(*lines).mechanisms() == mechanisms


def test_verifiers_and_passwords_are_given_to_mechanisms_that_want_them(make):
    backend = make("alice:{PLAIN}pencil", f"bob:{SCRAM}", "carol:{SHA}0vxRJJChUDZGC1SJQBQ51tpUB/o=")
    assert backend.kept("alice", HERE).plain == "pencil"
    assert backend.kept("bob", HERE).verifiers["SCRAM-SHA-256"].iterations == 4096
    assert backend.kept("carol", HERE) == Kept()
    assert backend.kept("nobody", HERE) is None
    assert "pencil" not in repr(backend.kept("alice", HERE))


def test_users_have_the_default_scheme_when_they_name_none(file):
    file.write_text("alice:pencil\n")
    assert verdict(PasswdFile(file, "PLAIN", Site()), "alice", "pencil") is RIGHT


@pytest.fixture
def users(tmp_path, file):
    return users_of(
        configload.load(data=tmp_path / "data", sets=["auth_backends=passwd-file", f"auth_passwd_file={file}"])
    )


def test_an_unknown_user_looks_like_those_who_are_there(file, users):
    file.write_text(f"bob:{SCRAM}\n")
    assert users.verifier("bob", "SCRAM-SHA-256").iterations == 4096
    fake = users.verifier("nobody", "SCRAM-SHA-256")
    assert (fake.iterations, len(fake.salt)) == (4096, 16)
    assert users.verifier("nobody", "SCRAM-SHA-256") == fake
    assert users.check_password("bob", "pencil") == "bob"


def test_a_password_in_plain_text_makes_lasting_verifiers(file, users):
    file.write_text("alice:{PLAIN}pencil\nbob:{PLAIN}pencil\nodd:{PLAIN}a\u0007b\n")
    first = users.verifier("alice", "SCRAM-SHA-1")
    assert users.verifier("alice", "SCRAM-SHA-1") == first
    assert users.verifier("bob", "SCRAM-SHA-1").salt != first.salt
    before = users.verifier("carol", "SCRAM-SHA-1")
    file.write_text("carol:{PLAIN}pencil\n")
    assert users.verifier("carol", "SCRAM-SHA-1").salt == before.salt
    assert users.verifier("carol", "SCRAM-SHA-1").stored_key != before.stored_key
    assert users.plain_password("carol") == "pencil"
    assert users.plain_password("alice") is None
    assert users.verifier("odd", "SCRAM-SHA-1").iterations == first.iterations


@pytest.mark.parametrize(
    ("sets", "text"),
    [
        (["auth_backends=passwd-file"], "auth_passwd_file"),
        (["auth_backends="], "name one"),
        (["auth_backends=own nonsense"], "nonsense"),
        (["auth_backends=own own"], "twice"),
        (["auth_passwd_scheme=nonsense"], "nonsense"),
        (["auth_database=mysql://x"], "postgresql://"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path, sets, text):
    with pytest.raises(ConfigurationError, match=text):
        configload.load(data=tmp_path, sets=sets)


@pytest.mark.parametrize("field", ["", "{PLAIN}", "{CLEARTEXT}", "{CRYPT}", "{PLAIN.B64}", "{CRYPT}!", "*"])
def test_who_has_an_empty_password_gets_in_by_no_mechanism(make, credentials, field):
    users = Users(credentials, Site(), [make(f"alice:{field}", "bob:{PLAIN}x")])
    for password in ("", "x", "nobody's password"):
        assert users.check_password("alice", password) is None
    assert users.plain_password("alice") is None
    assert not any(
        scram_fits(password, "SCRAM-SHA-256", users.verifier("alice", "SCRAM-SHA-256"))
        for password in (b"", b"x", b"nobody's password")
    )


def test_a_hash_that_takes_for_ever_is_the_trouble_of_its_owner_alone(make):
    backend = make(
        "alice:{ARGON2ID}$argon2id$v=19$m=65536,t=4294967295,p=1$c29tZXNhbHQ$RdescudvJCsgt3ub+b1dWRWJTmaaJObG",
        "bob:$sha1$4294967295$wnUR8T1U$vt1TFQ50tBMFgkflAFAOer2CwdYZ",
        "carol:{PLAIN}pencil",
    )
    for name in ("alice", "bob"):
        with pytest.raises(TemporaryTrouble):
            verdict(backend, name, "pencil")
    assert verdict(backend, "carol", "pencil") is RIGHT
    for name in ("dave", "erin", "frank", "grace"):
        assert verdict(backend, name, "pencil") is UNKNOWN


def test_a_file_that_is_replaced_between_two_looks_is_the_new_one(make, file, tmp_path):
    backend = make("alice:{PLAIN}old")
    assert backend.mechanisms() >= {"SCRAM-SHA-256"}
    (tmp_path / "new").write_text("alice:{SSHA}STlmjgE0wrzqTGcY3/yQBdVAtxqZI4c=\nbob:{PLAIN}new\n")
    (tmp_path / "new").replace(file)
    assert backend.mechanisms() == frozenset()
    assert verdict(backend, "alice", "old") is WRONG
    assert verdict(backend, "bob", "new") is RIGHT
    file.unlink()
    for ask in (lambda: verdict(backend, "alice", "old"), backend.mechanisms, backend.probe):
        with pytest.raises(TemporaryTrouble):
            ask()
