"""A private Postfix with its own queue, configuration and ports, handing local mail to a site.

Two listeners: `port` is what the Internet sees (nobody may relay, recipients are verified), `outgoing_port` is where
local programs submit mail; that goes on to `sink_port`, since nothing of a test may leave the machine.
"""

from __future__ import annotations

import os
import pwd
import re
import smtplib
import subprocess
from pathlib import Path

from tests.interop.processes import Program, answers, fill, free_port, need, need_root, wait_until

MAIN = """\
compatibility_level = 3.6
config_directory = {base}/etc
queue_directory = {base}/queue
data_directory = {base}/lib
maillog_file = {base}/log
maillog_file_prefixes = {base}
alternate_config_directories = {base}/etc
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.example.org
mydestination = {domain}
mynetworks = 127.0.0.2/32
relayhost = [127.0.0.1]:{sink_port}
alias_maps =
alias_database =
biff = no
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
transport_retry_time = 1s
lmtp_connect_timeout = 5s
address_verify_map =
address_verify_poll_delay = 1s
"""
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
127.0.0.1:{outgoing_port} inet n - n - - smtpd -o mynetworks=127.0.0.0/8
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - y - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """`transport` names the shipped file that leads mail to sievemda: mailbox_transport or virtual_transport."""

    def __init__(self, directory: Path, transport: str, sink_port: int) -> None:
        self.directory, self.transport, self.sink_port = directory, transport, sink_port
        self.port, self.outgoing_port = free_port(), free_port()
        self.etc, self.queue = directory / "etc", directory / "queue"
        # The documented place of the socket: below the queue directory, where a chrooted lmtp(8) can reach it.
        self.socket = self.queue / "sievemda" / "lmtp"
        for path in (directory, self.etc, self.queue, self.socket.parent, directory / "lib"):
            path.mkdir(mode=0o755)
        self.program = Program(["postfix", "-c", str(self.etc), "start-fg"], directory / "output")

    def start(self) -> None:
        need("postfix", "postqueue")
        need_root()
        owner = pwd.getpwnam("postfix")
        os.chown(self.directory / "lib", owner.pw_uid, owner.pw_gid)
        domain = "localhost" if self.transport == "virtual_transport" else "example.org"
        main = MAIN.format(base=self.directory, sink_port=self.sink_port, domain=domain)
        (self.etc / "main.cf").write_text(main + fill(f"postfix/{self.transport}.cf", {}))
        (self.etc / "master.cf").write_text(MASTER.format(port=self.port, outgoing_port=self.outgoing_port))
        self.program.start(lambda: answers(("127.0.0.1", self.port)))

    def stop(self) -> None:
        subprocess.run(["postfix", "-c", str(self.etc), "stop"], capture_output=True, check=False)
        self.program.stop()

    @property
    def log(self) -> Path:
        return self.directory / "log"

    def smtp(self, port: int | None = None) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", port or self.port, local_hostname="client.example.net", timeout=30)

    def send(self, content: bytes, *recipients: str, sender: str = "bob@example.net", **options: list[str]) -> None:
        """Hand a message over as a client on the Internet would; every recipient must be taken."""
        with self.smtp() as client:
            refused = client.sendmail(sender, list(recipients), content, **options)
            assert not refused, refused

    def flush(self) -> None:
        subprocess.run(["postqueue", "-c", str(self.etc), "-f"], check=True, capture_output=True)

    def queued(self) -> list[str]:
        """Queue identifiers of what has not been delivered."""
        done = subprocess.run(["postqueue", "-c", str(self.etc), "-j"], check=True, capture_output=True, text=True)
        return re.findall(r'"queue_id": "([^"]+)"', done.stdout)

    def wait_empty(self, seconds: float = 60.0) -> None:
        def empty() -> bool:
            left = self.queued()
            if left:
                self.flush()
            return not left

        wait_until(empty, "an empty queue", seconds)

    def status_of(self, recipient: str) -> str:
        """What the log says of the last delivery to a recipient: `status=sent (250 ...)`."""
        lines = [line for line in self.log.read_text().splitlines() if f"to=<{recipient}>" in line]
        return lines[-1] if lines else ""

    def wait_status(self, recipient: str) -> str:
        """As `status_of`, once there is one."""
        wait_until(lambda: self.status_of(recipient), f"a delivery to {recipient} in the log of Postfix")
        return self.status_of(recipient)
