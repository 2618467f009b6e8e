"""Any octets as what a client sends: ManageSieve lines, LMTP paths and parameters, DATA, names and URIs.

The first octet says which: S a ManageSieve session, M the argument of MAIL, R that of RCPT, D the octets of DATA,
N names; anything else is all of them.
"""

from __future__ import annotations

from sievemda.lmtp.data import END, Unstuffer
from sievemda.lmtp.parameters import parse_mail, parse_rcpt
from sievemda.lmtp.replies import Reply
from sievemda.mail.address import Address, parse_address
from sievemda.mail.annotation import canonical, fault
from sievemda.mail.envelope import Recipient, Sender
from sievemda.mail.flags import canonical as canonical_flags
from sievemda.mail.mailto import quoted, read_mailto
from sievemda.mail.xtext import to_xtext, xtext
from sievemda.managesieve.reply import string
from sievemda.managesieve.wire import Line, Malformed, Reader
from sievemda.store.spelling import decode_utf7, encode_utf7, from_disk, to_disk
from tests.fuzz.oracles import cut, explained
from tests.fuzz.targets import Target
from tests.fuzz.world import printed

_WORDS = (
    b"MAIL", b"FROM:<a@example.org>", b"TO:<kim+x@example.org>", b"FROM:<>", b' TO:<"a b"@c>', b"<@a,@b:c@d>", b" SIZE=10",
    b" BODY=8BITMIME", b" SMTPUTF8", b" AUTH=<>", b" AUTH=a+20b", b" RET=FULL", b" ENVID=a+2Bb", b" NOTIFY=SUCCESS,DELAY",
    b" NOTIFY=NEVER", b" ORCPT=rfc822;a+40b", b" ORCPT=utf-8;a\\x{E4}", b" IGNOREQUOTA", b" BY=60;RT", b"\r\n.\r\n", b"\r\n",
    b"{3+}\r\nabc", b"{3}\r\n", b'"a\\"b"', b'PUTSCRIPT "a" {5+}\r\nkeep;\r\n', b'AUTHENTICATE "PLAIN" ""', b"HAVESPACE",
    b"CHECKSCRIPT", b"LISTSCRIPTS\r\n", b"mailto:a@b?subject=%20", b"&APw-", b".a.b\\2e", b"/private/vendor/a/b",
    b"{4294967296+}\r\n", b"{99999999999}\r\n", b"\n", b"[127.0.0.1]", b"[IPv6:::1]", "ä@ö".encode(), b"\xff",
)  # fmt: skip


def check(data: bytes) -> None:
    kind, rest = data[:1], data[1:]
    text = rest.decode("utf-8", "surrogateescape")
    if kind not in {b"M", b"R", b"D", b"N"}:
        _session(rest)
    if kind not in {b"S", b"R", b"D", b"N"}:
        _mail(text)
    if kind not in {b"S", b"M", b"D", b"N"}:
        _rcpt(text)
    if kind not in {b"S", b"M", b"R", b"N"}:
        _data(rest)
    if kind not in {b"S", b"M", b"R", b"D"}:
        _names(text)


def _session(data: bytes) -> None:
    """The same lines, however the octets are cut."""
    whole = _lines([data])
    assert whole == _lines(cut(data, [1] * len(data))), "a session reads otherwise in single octets"
    assert whole == _lines(cut(data, [7, 1, 13, 2] * 4)), "a session reads otherwise in blocks"
    for item in whole:
        if isinstance(item, tuple):
            again = [string(token) if isinstance(token, bytes) else token.encode() for token in item]
            written = _lines([b" ".join(again) + b"\r\n"])
            assert written == [item], f"{item!r} is read as {written!r} when it is written"


def _lines(blocks: list[bytes]) -> list[Line | Malformed]:
    # So patient that no input ends it: when that is, depends on the blocks.
    reader, found = Reader(1_024, 1 << 20), list[Line | Malformed]()
    for block in blocks:
        reader.feed(block)
        while (item := reader.next()) is not None:
            found.append(item)
            if isinstance(item, Malformed) and item.fatal:
                return found
    return found


def _mail(text: str) -> None:
    for strict in (False, True):
        found = parse_mail(text, strict=strict, deliverby=True)
        assert isinstance(found, Sender | Reply)
        if isinstance(found, Sender):
            _path(found.reverse_path)
            assert found.auth is None or xtext(to_xtext(found.auth)) == found.auth, "AUTH= cannot be written again"


def _rcpt(text: str) -> None:
    for utf8 in (False, True):
        found = parse_rcpt(text, utf8=utf8)
        assert isinstance(found, Recipient | Reply)
        if isinstance(found, Recipient):
            _path(found.address)
            printed([str(found.address), found.orcpt])


def _path(address: Address | None) -> None:
    if address is not None and address.local:
        assert parse_address(str(address)) == address, f"the address {address!s} is read as another"


def _data(data: bytes) -> None:
    """Where the message ends, and what is in it, whatever the blocks; what an MTA sends comes out as it was."""
    whole = _unstuffed([data])
    assert whole == _unstuffed(cut(data, [1] * len(data))), "DATA reads otherwise in single octets"
    assert whole == _unstuffed(cut(data, [3, 1, 5] * 8)), "DATA reads otherwise in blocks"
    lines = data.replace(b"\r", b"").split(b"\n")
    sent = b"".join((b"." if line[:1] == b"." else b"") + line + b"\r\n" for line in lines)
    came = _unstuffed([sent + b".\r\nQUIT\r\n"])
    assert came == (b"\r\n".join(lines) + b"\r\n", True, b"QUIT\r\n"), "a message does not come as it was sent"
    assert END not in b"\r\n" + sent


def _unstuffed(blocks: list[bytes]) -> tuple[bytes, bool, bytes]:
    reader, out = Unstuffer(), b""
    for number, block in enumerate(blocks):
        out += reader.feed(block)
        if reader.done:
            return out, True, reader.rest + b"".join(blocks[number + 1 :])
    return out, False, b""


def _names(text: str) -> None:
    decoded = decode_utf7(text)
    assert decoded is None or encode_utf7(decoded) == text, "a name has two spellings"
    path = from_disk(text)
    assert path is None or to_disk(path) == text, "a folder has two names"
    if text and text.isprintable():
        parts = tuple(part for part in text.split("/") if part)
        assert not parts or from_disk(to_disk(parts)) == parts, f"the folder {parts} cannot be found again"
    if not fault(text):
        assert not fault(canonical(text)), "an annotation has a name that it cannot have"
    assert canonical_flags(canonical_flags(text.split(" "))) == canonical_flags(text.split(" "))
    try:
        uri = read_mailto(text)
    except ValueError as e:
        explained(e)
    else:
        assert len(uri.recipients) <= 8
    if text.isprintable() and len(text) < 1_000:
        assert read_mailto(f"mailto:?subject={quoted(text)}").subject == text, "a subject changes on its way in a URI"


TARGET = Target(check, lambda: _WORDS, longest=2_048)
