"""The example in the `--help` of every command, pasted into a shell beside a site like the one that it speaks of.

A command that is added comes here by itself. What must be done before its example stands in `FIRST`.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from sievemda.cli.main import COMMANDS, cli, run
from tests.delivery.world import World, message
from tests.interop.certificate import make_certificate
from tests.interop.processes import free_port
from tests.serve.service import Service
from tests.upkeep.importing.imap_server import Box, ImapServer
from tests.upkeep.importing.news_server import NewsServer

UNTIL_STOPPED = {"serve", "demo", "sieve lsp"}  # somebody stops them, or talks to them
SERVED = {"deliver", "probe", "stat"}  # ask a server that is running
FROM_AFAR = {"import imap", "import news", "sieveshell"}  # from a server of somebody else
RULES = Path(__file__).parents[2] / "conf" / "quota"
EXPIRY = Path(__file__).parents[2] / "conf" / "expire"
SPOOL = Path(__file__).parents[1] / "upkeep" / "importing" / "cyrus_data"
SCRIPT = 'if header :contains "subject" "spam" {\n    discard;\n}\n'
SVTEST = 'require "vnd.dovecot.testsuite";\n\ntest "nothing" {\n    if false {\n        test_fail "why";\n    }\n}\n'
STAFF = "user,folders,acl\nerin,,\nfred,Sent \\Sent|Junk \\Junk,Junk anyone p\n"

NO_ALICE = "sievemda account delete alice --mail --yes"
FIRST = {
    "": NO_ALICE,
    "account": NO_ALICE,
    "account allow": "sievemda account deny alice",
    "account test": "sievemda account passwd alice < password-file",
    "account delete": "echo secret | sievemda account passwd alice",
    "acl load": "sievemda acl dump > acls",
    "admin": NO_ALICE,
    "mailbox": "sievemda mailbox delete user/alice/Lists --yes",
    "mailbox create": "sievemda mailbox delete user/alice/Junk --yes",
    "mailbox load": "sievemda mailbox dump -o mailboxes.json",
    "mailbox verify": "sievemda mailbox dump -o mailboxes.json",
    "mailbox undelete": "sievemda mailbox delete user/alice/Old --yes",
    "quota state": "sievemda quota set user/alice STORAGE 10000",
    "mailbox unsubscribe": "sievemda mailbox subscribe alice Lists",
    "mailbox rename": "sievemda mailbox delete user/alice/Old --yes",
    "restore": "sievemda backup user/alice alice.tar.gz",
    "script diff": 'for i in 1 2 3; do (cat alice.sieve; echo "# $i") | sievemda script put alice main; done',
    "script undo": 'for i in 1 2 3; do (cat alice.sieve; echo "# $i") | sievemda script put alice main; done',
    "script delete": "sievemda script put alice old alice.sieve",
}


def commands():
    yield ""
    for name in COMMANDS:
        yield name
        group = cli.get_command(None, name)
        yield from (f"{name} {sub}" for sub in (group.list_commands(None) if isinstance(group, click.Group) else ()))


@pytest.fixture
def example(monkeypatch, capsys):
    """What a command gives for an example, on a narrow terminal."""
    monkeypatch.setenv("COLUMNS", "40")

    def shown(words):
        assert run([*words.split(), "--help"]) == 0
        return capsys.readouterr().out.rpartition("\n  Example: ")[2].splitlines()[0]

    return shown


def stored(store, name, file):
    (store.find(store.namespace.parse_admin(name)).path / "cur" / file).write_bytes(message())


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A directory with a site in `var`, and beside it the files that examples name."""
    base = tmp_path_factory.mktemp("examples")
    world = World(base / "var")
    world.user("alice", "Lists", "Junk", "Old", "Archive", "Archive/2025", script=SCRIPT)
    world.user("bob", "Projects")
    world.mailbox("board", ("anyone", "lrsp"))
    world.deliver("alice@example.org", message("<20261121.1@example.net>", subject="spam"))
    stored(world.store, "user/alice/Lists", "1795307048.M1P1.host:2,")
    world.close()
    shutil.copytree(RULES, base / "etc")
    for file in EXPIRY.iterdir():
        shutil.copy(file, base / "etc")
    (base / "etc" / "rules.toml").rename(base / "etc" / "quota-rules.toml")
    (base / "etc" / "sievemda.toml").write_text('data = "/var/lib/sievemda"\n')
    for place, text in {
        "alice.sieve": SCRIPT,
        "sieve/main.sieve": SCRIPT,
        "filters/one.svtest": SVTEST,
        "staff.csv": STAFF,
        "password-file": "correct horse\n",
        "alice.pw": "secret\n",
        ".forward": "\\alice, bob@example.net\n",
        ".procmailrc": ":0:\n* ^List-Id:.*<lists\\.example>\nLists/\n",
        ".mailfilter": 'if (/^Subject:.*lists/)\n{\n  to "Maildir/.Lists"\n}\n',
        "old-mail.mbox": "From a@b.example Thu Nov 29 22:33:52 2001\nSubject: old\n\nhello\n\n",
    }.items():
        (base / place).parent.mkdir(exist_ok=True)
        (base / place).write_text(text)
    (base / "message.eml").write_bytes(message())
    cyrus(base)
    return base


