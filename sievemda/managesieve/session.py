"""One ManageSieve session as a state machine: lines in, answers out, no socket. RFC 5804 §2.

`handle` does what the command says at once, files and password hashes included: whoever calls it keeps it off the
event loop.
"""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal

from sievemda.auth.client import Client
from sievemda.errors import AlreadyExists, DataError, NotFound, SievemdaError, StoreTrouble, TemporaryTrouble
from sievemda.managesieve.login import Login, Next
from sievemda.managesieve.reply import OK, Reply, challenge_form, line, literal, string
from sievemda.managesieve.scripts import Scripts, ScriptTooLarge, check
from sievemda.managesieve.service import Service
from sievemda.managesieve.stay import Stay
from sievemda.managesieve.wire import Line, Malformed, Token, number
from sievemda.state.versions import Actor
from sievemda.store.scripts import ScriptActive, TooManyScripts

_log = logging.getLogger("sievemda.managesieve")

MAX_MISTAKES = 20  # lines in a row that are no commands, then BYE
_WITH_SCRIPT = (("PUTSCRIPT",), ("CHECKSCRIPT",))  # how such lines begin
_SIZE_BEFORE_LOGIN = 16 << 10  # octets of a command
_SIZE_OF_MORE = 65 << 10  # the same where it may have a script in it, or a ticket of who is in many groups
_PATIENCE_BEFORE_LOGIN = 64 << 10  # octets of a command that is too long, before giving up on its end
_PATIENCE = 64 << 20
_TROUBLE_PAUSE = 0.5  # seconds

_HEAVY = {"AUTHENTICATE", "CHECKSCRIPT"}  # before login

_CODES: tuple[tuple[type[SievemdaError], str], ...] = (
    (NotFound, "NONEXISTENT"),
    (AlreadyExists, "ALREADYEXISTS"),
    (ScriptActive, "ACTIVE"),
    (TooManyScripts, "QUOTA/MAXSCRIPTS"),
    (ScriptTooLarge, "QUOTA/MAXSIZE"),
    (DataError, ""),
)


@dataclass(frozen=True, slots=True)
class Answer:
    data: bytes
    then: Literal["", "close", "starttls"] = ""
    delay: float = 0.0  # seconds to wait before sending
    more: Generator[bytes, None, None] | None = None  # pieces that come behind `data`, one by one from `piece`
    cut: bytes = b""  # what is said in place of pieces of which none has come yet when the server stops


@dataclass(frozen=True, slots=True)
class _Command:
    act: Callable[[Session, list[Any]], Answer | Reply | None]  # None is a plain OK
    arguments: str = ""  # s string, u string in UTF-8, n number; behind ? they may be left out
    state: Literal["any", "out", "in"] = "in"


