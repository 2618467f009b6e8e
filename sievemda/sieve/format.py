r"""One layout for every script: what `sievemda sieve format` and the language server write. RFC 5228 §2, §8.

    require ["fileinto", "imap4flags"];

    # rule:[Lists]
    if anyof (
        header :contains "list-id" "<sieve.ietf.org>",
        address :is ["to", "cc"] "sieve@ietf.org"
    ) {
        setflag "\\Seen";
        fileinto "Lists/sieve";
    } else {
        keep;
    }

Blocks are indented, one command stands on a line, names and tags are in lower case, and what is too long for a line is
broken where its parts are. Blank lines stay where the writer put some, one at a time; one follows the `require`s.
Comments stay with what they are about; `# rule:[...]` stays on the line above its rule.

What must never change is what the script says: it parses to the same tree as before, and a script that was laid out
is laid out like that again. Hence strings and numbers keep their spelling.

Why neither the capabilities of a `require` are sorted nor tags are put before other arguments: the first is no matter
of layout, and the second is an error of the script (RFC 5228 §2.6.2) that somebody should see. Why a script need only
parse, and not make sense: one with an extension that is not known here can be laid out just as well. Why the line ends
are those of the first line, and a byte-order mark stays: other programs may have asked for them.
"""

from __future__ import annotations

import re

from sievemda.sieve.format_write import Style, Writer
from sievemda.sieve.limits import Limits

__all__ = ["Style", "format_octets", "format_script"]

_MARK = "\ufeff"
_LINE_END = re.compile(r"(?<!\r)\r++\n")


def format_script(text: str, style: Style | None = None, limits: Limits | None = None) -> str:
    """The text in its canonical layout. Raises `ScriptError` with every fault of one that does not parse.

    Octets that are not UTF-8 are lone surrogates in it, as in a tree.
    """
    from sievemda.sieve.format_read import body  # noqa: PLC0415 - these two read the grammar, and import the registry
    from sievemda.sieve.lalr import scanner  # noqa: PLC0415
    from sievemda.sieve.parse import parse  # noqa: PLC0415

    mark = _MARK if text.startswith(_MARK) else ""
    source = text.removeprefix(_MARK)
    parse(source.encode("utf-8", "surrogateescape"), limits or Limits())
    first = source.find("\n")
    line_end = "\r\n" if first > 0 and source[first - 1] == "\r" else "\n"
    writer = Writer(style or Style())
    writer.body(body(scanner().pieces(_LINE_END.sub("\n", source))), 0)
    return mark + writer.text.replace("\n", line_end)


def format_octets(script: bytes, style: Style | None = None, limits: Limits | None = None) -> bytes:
    """The same for a script as it lies in a file."""
    text = format_script(script.decode("utf-8", "surrogateescape"), style, limits)
    return text.encode("utf-8", "surrogateescape")
