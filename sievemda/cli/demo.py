"""`sievemda demo`: the whole service in one directory, to look at and to play with.

No root, no configuration file, no other server. It makes a user with a script, delivers a message through the real
LMTP server, says where the message went and why, and leaves the server in the foreground.
"""

from __future__ import annotations

import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click

from sievemda.errors import AlreadyExists, StoreTrouble, Unavailable

USER, PASSWORD = "demo", "demo"  # on loopback only, where everybody may know it
SCRIPT = """\
require ["fileinto", "imap4flags", "variables"];

# Mail about invoices goes into a folder of its own, flagged.
if header :contains "subject" "invoice" {
    fileinto :flags "\\\\Flagged" "Invoices";
    stop;
}

# Mailing lists into theirs.
if exists "list-id" {
    fileinto "Lists";
}
"""
MESSAGE = """\
From: Billing <billing@shop.example>
To: demo@localhost
Subject: Invoice 4711 for your order
Date: {date}
Message-ID: {message_id}
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Thank you for your order.
"""
SERVER = "serve --lmtp inet:127.0.0.1:{lmtp} --managesieve inet:127.0.0.1:{sieve}"
SETTINGS = ("lmtp_trusted_networks=127.0.0.0/8", "allowplaintext=yes")


@click.command(epilog="Example: sievemda --data ./var demo")
@click.option("--lmtp-port", default=2424, show_default=True, help="Taken if free, else another.")
@click.option("--managesieve-port", default=4190, show_default=True, help="Taken if free, else another.")
@click.pass_context
def demo(ctx: click.Context, lmtp_port: int, managesieve_port: int) -> None:
    """Start everything below the data directory (./var), with a user, a script and a message."""
    _end_by_signals()
    root = ctx.find_root()
    data: Path = (root.params.get("data") or Path("var")).absolute()
    if _answers(data / "run" / "lmtp"):
        raise AlreadyExists(f"a server runs below {data} already: stop it, or give another directory with --data")
    command = [sys.executable, "-m", "sievemda", "--data", str(data)]
    _prepare(command)
    ports = {"lmtp": _free(lmtp_port), "sieve": _free(managesieve_port)}
    options = [word for item in (*SETTINGS, *root.params.get("sets", ())) for word in ("--set", item)]
    server = subprocess.Popen([*command, *options, *SERVER.format(**ports).split()])
    try:
        _wait_for(data / "run" / "lmtp", server)
        message_id = _deliver(data)
        _explain(command, message_id, data, ports)
        sys.exit(server.wait())
    except KeyboardInterrupt:
        sys.exit(_stop(server))
    except BaseException:
        _stop(server)
        raise


def _end_by_signals() -> None:
    """However it is ended, the server ends with it; what `nohup` ignores stays ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


def _prepare(command: list[str]) -> None:
    """The user, folders, rights and script; running it again changes nothing."""
    _sievemda(command, "mailbox", "create", f"user/{USER}", may_exist=True)
    for folder in ("Invoices", "Lists"):
        _sievemda(command, "mailbox", "create", f"user/{USER}/{folder}", may_exist=True)
        _sievemda(command, "acl", "set", f"user/{USER}/{folder}", "anyone", "p")
    _sievemda(command, "account", "passwd", USER, stdin=PASSWORD + "\n")
    _sievemda(command, "script", "put", USER, "main", "-", stdin=SCRIPT)
    _sievemda(command, "script", "activate", USER, "main")


def _sievemda(command: list[str], *arguments: str, stdin: str = "", may_exist: bool = False) -> None:
    done = subprocess.run([*command, *arguments], input=stdin, capture_output=True, text=True, check=False)
    if done.returncode and not (may_exist and done.returncode == 73):
        raise StoreTrouble(f"{' '.join(arguments)}: {done.stderr.strip().removeprefix('sievemda: ')}")


def _free(port: int) -> int:
    """`port` if nobody listens there, else one that the system chooses."""
    for wanted in (port, 0):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", wanted))
            except OSError:
                continue
            found: int = s.getsockname()[1]
            return found
    raise Unavailable("no free port on 127.0.0.1")


def _wait_for(path: Path, server: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if server.poll() is not None:
            raise Unavailable("the server did not start; its own words are above")
        if _answers(path):
            return
        time.sleep(0.05)
    raise Unavailable(f"nobody answers on {path}")


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(str(path))
        except OSError:
            return False
    return True


def _deliver(data: Path) -> str:
    from email.utils import formatdate, make_msgid
    from smtplib import LMTP

    message_id = make_msgid(domain="shop.example")
    text = MESSAGE.format(date=formatdate(), message_id=message_id).replace("\n", "\r\n")
    with LMTP(str(data / "run" / "lmtp")) as client:
        client.sendmail("billing@shop.example", [f"{USER}@localhost"], text)
    return message_id


def _explain(command: list[str], message_id: str, data: Path, ports: dict[str, int]) -> None:
    maildir = data / "mail" / "user" / USER / "Maildir"
    newest = max((p for p in maildir.glob("**/[cn][ue][rw]/*") if p.is_file()), key=lambda p: p.stat().st_mtime)
    why = subprocess.run([*command, "why", message_id], capture_output=True, text=True, check=False).stdout
    cli = shlex.join([*_program(), "--data", str(data)])
    lmtp, inbox = (shlex.quote(str(path)) for path in (data / "run" / "lmtp", maildir))
    connect = f"sieve-connect --server 127.0.0.1 --port {ports['sieve']} --nosrv --user {USER} --notlsverify"
    here = f"{USER}@localhost"
    text = [
        "",
        f"A message for {here} was delivered through LMTP. It lies here:",
        f"  {newest}",
        "",
        "Why it went there:",
        *(f"  {line}" for line in why.splitlines()),
        "",
        "The server goes on. In another terminal:",
        "",
        "  send it mail",
        f"    printf 'From: you@example.net\\nSubject: hello\\n\\nHi.\\n' | {cli} deliver -r you@example.net {USER}",
        f"    swaks --protocol LMTP --server 127.0.0.1:{ports['lmtp']} --from you@example.net --to {here}",
        f"    swaks --protocol LMTP --socket {lmtp} --from you@example.net --to {USER}+Lists@localhost",
        f"  upload a script (user {USER}, password {PASSWORD})",
        f"    {cli} script put {USER} main FILE",
        f"    printf {PASSWORD} | {connect} --passwordfd 0 --localsieve FILE --remotesieve main --upload",
        f"    printf {PASSWORD} | {connect} --passwordfd 0 --list",
        "  look at the mailbox",
        f"    {cli} mailbox info user/{USER}",
        f"    ls {inbox}/new {inbox}/.Invoices/cur",
        "  ask why",
        f"    {cli} why '{message_id}'",
        "",
        "Ctrl-C stops it.",
    ]
    print("\n".join(text), flush=True)


def _program() -> list[str]:
    """How to start us once more: by the console script when it was that, else by the module."""
    started = Path(sys.argv[0]).resolve()
    return [sys.executable, "-m", "sievemda"] if started.name == "__main__.py" else [str(started)]


def _stop(server: subprocess.Popen[Any]) -> int:
    """End the server; it finishes the transactions under way."""
    if server.poll() is None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        server.send_signal(signal.SIGTERM)
    return server.wait(30)