class Session:
    def __init__(self, service: Service, client: Client) -> None:
        self._service = service
        self._login = Login(service, client)
        self._stay: Stay | None = None
        self._scripts: Scripts | None = None
        self._mistakes = 0
        self._behind_script = False  # whether the line before had a script in it
        self._challenge: Callable[[bytes], bytes] = literal  # how one that is not empty is written

    # --- for the server ----------------------------------------------------------------------------------------

    @property
    def authenticated(self) -> bool:
        return self._scripts is not None

    @property
    def client(self) -> Client:
        return self._login.client

    @property
    def secure(self) -> bool:
        """Whether TLS is on."""
        return self._login.client.secure

    @property
    def owner(self) -> str:
        """Whose scripts they are, once he is in."""
        return self._stay.owner if self._stay else ""

    @property
    def under_way(self) -> bool:
        """Whether he is in the middle of logging in."""
        return self._login.under_way

    @property
    def refused(self) -> bool:
        """Whether he has been told in a challenge that he does not get in, and has said nothing to it yet."""
        return self._login.refused

    def left(self) -> None:
        """The client has gone, or has to: what he has been refused counts. It uses the disk."""
        self._login.abandon("")

    @property
    def failures(self) -> int:
        """How many logins failed."""
        return self._login.failures

    @property
    def command_size(self) -> int:
        """Octets that one command may have in this state."""
        if self.authenticated:
            return self._service.command_size()
        tickets = self._service.settings.sasl.gssapi_keytab is not None
        return _SIZE_OF_MORE if tickets or self._checks_anybodys else _SIZE_BEFORE_LOGIN

    @property
    def patience(self) -> int:
        """Octets of a command that is too long to read before giving up on its end."""
        return _PATIENCE if self.authenticated else _PATIENCE_BEFORE_LOGIN

    def greeting(self) -> bytes:
        """The capabilities and OK; sent unasked at the beginning and after TLS came on. RFC 5804 §1.7, §2.2."""
        return self._capabilities() + bytes(OK)

    def secured(self, client: Client) -> bytes:
        """TLS is on, and tells more of the client: the capabilities again, for the old ones may have been forged."""
        self._login.client = client
        return self.greeting()

    def is_light(self, item: Line | Malformed) -> bool:
        """Whether nothing is looked up or worked out for the answer to who has not logged in."""
        if self.authenticated or self._login.under_way:
            return False
        first = "" if isinstance(item, Malformed) or not item else item[0]
        return not isinstance(first, str) or first.upper() not in _HEAVY

    def handle(self, item: Line | Malformed) -> Answer:
        """The answer to one line. Total: what goes wrong inside is logged, and the client is told to try later."""
        try:
            if isinstance(item, Malformed):
                return self._malformed(item)
            if self._login.under_way:
                return self._response(item)
            behind, self._behind_script = self._behind_script, item[:1] in _WITH_SCRIPT
            if behind and not item:
                return Answer(b"")  # managesieve3 ends the line of a script twice
            return self._command(item)
        except (StoreTrouble, TemporaryTrouble) as e:
            _log.error("managesieve: %s", e)
            if getattr(e.__cause__, "errno", 0) == errno.EDQUOT:
                return Answer(bytes(Reply("NO", "your disk quota is used up", "QUOTA")))
            return self._trouble()
        except SievemdaError as e:
            return Answer(bytes(_refusal(e)))
        except Exception:  # noqa: BLE001 - the last resort; it is logged
            _log.exception("managesieve: unforeseen")
            return self._trouble()

    def _trouble(self) -> Answer:
        """A stranger waits for it, or he could fill the log while a back end is down."""
        delay = 0.0 if self.authenticated else _TROUBLE_PAUSE
        return Answer(bytes(Reply("NO", "the server has trouble; try again later", "TRYLATER")), delay=delay)

    def piece(self, answer: Answer) -> bytes | None:
        """The next of the pieces of an answer, None at their end. Total, as `handle` is."""
        try:
            return None if answer.more is None else next(answer.more, None)
        except (StoreTrouble, TemporaryTrouble) as e:
            _log.error("managesieve: %s", e)
            return bytes(Reply("NO", "the server has trouble; try again later", "TRYLATER"))
        except SievemdaError as e:
            return bytes(_refusal(e))
        except Exception:  # noqa: BLE001 - the last resort; it is logged
            _log.exception("managesieve: unforeseen")
            return bytes(Reply("NO", "the server has trouble; try again later", "TRYLATER"))

    # --- lines -------------------------------------------------------------------------------------------------

    def _malformed(self, item: Malformed) -> Answer:
        first = item.tokens[0] if item.tokens else ""
        puts = self.authenticated and isinstance(first, str) and first.upper() == "PUTSCRIPT"
        code = "QUOTA/MAXSIZE" if item.too_large and puts else ""
        if item.fatal:
            return Answer(bytes(Reply("BYE", item.reason, code)), "close")
        if self._login.under_way:
            self._login.abandon("")
        if code:
            return Answer(bytes(Reply("NO", "the script is too large", code)))
        return self._mistake(item.reason)

    def _response(self, item: Line) -> Answer:
        if item == ("*",):
            item = (b"*",)  # unquoted it is no string, and means the same
        if not item:
            item = (b"",)  # Emacs sends an empty response as an empty line
        if len(item) != 1 or not isinstance(item[0], bytes):
            self._login.abandon("")
            return self._mistake("one string was expected; authentication cancelled")
        return self._authenticating(self._login.respond(item[0]))

    def _command(self, item: Line) -> Answer:
        name = item[0].upper() if item and isinstance(item[0], str) else ""
        command = _COMMANDS.get(name)
        if command is None:
            return self._mistake("this command is not known" if name else "a command was expected")
        if command.state == "in" and not (self.authenticated or (name == "CHECKSCRIPT" and self._checks_anybodys)):
            return Answer(bytes(Reply("NO", "authenticate first")))
        if command.state == "out" and self.authenticated:
            return Answer(bytes(Reply("NO", "already authenticated")))
        arguments = _arguments(command.arguments, item[1:])
        if arguments is None:
            return self._mistake(f"{name} has other arguments")
        self._mistakes = 0
        works = command.state == "in" and name != "UNAUTHENTICATE"
        if works and (over := self._over()):
            return over
        if name == "AUTHENTICATE":
            self._challenge = challenge_form(str(item[0]))
        try:
            found = command.act(self, arguments)
        except SievemdaError:
            if over := self._over():  # it failed for that
                return over
            raise
        return found if isinstance(found, Answer) else Answer(bytes(found or OK))

    def _over(self) -> Answer | None:
        """The end of his stay, when he may work on the scripts no longer."""
        over = self._stay.over() if self._stay else None
        return _answered(over) if over else None

    def _mistake(self, text: str) -> Answer:
        self._mistakes += 1
        if self._mistakes >= MAX_MISTAKES:
            return Answer(bytes(Reply("BYE", "too many mistakes")), "close")
        return Answer(bytes(Reply("NO", text)))

    # --- commands in any state ------------------------------------------------------------------------------------

    def capability(self, _: list[Any]) -> Answer:
        return Answer(self.greeting())

    def logout(self, _: list[Any]) -> Answer:
        return Answer(bytes(OK), "close")  # RFC 5804 §2.3: OK, not BYE

    def noop(self, arguments: list[Any]) -> Reply:
        return Reply("OK", "done", "TAG", arguments[0]) if arguments else OK  # RFC 5804 §2.13

    def _capabilities(self) -> bytes:
        offered = self._service.fixed_capabilities(self.owner)
        offered["SASL"] = " ".join(self._login.offered())
        if self.authenticated:
            offered["OWNER"] = self.owner
        data = b"".join(line(string(name), string(value)) for name, value in offered.items())
        if self._login.has_tls and not self.secure and not self.authenticated:
            data += line(string("STARTTLS"))
        return data + line(string("UNAUTHENTICATE"))

    # --- before login ------------------------------------------------------------------------------------------

    def starttls(self, _: list[Any]) -> Answer:
        if self.secure:
            return Answer(bytes(Reply("NO", "TLS is on already")))
        if not self._login.has_tls:
            return Answer(bytes(Reply("NO", "TLS is not available")))
        return Answer(bytes(OK), "starttls")

    def authenticate(self, arguments: list[Any]) -> Answer:
        initial = arguments[1] if len(arguments) > 1 else None
        return self._authenticating(self._login.begin(arguments[0], initial))

    def _authenticating(self, found: Next) -> Answer:
        if found.stay:
            self._stay = found.stay
            actor = Actor(found.user or self.owner, self.client.address or "local", "managesieve")
            self._scripts = Scripts(found.stay, actor, self.client.port)
            return Answer(bytes(OK))
        if found.reply is None:
            # An empty one is the empty string of RFC 5804 §2.1.
            return Answer(line(self._challenge(found.challenge) if found.challenge else string("")))
        return _answered(found.reply, found.delay)

    @property
    def _checks_anybodys(self) -> bool:
        """Whether scripts are checked for who has not logged in."""
        return self._service.settings.managesieve.managesieve_checkscript_anonymous

    def checkscript(self, arguments: list[Any]) -> Reply:
        return check(self._service, arguments[0], self.owner)

    # --- after login -------------------------------------------------------------------------------------------

    @property
    def scripts(self) -> Scripts:
        if self._scripts is None:
            raise ValueError("nobody is logged in")
        return self._scripts

    def unauthenticate(self, _: list[Any]) -> None:
        self._stay = self._scripts = None

    def try_out(self, arguments: list[Any]) -> Answer:
        return Answer(b"", more=self._while_in(self.scripts.try_out(*arguments)))

    def _while_in(self, pieces: Generator[bytes, None, None], end: bytes = b"") -> Generator[bytes, None, None]:
        """As far as they come while he may stay, and then `end`, or NO; the next command ends the session."""
        with closing(pieces):
            for piece in pieces:
                if self._stay and (over := self._stay.over()):
                    yield end or bytes(Reply("NO", over.text))
                    return
                yield piece

    def setactive(self, arguments: list[Any]) -> Answer | None:
        pieces = self.scripts.activate(arguments[0])
        return None if pieces is None else Answer(b"", more=self._while_in(pieces, bytes(OK)), cut=bytes(OK))

    def listscripts(self, _: list[Any]) -> Answer:
        return self._read(self.scripts.listed())

    def getscript(self, arguments: list[Any]) -> Answer:
        return self._read(self.scripts.get(arguments[0]))

    def _read(self, data: bytes) -> Answer:
        """What was read, unless it may be somebody's who has just come by his name."""
        return self._over() or Answer(data + bytes(OK))


