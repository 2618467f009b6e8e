"""A private OpenLDAP server with a few people, at a socket, and at ports of the loopback with TLS and without."""

from __future__ import annotations

import subprocess
from pathlib import Path
from urllib.parse import quote

from tests.interop.certificate import make_certificate
from tests.interop.processes import Program, answers, free_port, need

BASE = "dc=example,dc=org"
READER, READER_PASSWORD = f"cn=reader,{BASE}", "reads it all"
PEOPLE = {  # uid: password
    "alice": "pencil",
    "bob": "pén cil",
    "carol@other.example": "c",
    "a*b": "star",
    "o(c)": "brackets",
    "back\\slash": "b",
    "comma, name": "comma",
    "emoji": "p\U0001f600",  # of no use, or another text, after SASLprep; slappasswd hashes what it is given
    "tab": "a\tb",
    "space": "a\u00a0b",
    "mixed": "\u05e9\u05dcabc",
}
CONFIG = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
moduleload back_mdb
pidfile {directory}/pid
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
database mdb
directory {directory}/db
suffix "{base}"
access to attrs=userPassword by anonymous auth by * none
access to * by dn.base="{reader}" read by * none
"""


class Slapd:
    def __init__(self, directory: Path) -> None:
        need("slapd", "slapadd", "slappasswd")
        directory.mkdir(mode=0o755)
        (directory / "db").mkdir()
        self.directory = directory
        self.certificate, key = make_certificate(directory)
        self.port, self.tls_port = free_port(), free_port()
        config = directory / "slapd.conf"
        config.write_text(
            CONFIG.format(directory=directory, certificate=self.certificate, key=key, base=BASE, reader=READER)
        )
        subprocess.run(
            ["slapadd", "-q", "-f", config], input=_entries(), text=True, check=True, capture_output=True, timeout=60
        )
        self.socket = f"ldapi://{quote(str(directory / 'ldapi'), safe='')}"
        listeners = f"{self.socket} {self.plain} {self.tls} {self.other}"
        self.program = Program(["slapd", "-f", str(config), "-h", listeners, "-d", "0"], directory / "log")

    @property
    def plain(self) -> str:
        return f"ldap://localhost:{self.port}/"

    @property
    def tls(self) -> str:
        return f"ldaps://localhost:{self.tls_port}/"

    @property
    def other(self) -> str:
        """At an address for which the certificate is not."""
        return f"ldaps://127.0.0.2:{self.tls_port}/"

    def start(self) -> None:
        self.program.start(lambda: answers(("127.0.0.1", self.port)) and answers(("127.0.0.1", self.tls_port)))

    def stop(self) -> None:
        self.program.stop()


def _entries() -> str:
    entries = [
        f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n",
        _person(READER, "reader", READER_PASSWORD),
        f"dn: ou=people,{BASE}\nobjectClass: organizationalUnit\nou: people\n",
        f"dn: uid=nopassword,ou=people,{BASE}\nobjectClass: inetOrgPerson\ncn: x\nsn: x\nuid: nopassword\n",
        f"dn: ou=twins,{BASE}\nobjectClass: organizationalUnit\nou: twins\n",
        _person(f"cn=one,ou=twins,{BASE}", "twin", "twin"),
        _person(f"cn=two,ou=twins,{BASE}", "twin", "twin"),
        (
            f"dn: cn=elsewhere,{BASE}\nobjectClass: referral\nobjectClass: extensibleObject\ncn: elsewhere\n"
            "ref: ldap://192.0.2.1/dc=example,dc=org\n"
        ),
    ]
    for uid, password in PEOPLE.items():
        name = "".join(f"\\{letter}" if letter in '\\,+"<>;=' else letter for letter in uid)
        entries.append(_person(f"uid={name},ou=people,{BASE}", uid, password))
    return "\n".join(entries)


def _person(dn: str, uid: str, password: str) -> str:
    hashed = subprocess.run(["slappasswd", "-s", password, "-n"], check=True, capture_output=True, text=True).stdout
    return f"dn: {dn}\nobjectClass: inetOrgPerson\ncn: {dn.partition(',')[0][3:]}\nsn: x\nuid: {uid}\nuserPassword: {hashed}\n"
