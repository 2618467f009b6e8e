"""A realm of Kerberos: MIT's KDC with a database, a configuration and a port of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.interop.processes import Program, answers, free_port
from tests.interop.sasl import LIBRARIES, environment, program

REALM = "TEST.EXAMPLE"
_CLIENT = """[libdefaults]
 default_realm = {realm}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
[realms]
 {realm} = {{
  kdc = 127.0.0.1:{port}
 }}
[domain_realm]
 localhost = {realm}
"""
_SERVER = """[kdcdefaults]
 kdc_listen = 127.0.0.1:{port}
 kdc_tcp_listen = 127.0.0.1:{port}
[realms]
 {realm} = {{
  database_name = {directory}/principal
  key_stash_file = {directory}/stash
  acl_file = {directory}/acl
 }}
[dbmodules]
 db_module_dir = {modules}
"""


class Realm:
    """`keytab` is the server's."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.directory, self.port = directory, free_port()
        self.keytab = directory / "keytab"
        self.environment = {
            "KRB5_CONFIG": str(directory / "krb5.conf"),
            "KRB5_KDC_PROFILE": str(directory / "kdc.conf"),
            "KRB5CCNAME": f"FILE:{directory}/tickets",
            "KRB5RCACHEDIR": str(directory),
        }
        words = {"realm": REALM, "port": self.port, "directory": directory, "modules": LIBRARIES / "krb5/plugins/kdb"}
        (directory / "krb5.conf").write_text(_CLIENT.format(**words))
        (directory / "kdc.conf").write_text(_SERVER.format(**words))
        self.run("usr/sbin/kdb5_util", "-P", "master", "create", "-s")
        for host in ("sieve/localhost", "lmtp/localhost"):
            self.admin(f"addprinc -randkey {host}")
            self.admin(f"ktadd -k {self.keytab} {host}")
        self.log = directory / "kdc.log"
        command = [program("usr/sbin/krb5kdc"), "-n"]
        self._kdc = Program(command, self.log, env=environment(**self.environment))

    def run(self, path: str, *arguments: str, stdin: str = "") -> str:
        done = subprocess.run(
            [program(path), *arguments],
            input=stdin, text=True, capture_output=True, env=environment(**self.environment), timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def admin(self, question: str) -> None:
        self.run("usr/sbin/kadmin.local", "-q", question)

    def start(self) -> None:
        self._kdc.start(lambda: answers(("127.0.0.1", self.port)))

    def stop(self) -> None:
        self._kdc.stop()

    def ticket(self, user: str, password: str) -> None:
        """In place of whatever tickets there were."""
        self.run("usr/bin/kinit", user, stdin=f"{password}\n")
