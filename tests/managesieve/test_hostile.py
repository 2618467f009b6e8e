"""Hostile sessions, all at once, at one server: none hangs, crashes, gets in, or costs more than it may."""

import logging
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from sievemda.serve.memory import be_frugal
from sievemda.sieve.check import check_script
from sievemda.tls.contexts import contexts
from tests.managesieve.conversation import LOGIN, Wire, login, running, skip_to
from tests.managesieve.hostile import HOSTILE, SILENCE, TLS, WITHIN
from tests.managesieve.site import service_of

SCRIPT = b"# nobody's business\r\nkeep;\r\n"
GROWTH = 64 << 10  # KiB
_PATIENCE = 60  # seconds for the server to end a session: beyond that it hangs
_PROBE = b"\r\nCAPABILITY\r\nLISTSCRIPTS\r\n"


def hold(address, context, steps, *, within):
    """Everything that the server says until it ends the session; TimeoutError when it does not."""
    steps = [steps] if isinstance(steps, bytes) else steps
    said = b""
    with socket.create_connection(address, _PATIENCE) as plain:
        if within:
            plain.sendall(LOGIN)
        sock = plain
        with suppress(ConnectionError, ssl.SSLError):  # it has ended it
            sock = say(plain, context, steps)
            while block := sock.recv(65536):
                said += block
        sock.close()
    return said


def say(plain, context, steps):
    sock = plain
    for step in steps:
        if step is TLS:
            sock = context.wrap_socket(sock, server_hostname="localhost")
        elif isinstance(step, float):
            time.sleep(step)
        elif step is not SILENCE:
            sock.sendall(step)
    if SILENCE not in steps:
        sock.sendall(_PROBE)
        if sock is plain:
            plain.shutdown(socket.SHUT_WR)
    return sock


def held_at(address, context, table, *, within):
    """All of them at once, to their ends."""
    with ThreadPoolExecutor(24) as pool:
        return [(name, pool.submit(hold, address, context, said, within=within)) for name, said in table.items()]


def resident():
    """KiB of this process, the server in it."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4


@pytest.fixture(scope="module")
def held(tmp_path_factory, keys, accounts):
    """What was said to each, and what came of it."""
    directory = tmp_path_factory.mktemp("hostile")
    sets = ("timeout=3", "failedloginpause=0", "allowplaintext=yes", "tls_versions=tls1_2", "sieve_versions=0",
            f"tls_server_cert={keys / 'localhost.crt'}", f"tls_server_key={keys / 'localhost.key'}")  # fmt: skip
    service = service_of(directory, accounts, *sets, tls=True)
    scripts = service.scripts("alice")
    scripts.put("secret", SCRIPT)
    scripts.activate("secret")
    context = ssl.create_default_context(cafile=keys / "ca.pem")
    records = []
    handler = logging.Handler()
    handler.emit = records.append
    logging.getLogger("sievemda").addHandler(handler)
    be_frugal()  # as the server's processes do
    check_script(SCRIPT, service.limits)  # what is loaded once is not their doing
    before = resident()
    try:
        with running(service, contexts(service.settings.lmtp, b"managesieve")) as (address, server):
            jobs = {(name, False): job for name, job in held_at(address, context, HOSTILE, within=False)}
            grown = resident() - before
            jobs |= {(name, True): job for name, job in held_at(address, context, WITHIN, within=True)}
            peer = Wire(address, _PATIENCE)
            skip_to(peer, b"OK\r\n")
            login(peer).close()
            deadline = time.monotonic() + _PATIENCE
            while server.visits() and time.monotonic() < deadline:
                time.sleep(0.05)
            left = server.visits()
    finally:
        logging.getLogger("sievemda").removeHandler(handler)
    return jobs, {"grown": grown, "left": left, "records": records, "scripts": scripts, "directory": directory}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_stranger_is_answered_and_stays_one(held, name):
    jobs, _ = held
    said = jobs[name, False].result(0)
    assert b"OWNER" not in said
    assert b"secret" not in said
    assert b"nobody's business" not in said


@pytest.mark.parametrize("name", WITHIN)
def test_a_user_is_answered(held, name):
    jobs, _ = held
    assert jobs[name, True].result(0)


@pytest.mark.parametrize(("name", "within"), [*((n, False) for n in HOSTILE), *((n, True) for n in WITHIN)])
def test_nothing_internal_is_told(held, name, within):
    jobs, seen = held
    said = jobs[name, within].result(0)
    assert b"Traceback" not in said
    assert str(seen["directory"]).encode() not in said
    assert b".py" not in said


def test_there_are_more_than_a_hundred():
    assert len(HOSTILE) + len(WITHIN) > 150


def test_none_of_them_stays(held):
    assert held[1]["left"] == []


def test_nothing_that_was_not_foreseen_has_happened(held):
    unforeseen = [record.getMessage() for record in held[1]["records"] if record.exc_info or "unforeseen" in record.msg]
    assert unforeseen == []


def test_together_the_strangers_cost_less_than_the_budget(held):
    assert held[1]["grown"] < GROWTH


def test_the_script_is_as_it_was_and_active(held):
    scripts = held[1]["scripts"]
    assert scripts.get("secret") == SCRIPT
    assert [script.name for script in scripts.list() if script.active] == ["secret"]


def test_nothing_lies_outside_of_the_folder_of_scripts(held):
    directory = held[1]["directory"]
    assert list(directory.rglob("*evil*")) == []
    homes = {path.parent.name for path in directory.rglob("*.sieve") if path.name != ".dovecot.sieve"}
    assert homes == {"sieve"}


def test_what_is_logged_of_them_is_one_line_each(held):
    assert not [record for record in held[1]["records"] if "\n" in record.getMessage()]
