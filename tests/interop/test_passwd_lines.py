"""Lines of a passwd-file: Dovecot's auth service and we read the same file, and say the same of it."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from sievemda.auth.backends import Verdict
from sievemda.auth.backends.passwd_file import PasswdFile
from sievemda.auth.client import Client
from sievemda.errors import TemporaryTrouble
from tests.interop.test_dovecot_auth import Service

NAMES = ("u{}", "u{}@other.example")
EXTRA = (
    *("", "nodelay", "proxy host=192.0.2.9", "userdb_fail", "pass=x", "temp", "user_x=alice", "reason=x"),
    *("nologin", "nologin=no", "fail", "fail=no", "foo:nologin", "NOLOGIN"),
    *("user=alice", "user=Alice@Example.ORG", "user=%n-%d", "user=%u", "user=%%u", "user=%{user}x", "user=a user=b"),
    *(
        "username=a",
        "username=a domain=b",
        "domain=b username=a",
        "domain=",
        "user=a@b domain=c",
        "user=a@b username=c",
    ),
    *("user=a username=b", "username=b user=a", "user=x@y@z domain=w", "login_user=a"),
    *("userdb_user=a user=b", "user=b userdb_user=a", "userdb_username=a", "userdb_domain=a"),
    *("allow_nets=192.0.2.0/24", "allow_nets=10.0.0.0/8", "allow_nets=", "allow_nets=10.0.0.0/8,192.0.2.7"),
    *("allow_nets=192.0.2.99/24", "allow_nets=::/0", "allow_nets=0.0.0.0/0", "allow_nets=local"),
    *("allow_nets=192.0.2.7 allow_nets=10.0.0.0/8", "allow_nets=10.0.0.0/8 allow_nets=192.0.2.7"),
    *("allow_nets=192.0.2.7 allow_nets=192.0.2.0/24", "allow_real_nets=192.0.2.0/24", "allow_real_nets=10.0.0.0/8"),
)
LINES = [f"{name}:{{PLAIN}}pencil::::::{extra}" for extra in EXTRA for name in NAMES]
PASSWORDS = ("{PLAIN}pencil:1:1::/h::", "{PLAIN} pencil", "{PLAIN}pencil ", "{SSHA} dFWAdLXeDBTj01WbdotiS4s3zKlzYWx0 ")
LINES += [f"{NAMES[0]}:{password}" for password in PASSWORDS]


@pytest.fixture(scope="module")
def service(make_directory, logs):
    service = Service(make_directory())
    logs["dovecot's auth"] = service.place / "log"
    text = "".join(f"{line}\n" for line in LINES)
    for number in range(len(LINES)):
        text = text.replace("u{}", f"u{number}", 1)
    (service.place / "users").write_text(text)
    service.start()
    yield service
    service.program.stop()


def test_both_say_the_same(service):
    theirs = service.backend()
    settings = theirs._settings
    ours = PasswdFile(service.place / "users", "PLAIN", settings.site)
    names = [line.partition(":")[0].format(number) for number, line in enumerate(LINES)]

    def said(backend, name, client):
        try:
            answer = backend.check(name, "pencil", client)
        except TemporaryTrouble as e:
            return str(e)
        return (answer.userid or name) if answer.verdict is Verdict.RIGHT else None

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda name: said(theirs, name, Client("192.0.2.7")), names))
    assert {line: said(ours, name, Client("192.0.2.7")) for line, name in zip(LINES, names, strict=True)} == dict(
        zip(LINES, found, strict=True)
    )
    assert len(set(found)) > len(names) / 2
