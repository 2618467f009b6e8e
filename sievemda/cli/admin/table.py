"""Every command by all its names.

A command's module is imported when it is first called: a batch that sets quotas loads nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType

from sievemda.cli.admin.options import parse
from sievemda.cli.admin.session import Session

_NO_OPTIONS: Mapping[str, bool] = MappingProxyType({})
_PARTITION = {"partition": True}
_ENTRIES = "comment|expire|news2mail|pop3showafter|sharedseen|sieve"
_CONNECTION = {
    "minssf": True, "maxssf": True, "mechanisms": True, "service": True, "tlskey": True, "notls": False,
    "cafile": True, "capath": True,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Command:
    names: tuple[str, ...]  # the first is what errors begin with
    usage: str  # without the name; one line each where there are two
    summary: str
    function: str  # module:function
    options: Mapping[str, bool] = field(default_factory=lambda: _NO_OPTIONS)  # whether they have a value
    note: str = ""  # where it is not as in Cyrus
    offline: bool = False  # also without a connection
    reads: str = ""  # what its arguments are, for completion

    @property
    def name(self) -> str:
        return self.names[0]

    def run(self, session: Session, words: list[str]) -> int:
        """UsageError, and what the command raises."""
        arguments = parse(words, self.options)
        module, function = self.function.split(":")
        status = getattr(import_module(f"sievemda.cli.admin.{module}"), function)(session, arguments)
        return status or 0


COMMANDS = (
    Command(
        ("authenticate", "auth", "login"),
        "[-minssf N] [-maxssf N] [-mechanisms list] [-service name] [-tlskey keyfile] [-notls] [-cafile cacertfile]"
        " [-capath cacertdir] [user]",
        "authenticate to server",
        "connection:authenticate",
        _CONNECTION,
        "acts as that user, without a name as the administrators; nobody is asked for a password, since whoever"
        " starts the shell may write to the store",
    ),
    Command(("chdir", "cd"), "directory", "change current directory", "connection:chdir", offline=True),
    Command(
        ("createmailbox", "create", "cm"),
        "[--partition partition] [--specialuse specialuse] mailbox [partition]",
        "create mailbox",
        "mailboxes:createmailbox",
        {"partition": True, "specialuse": True},
        reads="mailbox partition",
    ),
    Command(
        ("deleteaclmailbox", "deleteacl", "dam"),
        "mailbox id [id ...]",
        "remove ACLs from mailbox",
        "rights:deleteacl",
        reads="mailbox id",
    ),
    Command(
        ("deletemailbox", "delete", "dm"),
        "mailbox",
        "delete mailbox",
        "mailboxes:deletemailbox",
        note="with delete_mode delayed it can be brought back for some days: sievemda mailbox undelete",
        reads="mailbox",
    ),
    Command(("disconnect", "disc"), "", "disconnect from current server", "connection:disconnect", offline=True),
    Command(("exit", "quit"), "[number]", "exit the shell", "connection:exit_shell", offline=True),
    Command(
        ("getmetadata", "getmd"),
        "[mailbox [entry ...]]",
        "display mailbox/server metadata",
        "annotations:info",
        reads="mailbox",
    ),
    Command(("help", "?"), "[command]", "show commands", "help:show", offline=True, reads="command"),
    Command(
        ("info",),
        "[mailbox [entry ...]]",
        "display mailbox/server annotations",
        "annotations:info",
        reads="mailbox",
    ),
    Command(("listaclmailbox", "listacl", "lam"), "mailbox", "list ACLs on mailbox", "rights:listacl", reads="mailbox"),
    Command(
        ("listmailbox", "list", "lm"),
        "[-subscribed] [-specialuse] [pattern [base]]",
        "list mailboxes",
        "listing:listmailbox",
        {"subscribed": False, "specialuse": False},
        reads="mailbox",
    ),
    Command(("listquota", "lq"), "root", "list quotas on specified root", "quotas:listquota", reads="mailbox"),
    Command(
        ("listquotaroot", "lqr", "lqm"),
        "mailbox",
        "show quota roots and quotas for mailbox",
        "quotas:listquotaroot",
        reads="mailbox",
    ),
    Command(
        ("mboxconfig", "mboxcfg"),
        f"[--private] mailbox [{_ENTRIES}|squat|/<explicit annotation>] value",
        "configure mailbox",
        "annotations:mboxconfig",
        {"private": False},
        reads="mailbox entry",
    ),
    Command(
        ("reconstruct",),
        "[-r] mailbox",
        "reconstruct mailbox (if supported)",
        "mailboxes:reconstruct",
        {"r": False},
        "what is wrong is mended and told, quotas too; sievemda reconstruct does more, and all mailboxes",
        reads="mailbox",
    ),
    Command(
        ("renamemailbox", "rename", "renm"),
        "[--partition partition] oldname newname [partition]",
        "rename (and optionally relocate) mailbox",
        "mailboxes:renamemailbox",
        _PARTITION,
        "whole users are renamed with allowusermoves = yes only; all that is below a mailbox moves with it",
        reads="mailbox mailbox partition",
    ),
    Command(
        ("server", "connect", "servername"),
        "[-noauthenticate] [server]",
        "show current server or connect to server",
        "connection:server",
        {"noauthenticate": False},
        "there is one server, the store of this host",
        offline=True,
    ),
    Command(
        ("setaclmailbox", "setacl", "sam"),
        "mailbox id rights [id rights ...]",
        "set ACLs on mailbox",
        "rights:setacl",
        reads="mailbox id",
    ),
    Command(
        ("setinfo",),
        "[motd|comment|admin|shutdown|expire|squat] text",
        "set server metadata",
        "annotations:setinfo",
        note="they are kept and shown, and scripts may ask for them; motd and shutdown are an IMAP server's affair",
        reads="attribute",
    ),
    Command(
        ("setmetadata", "setmd"),
        f"[--private] mailbox [{_ENTRIES}|specialuse|squat|/<explicit annotation>] value",
        "set metadata to mailbox",
        "annotations:setmetadata",
        {"private": False},
        "a special use is one of the mailbox, the same for all users",
        reads="mailbox entry",
    ),
    Command(
        ("setquota", "sq"),
        "mailbox resource value [resource value ...]\nmailbox num\nmailbox none",
        "set quota on mailbox or resource",
        "quotas:setquota",
        note="resources are STORAGE (KiB), MESSAGE, MAILBOX and ANNOTATION-STORAGE (KiB); num alone is STORAGE",
        reads="mailbox resource",
    ),
    Command(("subscribe", "sub"), "mailbox", "subscribe to a mailbox", "mailboxes:subscribe", reads="mailbox"),
    Command(
        ("unsubscribe", "unsub"), "mailbox", "unsubscribe from a mailbox", "mailboxes:unsubscribe", reads="mailbox"
    ),
    Command(("version", "ver"), "", "display version info of current server", "connection:version"),
    Command(
        ("xfermailbox", "xfer"),
        "[--partition partition] mailbox server [partition]",
        "transfer (relocate) a mailbox to a different server",
        "mailboxes:xfermailbox",
        _PARTITION,
        "there is no other server: renamemailbox --partition moves a mailbox to another disk",
        reads="mailbox",
    ),
)
BY_NAME = {name: command for command in COMMANDS for name in command.names}
