"""Words of messages, and changes that keep a message a message."""

from __future__ import annotations

import base64
import quopri
import random
from collections.abc import Iterator

_NAMES = (
    b"From", b"To", b"Cc", b"Sender", b"Reply-To", b"Subject", b"Date", b"Received", b"Message-ID", b"X-A", b"List-Id",
    b"Content-Type", b"Content-Transfer-Encoding", b"Content-Disposition", b"Content-ID", b"MIME-Version",
    b"Auto-Submitted", b"Return-Path", b"Resent-To", b"X-Spam-Status", b"X-Spamd-Result", b"X-Virus-Scanned",
    b"X-Virus-Status", b"X-Priority", b"References", b"In-Reply-To", b"Precedence", b"Envelope-To",
)  # fmt: skip
_VALUES = (
    b"", b"a@example.org", b'"A, B" <kim@example.org>, x@y', b"g: a@b, <@c,@d:e@f>;", b'"a\\"b"@[127.0.0.1]', b"<>",
    b"Kim (a (b) \\)) <kim+work@example.org>", b"=?utf-8?q?H=C3=A4?= =?utf-8?B?w6Q=?=", b"=?iso-8859-1?q?=e4_?=",
    b"=?utf-7?q?+2AA-?=", b"=?iso-2022-jp?b?GyRC?=", b"[list] a*b?c", b"Sun, 1 Feb 2026 10:00:00 +0100", b"\xff\xfe",
    b"from a by b (c; d) with e; Tue, 31 Dec 99 23:59:60 EST", b"1 Jan 0001 00:00 -9959", b"text/html; charset=utf-8",
    b"multipart/mixed; boundary=b", b'multipart/alternative; boundary="c d"', b"message/rfc822", b"text/calendar",
    b"multipart/digest; boundary=b", b"base64", b"quoted-printable", b"8bit", b"7bit", b"attachment; filename=a.exe",
    b"attachment; filename*0*=utf-8'en'%e2%82; filename*1=\"ac\"; filename*2*=%ac", b"text/plain; charset=utf-16",
    b"text/plain; charset=x; charset=utf-8", b"text/plain; name==?utf-8?q?a?=", b"Yes, score=7.5 required=5.0",
    b"default: False [1.00 / 15.00]", b"Infected (a)", b"auto-replied", b"bulk", b"1", b"10K", b"a\n b\n\tc", b"a" * 300,
    b"text/plain; charset=utf-7", b"image/png", b"<1@a> <2@b>", "ä ß \U0001f600".encode(), b"\0", b"a\rb",
)  # fmt: skip
_BODIES = (
    b"viagra a b\n.\n--b\n", b"<b>a</b><script>x</script>&auml;&#0;&#1114112;<!-- ", b"=E4=\n=3D", b"w6Q=\n", b"",
    (b"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:a\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20260201T000000Z\n"
    b"DTSTART:20260301T100000Z\nSEQUENCE:2\nORGANIZER:mailto:a@example.org\nATTENDEE:mailto:kim@example.org\n"
    b"END:VEVENT\nEND:VCALENDAR\n"),
)  # fmt: skip


def mail_words() -> Iterator[bytes]:
    yield from (b"\n" + name + b": " for name in _NAMES)
    yield from (value for value in _VALUES if value)
    yield from (b"\n--b\n", b"\n--b--\n", b"\n--c d\n", b"\n\n", b"=?", b"?=", b"; ", b"*0*=", b"\n ", b"&lt;", b"<td>")


def mutated_mail(data: bytes, chance: random.Random) -> bytes:
    """Another message much like this one."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        data = chance.choice(_CHANGES)(data, chance)
    return data


def _a_field(chance: random.Random) -> bytes:
    return chance.choice(_NAMES) + b": " + chance.choice(_VALUES) + b"\n"


def _with_field(data: bytes, chance: random.Random) -> bytes:
    head, empty, body = data.partition(b"\n\n")
    lines = head.split(b"\n")
    lines.insert(chance.randint(0, len(lines)), _a_field(chance)[:-1])
    return b"\n".join(lines) + empty + body


def _without_line(data: bytes, chance: random.Random) -> bytes:
    lines = data.split(b"\n")
    del lines[chance.randrange(len(lines))]
    return b"\n".join(lines)


def _with_value(data: bytes, chance: random.Random) -> bytes:
    """Another value for one of its lines, or more of it."""
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    name, colon, value = lines[at].partition(b":")
    new = chance.choice(_VALUES)
    lines[at] = name + colon + chance.choice((b" " + new, value + new, b" " + new + value, value + b"\n " + new))
    return b"\n".join(lines)


def _with_part(data: bytes, chance: random.Random) -> bytes:
    """One more part somewhere in it."""
    lines = data.split(b"\n")
    part = b"--" + chance.choice((b"b", b"b", b"c d")) + b"\n" + _a_field(chance) + _a_field(chance) + b"\n"
    lines.insert(chance.randint(0, len(lines)), part + chance.choice(_BODIES))
    return b"\n".join(lines)


def _in_multipart(data: bytes, chance: random.Random) -> bytes:
    """The whole of it as a part."""
    boundary = chance.choice((b"b", b"c d", b"bb"))
    kind = b'Content-Type: multipart/mixed; boundary="' + boundary + b'"\n\n'
    inner = chance.choice((b"", b"Content-Type: message/rfc822\n\n"))
    end = chance.choice((b"\n--" + boundary + b"--\n", b""))
    return _a_field(chance) + kind + b"--" + boundary + b"\n" + inner + data + end


def _encoded(data: bytes, chance: random.Random) -> bytes:
    head, _, body = data.partition(b"\n\n")
    if chance.random() < 0.5:
        return head + b"\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(body)
    return head + b"\nContent-Transfer-Encoding: quoted-printable\n\n" + quopri.encodestring(body)


def _with_body(data: bytes, chance: random.Random) -> bytes:
    return data.partition(b"\n\n")[0] + b"\n\n" + chance.choice(_BODIES)


_CHANGES = (
    _with_field, _with_field, _without_line, _with_value, _with_value, _with_part, _in_multipart, _encoded, _with_body,
)  # fmt: skip
