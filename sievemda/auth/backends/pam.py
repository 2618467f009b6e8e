"""PAM: authentication and the state of the account, by the service file that the settings name.

Why a process for each question: modules keep state, fork, change the handling of signals, and can hang for good in a
library that nobody can interrupt. A process can be killed, and what it leaves behind goes with it; that costs about as
much as a password hash. Why our own binding in it and not a library (python-pam, pamela): it wants the codes that tell
an unknown user from a wrong password, the address of the client, no pause after a failure and a directory of services,
of which those give one or two.

pam_unix reads the passwords of others as root or in the group shadow only; a server that is neither asks saslauthd.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from sievemda.auth.backends import Answer, Verdict
from sievemda.auth.backends import pam_helper as helper
from sievemda.auth.backends.asking import Gate, Silence, asked_name
from sievemda.auth.backends.passwordless import Passwordless
from sievemda.auth.client import Client
from sievemda.config import Settings
from sievemda.errors import TemporaryTrouble

_PLACES = (Path("/etc/pam.d"), Path("/usr/lib/pam.d"))
_MOST = 512  # octets of a name or password: more is cut off by some modules
_LAST_MOMENT = 2.0  # seconds for a process that was killed
_OF_A_PROGRAM = "auth 4 "  # PAM_SYSTEM_ERR, which pam_exec makes of every exit code but 0: a wrong password, then
_VERDICTS = {
    0: Verdict.RIGHT,
    6: Verdict.WRONG,  # PAM_PERM_DENIED
    7: Verdict.WRONG,  # PAM_AUTH_ERR
    10: Verdict.UNKNOWN,  # PAM_USER_UNKNOWN
    11: Verdict.WRONG,  # PAM_MAXTRIES
    12: Verdict.WRONG,  # PAM_NEW_AUTHTOK_REQD: the password has expired
    13: Verdict.WRONG,  # PAM_ACCT_EXPIRED
    27: Verdict.WRONG,  # PAM_AUTHTOK_EXPIRED
}


class Pam(Passwordless):
    name = "pam"

    def __init__(self, service: str, directory: Path | None, settings: Settings) -> None:
        self._service, self._directory, self._settings = service, directory, settings
        self._gate = Gate(f"PAM service {service}", float(settings.auth.auth_timeout))

    def check(self, userid: str, password: str, client: Client) -> Answer:
        try:
            name, secret, address = (t.encode() for t in (asked_name(userid, self._settings), password, client.address))
        except UnicodeEncodeError:
            return Answer(Verdict.UNKNOWN)
        if not (userid and secret) or b"\0" in name + secret + address or max(len(name), len(secret)) > _MOST:
            return Answer(Verdict.UNKNOWN)
        service = self._find_service()
        directory = os.fsencode(self._directory) if self._directory else b""
        fields = (self._service.encode(), directory, name, secret, address, client.service.encode())
        with self._gate.question() as until:
            said = self._asked(b"".join(field + b"\0" for field in fields), until)
        if said.startswith(_OF_A_PROGRAM) and _asks_a_program(service):
            return Answer(Verdict.WRONG)
        return self._verdict(said)

    def probe(self) -> None:
        self._find_service()

    def _find_service(self) -> Path:
        """Its file. Without one, PAM would take the service `other`, whatever that says."""
        places = (self._directory,) if self._directory else _PLACES
        found = next((place / self._service for place in places if (place / self._service).is_file()), None)
        if found is None:
            raise TemporaryTrouble(f"there is no PAM service {self._service} in {places[0]}")
        return found

    def _asked(self, question: bytes, until: float) -> str:
        """What the helper says. Its environment is empty, and the password on no command line."""
        command = [sys.executable, "-I", "-S", helper.__file__]
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
                start_new_session=True,
            )
        except OSError as e:
            raise TemporaryTrouble(f"PAM cannot be asked: {e.strerror}") from e
        try:
            return process.communicate(question, max(until - time.monotonic(), 0))[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            for pid in _family(process.pid):
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            for pipe in (process.stdin, process.stdout):  # whose other ends somebody may hold who got away
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
            with suppress(subprocess.TimeoutExpired):  # one that waits for a disk dies when that answers
                process.wait(_LAST_MOMENT)
            raise Silence(f"PAM service {self._service}: no answer in time") from None

    def _verdict(self, said: str) -> Answer:
        phase, _, rest = said.strip().partition(" ")
        code, _, text = rest.partition(" ")
        known = phase in {"auth", "account"} and code.isdigit()
        verdict = _VERDICTS.get(int(code)) if known else None
        if verdict is None or (verdict is Verdict.RIGHT and phase != "account"):
            raise TemporaryTrouble(f"PAM service {self._service}: {text or 'it fails'}")
        return Answer(Verdict.WRONG if phase == "account" and verdict is Verdict.UNKNOWN else verdict)


def _asks_a_program(service: Path) -> bool:
    """Raises TemporaryTrouble for a file that others than PAM may not read, or that has gone meanwhile."""
    try:
        return b"pam_exec.so" in service.read_bytes()
    except OSError as e:
        raise TemporaryTrouble(f"{service}: {e.strerror}") from e


def _family(pid: int) -> list[int]:
    """A process and all below it: modules give their programs sessions of their own."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        children = []
    return [pid, *(one for child in children for one in _family(int(child)))]