def cyrus(base):
    """The directories of a Cyrus server, as they are called by default."""
    inbox, scripts = base / "spool" / "cyrus" / "mail" / "user" / "fbert", base / "spool" / "sieve" / "f" / "fbert"
    inbox.mkdir(parents=True)
    scripts.mkdir(parents=True)
    for uid in range(1, 7):
        (inbox / f"{uid}.").write_bytes(message().replace(b"\n", b"\r\n"))
    shutil.copy(SPOOL / "header", inbox / "cyrus.header")
    shutil.copy(SPOOL / "index.17", inbox / "cyrus.index")
    (scripts / "main.script").write_text(SCRIPT)
    (scripts / "defaultbc").symlink_to("main.bc")
    (base / "lib" / "cyrus").mkdir(parents=True)


@pytest.fixture
def pasted(prepared, tmp_path):
    """Give lines to a shell in which `sievemda` is the program on that site, and ~ is a home with a Maildir."""
    base = tmp_path / "here"
    shutil.copytree(prepared, base, symlinks=True)
    (base / "Maildir").symlink_to(base / "var" / "mail" / "user" / "alice" / "Maildir")
    (base / "bin").mkdir()
    program = base / "bin" / "sievemda"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m sievemda --data {base}/var "$@"\n')
    program.chmod(0o755)
    environment = os.environ | {"PATH": f"{base / 'bin'}:{os.environ['PATH']}", "HOME": str(base)}
    here = {"/etc/sievemda/": f"{base}/etc/", "/var/spool/": f"{base}/spool/", "/var/lib/": f"{base}/lib/"}

    def paste(*lines, **elsewhere):
        text = "\n".join(["set -e", *lines])
        for old, new in (here | elsewhere).items():
            text = text.replace(old, new)
        return subprocess.run(
            ["bash", "-c", text],
            cwd=base,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return paste


def works(done):
    assert (done.returncode, done.stderr) in [(0, ""), (0, "2 made\n")], done


@pytest.mark.parametrize("words", [words for words in commands() if words not in UNTIL_STOPPED | SERVED | FROM_AFAR])
def test_the_example_of_a_command_works_as_it_stands(pasted, example, words):
    works(pasted(FIRST.get(words, ":"), example(words)))


def test_the_examples_of_what_asks_a_server_work_with_one(prepared, example, tmp_path):
    service = Service(tmp_path, "--workers", "1")
    for name in ("user/alice", "user/alice/Lists"):
        service.cli("mailbox", "create", name)
    service.start()
    try:
        for command in sorted(SERVED):
            words, _, source = example(command).removeprefix("sievemda ").partition(" < ")
            service.cli(*words.split(), stdin=(prepared / source).read_text() if source else "")
    finally:
        service.stop()
        service.close()


def test_the_example_of_bringing_an_account_works_with_its_server(pasted, example, tmp_path):
    certificate = make_certificate(tmp_path)
    with ImapServer({"INBOX": Box([(1, "", message())])}, certificate=certificate, tls=True) as server:
        here = {"old.example.org": f"127.0.0.1:{server.port}"}
        works(pasted(f"export SSL_CERT_FILE={certificate[0]}", example("import imap"), **here))
        assert server.fetched == [1]


def test_the_example_of_bringing_news_works_with_its_server(pasted, example):
    with NewsServer({"comp.lang.c": {1: message()}}) as server:
        works(pasted(example("import news"), **{"news.example.org": f"127.0.0.1:{server.port}"}))
        assert server.fetched == [("comp.lang.c", 1)]


def test_the_example_of_looking_after_scripts_works_with_a_server(pasted, example, tmp_path):
    certificate, key = make_certificate(tmp_path)
    place = f"127.0.0.1:{free_port()}"
    sets = (f"tls_server_cert={certificate}", f"tls_server_key={key}")
    service = Service(tmp_path, "--workers", "1", "--managesieve", f"inet:{place}", sets=sets)
    service.cli("mailbox", "create", "user/alice")
    service.cli("account", "passwd", "alice", stdin="secret")
    service.start()
    try:
        here = {"mail.example.org": place, "ca.pem": str(certificate)}
        done = pasted("export SIEVEMDA_PASSWORD=secret", example("sieveshell"), **here)
    finally:
        service.stop()
        service.close()
    works(done)
