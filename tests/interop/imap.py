"""IMAP as the tests speak it, over whatever leads to a server."""

from __future__ import annotations

import imaplib
import re


def quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text


class Answers(imaplib.IMAP4):
    """A session with answers in the shape the tests ask for. Folder names as on the wire (modified UTF-7)."""

    def ask(self, name: str, *arguments: str, answer: str = "") -> list[bytes]:
        """One command of whatever extension; the untagged answers called `answer`."""
        status, text = self._simple_command(name, *arguments)
        assert status == "OK", text
        return self._untagged_response(status, text, answer or name)[1]

    def choose(self, folder: str = "INBOX") -> int:
        """Select; the number of messages."""
        status, data = self.select(f'"{folder}"')
        assert status == "OK", data
        return int(data[0])

    def flags(self, folder: str = "INBOX") -> list[set[str]]:
        """The flags of each message of a folder, without \\Recent."""
        if not self.choose(folder):
            return []
        _, lines = self.fetch("1:*", "(FLAGS)")
        return [{flag.decode() for flag in imaplib.ParseFlags(line)} - {"\\Recent"} for line in lines]

    def body(self, folder: str = "INBOX", number: int = 1) -> bytes:
        self.choose(folder)
        return self.fetch(str(number), "(BODY.PEEK[])")[1][0][1]

    def folders(self) -> list[str]:
        """All names that can be opened, as on the wire."""
        return sorted(name for attributes, name in self.listed() if "\\Noselect" not in attributes)

    def listed(self, arguments: str = '"" "*"') -> list[tuple[list[str], str]]:
        """Attributes and name of each answer to LIST, in whatever form of the command (RFC 5258)."""
        found = []
        for answer in self.ask("LIST", arguments):
            if answer:
                attributes, _, rest = answer.decode().removeprefix("(").partition(") ")
                found.append((attributes.split(), unquoted(rest.partition(" ")[2])))
        return found

    def chosen(self, folder: str) -> bool:
        """Whether a folder can be opened, be it for reading only; it is then."""
        opened = self._simple_command("SELECT", quoted(folder))[0] == "OK"
        self.untagged_responses = {}
        self.state = "SELECTED" if opened else "AUTH"
        return opened


class Spawned(Answers, imaplib.IMAP4_stream):
    """A session with a server on the standard input and output of a command of the shell."""
