import base64

import pytest

from tests.managesieve.conversation import Direct, skip_to


def login(service, user="root", password="toor", authzid=""):
    """A session of that user; what he was answered."""
    peer = Direct(service)
    skip_to(peer, b"OK\r\n")
    token = base64.b64encode(f"{authzid}\0{user}\0{password}".encode())
    return peer, ask(peer, b'AUTHENTICATE "PLAIN" "%s"\r\n' % token)


def ask(peer, octets):
    peer.send(octets)
    said = bytes(peer.output)
    peer.output.clear()
    return said


@pytest.fixture
def make(make_service, tmp_path):
    def make(*sets):
        return make_service(
            "allowplaintext=yes", "sieve_global=sieve/global", "sieve_before=sieve/one.sieve sieve/before",
            "sieve_after=sieve/{user} sieve/{domain}/after", "sieve_global_extensions=vnd.dovecot.environment", *sets
        )  # fmt: skip

    (tmp_path / "sieve" / "before").mkdir(parents=True)
    (tmp_path / "sieve" / "one.sieve").write_bytes(b"keep;")
    return make


def test_an_administrator_without_a_mailbox_edits_the_global_scripts(make, tmp_path):
    peer, said = login(make())
    assert said == b"OK\r\n"
    assert b'"OWNER" "/global"\r\n' in ask(peer, b"CAPABILITY\r\n")
    assert ask(peer, b'PUTSCRIPT "spam" "keep;"\r\n') == b"OK\r\n"
    assert (tmp_path / "sieve" / "global" / "spam.sieve").read_bytes() == b"keep;"
    assert ask(peer, b"LISTSCRIPTS\r\n") == b'"spam"\r\nOK\r\n'
    assert ask(peer, b'GETSCRIPT "spam"\r\n') == b"{5}\r\nkeep;\r\nOK\r\n"
    assert ask(peer, b'RENAMESCRIPT "spam" "ham"\r\n') == b"OK\r\n"
    assert ask(peer, b'DELETESCRIPT "spam"\r\n').startswith(b"NO (NONEXISTENT)")
    assert ask(peer, b'DELETESCRIPT "ham"\r\n') == b"OK\r\n"


def test_one_with_a_mailbox_has_scripts_of_his_own_and_asks_for_the_global_ones(make):
    service = make("admins=alice")
    own, said = login(service, "alice", "secret")
    assert said == b"OK\r\n"
    assert b'"OWNER" "alice"' in ask(own, b"CAPABILITY\r\n")
    shared, said = login(service, "alice", "secret", "/global")
    assert said == b"OK\r\n"
    assert b'"OWNER" "/global"' in ask(shared, b"CAPABILITY\r\n")


@pytest.mark.parametrize(
    ("authzid", "directory"),
    [
        ("/before", "before"),
        ("/after@example.org", "example.org/after"),
        ("/after", "internal/after"),
        ("/global", "global"),
    ],
)
def test_each_repository_is_its_directory(make, tmp_path, authzid, directory):
    peer, said = login(make("servername=internal"), authzid=authzid)
    assert said == b"OK\r\n"
    assert ask(peer, b'PUTSCRIPT "a" "keep;"\r\n') == b"OK\r\n"
    assert (tmp_path / "sieve" / directory / "a.sieve").read_bytes() == b"keep;"


@pytest.mark.parametrize(
    "authzid",
    ["/nothing", "/", "/global@a/b", "/global/../before", "/GLOBAL", "/before@example.org", "/global@..", "//"],
)
def test_what_is_no_repository_is_none(make, authzid):
    _, said = login(make(), authzid=authzid)
    assert said.startswith(b"NO")


def test_without_such_a_setting_there_is_none(make_service):
    service = make_service("allowplaintext=yes")
    _, said = login(service)
    assert said == b'NO "there is no mailbox for this user"\r\n'
    _, said = login(service, authzid="/global")
    assert said.startswith(b"NO")


@pytest.mark.parametrize("user", ["alice", "bob"])
def test_nobody_else_gets_at_them(make, user):
    service = make("proxyservers=bob")
    _, said = login(service, user, "secret", "/global")
    assert said == b'NO "authentication failed"\r\n'
    _, said = login(service, user, "secret", "/before")
    assert said == b'NO "authentication failed"\r\n'


def test_they_may_require_more_than_users_scripts_and_are_told_so(make):
    service = make()
    shared, _ = login(service)
    own, _ = login(service, "alice", "secret")
    script = b'CHECKSCRIPT "require \\"vnd.dovecot.environment\\";"\r\n'
    assert ask(shared, script).startswith(b"OK")
    assert ask(own, script).startswith(b"NO")
    assert b"vnd.dovecot.environment" in ask(shared, b"CAPABILITY\r\n")
    assert b"vnd.dovecot.environment" not in ask(own, b"CAPABILITY\r\n")


def test_they_are_not_activated_and_none_is_active(make):
    peer, _ = login(make())
    ask(peer, b'PUTSCRIPT "a" "keep;"\r\n')
    assert ask(peer, b'SETACTIVE "a"\r\n').startswith(b'NO "the administrator')
    assert ask(peer, b'SETACTIVE ""\r\n') == b"OK\r\n"
    assert ask(peer, b"LISTSCRIPTS\r\n") == b'"a"\r\nOK\r\n'
    assert ask(peer, b'DELETESCRIPT "a"\r\n') == b"OK\r\n"


def test_their_versions_are_kept(make):
    peer, _ = login(make())
    ask(peer, b'PUTSCRIPT "a" "keep;"\r\nPUTSCRIPT "a" "discard;"\r\n')
    assert b'"a" stored' in ask(peer, b'GETSCRIPT "/history"\r\n')


def test_unauthenticate_leaves_them(make):
    peer, _ = login(make())
    assert ask(peer, b'PUTSCRIPT "a" "keep;"\r\nUNAUTHENTICATE\r\nLISTSCRIPTS\r\n').endswith(
        b'OK\r\nOK\r\nNO "authenticate first"\r\n'
    )
    token = base64.b64encode(b"\0alice\0secret")
    assert ask(peer, b'AUTHENTICATE "PLAIN" "%s"\r\nLISTSCRIPTS\r\n' % token) == b"OK\r\nOK\r\n"