def _answered(reply: Reply, delay: float = 0.0) -> Answer:
    return Answer(bytes(reply), "close" if reply.status == "BYE" else "", delay)


def _arguments(wanted: str, given: Line) -> list[Any] | None:
    """The arguments converted as `wanted` says, None when they are others; raises DataError for a bad string."""
    needed, _, optional = wanted.partition("?")
    if not len(needed) <= len(given) <= len(needed + optional):
        return None
    found = [_argument(kind, token) for kind, token in zip(needed + optional, given, strict=False)]
    return None if None in found else found


def _argument(kind: str, token: Token) -> bytes | str | int | None:
    if kind == "n":
        return number(token)
    if isinstance(token, str):
        return None
    if kind == "s":
        return token
    try:
        return token.decode()
    except UnicodeDecodeError as e:
        raise DataError("the name is not UTF-8") from e


def _refusal(error: SievemdaError) -> Reply:
    code = next((code for kind, code in _CODES if isinstance(error, kind)), "")
    return Reply("NO", str(error), code)


_COMMANDS: dict[str, _Command] = {
    "CAPABILITY": _Command(Session.capability, state="any"),
    "LOGOUT": _Command(Session.logout, state="any"),
    "NOOP": _Command(Session.noop, "?s", state="any"),
    "STARTTLS": _Command(Session.starttls, state="out"),
    "AUTHENTICATE": _Command(Session.authenticate, "s?s", state="out"),
    "UNAUTHENTICATE": _Command(Session.unauthenticate),
    "HAVESPACE": _Command(lambda s, a: s.scripts.havespace(*a), "un"),
    "PUTSCRIPT": _Command(lambda s, a: s.scripts.put(*a), "us"),
    "CHECKSCRIPT": _Command(Session.checkscript, "s"),
    "LISTSCRIPTS": _Command(Session.listscripts),
    "GETSCRIPT": _Command(Session.getscript, "u"),
    "SETACTIVE": _Command(Session.setactive, "u"),
    "DELETESCRIPT": _Command(lambda s, a: s.scripts.delete(*a), "u"),
    "XTRYSCRIPT": _Command(Session.try_out, "un?s"),
    "RENAMESCRIPT": _Command(lambda s, a: s.scripts.rename(*a), "uu"),
}
