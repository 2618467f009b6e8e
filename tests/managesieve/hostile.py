"""What clients who mean no good say, each as the octets that it sends.

`HOSTILE` is said to a server that nobody has logged in to, `WITHIN` by alice once she is in. A number is a pause in
seconds, TLS says that what follows comes through a TLS connection, SILENCE that nothing more comes, not even the end.
"""

import base64
import random

TLS, SILENCE = object(), object()
LOGIN = b'AUTHENTICATE "PLAIN" "AGFsaWNlAHNlY3JldA=="\r\n'
_NOISE = random.Random(5804)


def plain(text):
    return b'AUTHENTICATE "PLAIN" "%s"\r\n' % base64.b64encode(text)


def begin(mechanism, *responses):
    return b'AUTHENTICATE "%s"\r\n' % mechanism + b"".join(b'"%s"\r\n' % base64.b64encode(r) for r in responses)


def single(octets):
    return [octets[at : at + 1] for at in range(len(octets))]


HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(32) + b"\x00"

LITERALS = {
    "literal without digits": b"NOOP {}\r\nabc\r\n",
    "literal with a sign": b"NOOP {-1+}\r\nabc\r\n",
    "literal with a plus before": b"NOOP {+3}\r\nabc\r\n",
    "literal with two plusses": b"NOOP {3++}\r\nabc\r\n",
    "literal with letters": b"NOOP {3x}\r\nabc\r\n",
    "literal in hexadecimal": b"NOOP {0x3}\r\nabc\r\n",
    "literal with a space": b"NOOP { 3+}\r\nabc\r\n",
    "literal with digits of another script": b"NOOP {\xd9\xa3+}\r\nabc\r\n",
    "literal that is not closed": b"NOOP {3+\r\nabc\r\n",
    "literal closed twice": b"NOOP {3+}}\r\nabc\r\n",
    "literal in a literal": b"NOOP {{3+}}\r\nabc\r\n",
    "literal of 32 bits": b"NOOP {4294967295+}\r\nabc\r\n",
    "literal of 33 bits": b"NOOP {4294967296+}\r\nabc\r\n",
    "literal of 64 bits": b"NOOP {18446744073709551616+}\r\nabc\r\n",
    "literal of a thousand digits": b"NOOP {" + b"9" * 1000 + b"+}\r\nabc\r\n",
    "literal of a million digits": b"NOOP {" + b"9" * 1_000_000 + b"+}\r\n",
    "literal with zeros before": b"NOOP {0000000000000000000003+}\r\nabc\r\n",
    "literal that holds a command": b"NOOP (x {12+}\r\nLISTSCRIPTS\r\n\r\n",
    "literal in place of a command": b"{4+}\r\nNOOP\r\n",
    "literal longer than it says": b"NOOP {3+}\r\nabcdef\r\n",
    "literal shorter than it says": b"NOOP {300+}\r\nabc\r\n",
    "literal without an end of line behind": b"NOOP {3+}\r\nabcNOOP\r\n",
    "literal with a bare CR before": b"NOOP {3+}\rabc\r\n",
    "a thousand empty literals": b"NOOP" + b" {0+}\r\n" * 1000 + b"\r\n",
    "a thousand literals of one octet": b"NOOP" + b" {1+}\r\nx" * 1000 + b"\r\n",
    "literals one behind the other": b"NOOP {1+}\r\nx{1+}\r\nx\r\n",
    "literal of NULs": b"NOOP {65536+}\r\n" + bytes(65536) + b"\r\n",
    "literal of 100 MB that never comes": [b'PUTSCRIPT "a" {100000000+}\r\n', SILENCE],
    "literal of 100 MB that begins": [b'PUTSCRIPT "a" {100000000+}\r\n' + b"x" * 300_000],
    "literal and silence": [b"NOOP {10+}\r\nabc", SILENCE],
    "literal of the old kind and silence": [b"NOOP {10}\r\n", SILENCE],
}

LINES = {
    "nothing": [SILENCE],
    "nothing and the end": b"",
    "empty lines": b"\r\n" * 500,
    "bare LFs": b"\n" * 500,
    "bare CRs": b"\r" * 500,
    "NULs": bytes(5000),
    "a NUL in a command": b"NO\0OP\r\n",
    "a NUL in a string": b'NOOP "a\0b"\r\n',
    "a bare CR in a string": b'NOOP "a\rb"\r\n',
    "a string over two lines": b'NOOP "a\r\nb"\r\n',
    "a string without an end": b'NOOP "abc\r\n',
    "a string that ends in a backslash": b'NOOP "abc\\\r\n',
    "a string of backslashes": b'NOOP "' + b"\\" * 9999 + b'"\r\n',
    "an escape that is none": b'NOOP "a\\nb"\r\n',
    "quotes only": b'"' * 9999 + b"\r\n",
    "strings without spaces": b'NOOP "a""b"\r\n',
    "a command in quotes": b'"NOOP"\r\n',
    "a command behind spaces": b"   NOOP\r\n",
    "a command behind a tab": b"\tNOOP\r\n",
    "tabs between arguments": b'NOOP\t"a"\r\n',
    "a list": b"NOOP (a b (c))\r\n",
    "parentheses without an end": b"(" * 9999 + b"\r\n",
    "a line without an end": b"A" * 200_000,
    "a line without an end, of strings": b'NOOP "' + b"x" * 200_000,
    "a command of a megabyte": b"A" * 1_000_000 + b"\r\n",
    "a thousand arguments": b"NOOP" + b' "a"' * 1000 + b"\r\n",
    "a thousand numbers": b"NOOP" + b" 1" * 1000 + b"\r\n",
    "an atom of 1025": b"A" * 1025 + b"\r\n",
    "a number of ten thousand digits": b'HAVESPACE "a" ' + b"9" * 10_000 + b"\r\n",
    "commands of HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "commands of SMTP": b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n.\r\nQUIT\r\n",
    "commands of IMAP": b"a1 LOGIN alice secret\r\na2 SELECT INBOX\r\n",
    "commands that nobody knows": b"FOO\r\n" * 100,
    "words of format": b"%s%s%n%x {0} ${x} $(id) `id`\r\n",
    "words of a log": b'AUTHENTICATE "X\x1b[31m" ""\r\n',
    "no UTF-8": b'NOOP "\xff\xfe\xc0\x80\xed\xa0\x80"\r\n',
    "no UTF-8 as a command": b"\xff\xfe\xc0\x80\r\n",
    "UTF-16": "NOOP\r\n".encode("utf-16"),
    "noise": _NOISE.randbytes(20_000),
    "noise on lines": b"\r\n".join(_NOISE.randbytes(20) for _ in range(300)),
    "noise of syntax": bytes(_NOISE.choices(b'"\\{}()+ \r\n0123456789AN', k=20_000)),
    "half a command and silence": [b"NOO", SILENCE],
    "a command in single octets": single(b'NOOP "one by one"\r\n'),
    "a burst of commands": b"NOOP\r\n" * 10_000,
    "a burst of capabilities": b"CAPABILITY\r\n" * 300,
    "commands of every kind before login": b'LISTSCRIPTS\r\nGETSCRIPT "secret"\r\nSETACTIVE ""\r\nDELETESCRIPT "secret"\r\n'
    b'RENAMESCRIPT "secret" "x"\r\nPUTSCRIPT "secret" "discard;"\r\nHAVESPACE "x" 1\r\nCHECKSCRIPT "keep;"\r\nUNAUTHENTICATE\r\n',
    "commands behind logout": b'LOGOUT\r\nNOOP "too late"\r\n',
    "a header of a proxy": b"PROXY TCP4 10.0.0.1 10.0.0.2 1 4190\r\n",
    "a binary header of a proxy": b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12),
}  # fmt: skip

LOGINS = {
    "login in a login": b'AUTHENTICATE "PLAIN"\r\n' + LOGIN,
    "starttls in a login": b'AUTHENTICATE "SCRAM-SHA-256"\r\nSTARTTLS\r\n',
    "logout in a login": b'AUTHENTICATE "PLAIN"\r\nLOGOUT\r\n',
    "login and silence": [b'AUTHENTICATE "PLAIN"\r\n', SILENCE],
    "aborts without end": b'AUTHENTICATE "PLAIN"\r\n"*"\r\n' * 200,
    "aborts in the first response": b'AUTHENTICATE "PLAIN" "*"\r\n' * 200,
    "no mechanism": b"AUTHENTICATE\r\n",
    "an empty mechanism": b'AUTHENTICATE ""\r\n',
    "a mechanism of octets": b'AUTHENTICATE "\xff\xfe\x01"\r\n',
    "a mechanism of 1000": b'AUTHENTICATE "' + b"A" * 1000 + b'"\r\n',
    "a mechanism without quotes": b"AUTHENTICATE PLAIN\r\n",
    "anonymous": b'AUTHENTICATE "ANONYMOUS" "YQ=="\r\n',
    "external without anything to show": b'AUTHENTICATE "EXTERNAL" ""\r\nAUTHENTICATE "EXTERNAL" "YWxpY2U="\r\n',
    "no base64": b'AUTHENTICATE "PLAIN" "%%%"\r\n',
    "base64 of 10,000": b'AUTHENTICATE "PLAIN" "' + b"A" * 10_000 + b'"\r\n',
    "base64 without its end": b'AUTHENTICATE "PLAIN" "AGFsaWNlAHNlY3JldA"\r\n',
    "base64 with white space": b'AUTHENTICATE "PLAIN" "AGFs aWNl AHNl Y3Jl dA=="\r\n',
    "base64 with line ends in a literal": b'AUTHENTICATE "PLAIN" {22+}\r\nAGFsaWNlAHNlY3Jl\r\ndA==\r\n',
    "nothing in it": plain(b""),
    "NULs in it": plain(b"\0\0"),
    "many NULs in it": plain(bytes(50)),
    "a user without a password": plain(b"\0alice\0"),
    "a password without a user": plain(b"\0\0secret"),
    "four parts": plain(b"\0alice\0secret\0"),
    "a password behind a NUL": plain(b"\0alice\0\0secret"),
    "no UTF-8 in it": plain(b"\0\xff\xfe\0\xff"),
    "a user of a path": plain(b"\0../../etc/passwd\0x"),
    "a user with a line end": plain(b"\0a\r\nmanagesieve: login failed: user=x\0x"),
    "a user that SQL would take": plain(b"\0' OR 1=1 --\0x"),
    "a user of 3000": plain(b"\0" + b"a" * 3000 + b"\0x"),
    "a password of 9000": plain(b"\0alice\0" + b"a" * 9000),
    "a user of what SASLprep forbids": plain("\0a\u0007\ufdd0\0x".encode()),
    "alice for bob": plain(b"bob\0alice\0secret"),
    "alice for a repository": plain(b"/global\0alice\0secret"),
    "alice with another's password": plain(b"\0alice\0toor"),
    "scram of nothing": begin(b"SCRAM-SHA-256", b""),
    "scram of commas": begin(b"SCRAM-SHA-256", b",,,,,,,,"),
    "scram without a nonce": begin(b"SCRAM-SHA-256", b"n,,n=alice"),
    "scram with an empty nonce": begin(b"SCRAM-SHA-256", b"n,,n=alice,r="),
    "scram with a reserved attribute": begin(b"SCRAM-SHA-256", b"n,,m=x,n=alice,r=abc"),
    "scram with a binding that is none": begin(b"SCRAM-SHA-256", b"p=tls-unique,,n=alice,r=abc"),
    "scram with a wrong name": begin(b"SCRAM-SHA-256", b"n,,n=a=ZZ,r=abc"),
    "scram with a proof of nothing": begin(b"SCRAM-SHA-256", b"n,,n=alice,r=abc", b"c=biws,r=abc,p="),
    "scram with a proof of another nonce": begin(b"SCRAM-SHA-1", b"n,,n=alice,r=abc", b"c=biws,r=abc,p=AAAA"),
    "scram with a proof of zeros": begin(b"SCRAM-SHA-1", b"n,,n=alice,r=abc", b"p=" + base64.b64encode(bytes(20))),
    "scram with its last word first": begin(b"SCRAM-SHA-256", b"", b""),
    "scram of 9000": begin(b"SCRAM-SHA-256", b"n,,n=alice,r=" + b"x" * 9000),
    "plus without tls": begin(b"SCRAM-SHA-256-PLUS", b"p=tls-exporter,,n=alice,r=abc"),
    "twenty wrong passwords": plain(b"\0alice\0wrong") * 20,
}

SECURED = {
    "a hello that never ends": [HELLO, SILENCE],
    "half a hello": HELLO[:20],
    "a hello of noise": b"\x16\x03\x01" + _NOISE.randbytes(3000),
    "a hello of the largest record": b"\x16\x03\x01\xff\xff" + bytes(70_000),
    "a hello in single octets": single(HELLO),
    "a hello behind the greeting": [0.6, HELLO, SILENCE],
    "a hello of SSLv2": b"\x80\x2e\x01\x00\x02" + bytes(40),
    "an alert": b"\x15\x03\x01\x00\x02\x02\x28",
    "starttls and silence": [b"STARTTLS\r\n", SILENCE],
    "starttls and commands": b"STARTTLS\r\n" + b"NOOP\r\n" * 100,
    "starttls and a login": b"STARTTLS\r\n" + LOGIN,
    "starttls and noise": [b"STARTTLS\r\n", 0.2, _NOISE.randbytes(5000)],
    "starttls twice": b"STARTTLS\r\nSTARTTLS\r\n",
    "starttls with an argument": b'STARTTLS "now"\r\n',
    "starttls behind tls": [TLS, b"STARTTLS\r\n"],
    "noise behind tls": [TLS, _NOISE.randbytes(20_000)],
    "a line without an end behind tls": [TLS, b"A" * 200_000],
    "half a command behind tls": [TLS, b"NOO", SILENCE],
    "wrong passwords behind tls": [TLS, plain(b"\0alice\0wrong") * 20],
}

HOSTILE = {**LITERALS, **LINES, **LOGINS, **SECURED}

WITHIN = {
    "a name of a path": b'PUTSCRIPT "../../evil" "keep;"\r\nGETSCRIPT "../../../etc/passwd"\r\n',
    "a name of an absolute path": b'PUTSCRIPT "/etc/evil" "keep;"\r\nGETSCRIPT "/etc/passwd"\r\n',
    "a name of dots": b'PUTSCRIPT "." "keep;"\r\nPUTSCRIPT ".." "keep;"\r\nDELETESCRIPT "."\r\nDELETESCRIPT ".."\r\n',
    "a name with a NUL": b'PUTSCRIPT {3+}\r\na\0b "keep;"\r\n',
    "a name with line ends": b'PUTSCRIPT {4+}\r\na\r\nb "keep;"\r\n',
    "a name of no UTF-8": b'PUTSCRIPT "\xff\xfe" "keep;"\r\nPUTSCRIPT "\xed\xa0\x80" "keep;"\r\nPUTSCRIPT "\xc0\xaf" "keep;"\r\n',
    "a name of separators": 'PUTSCRIPT "a\u2028b" "keep;"\r\nPUTSCRIPT "a\u2029b" "keep;"\r\n'.encode(),
    "a name of controls": b'PUTSCRIPT "a\x01b" "keep;"\r\nPUTSCRIPT "a\xc2\x85b" "keep;"\r\nPUTSCRIPT "a\x7fb" "keep;"\r\n',
    "a name of 5000": b'PUTSCRIPT "' + b"x" * 5000 + b'" "keep;"\r\n',
    "a name of 129": b'PUTSCRIPT "' + b"x" * 129 + b'" "keep;"\r\n',
    "an empty name": b'PUTSCRIPT "" "keep;"\r\nGETSCRIPT ""\r\nDELETESCRIPT ""\r\nRENAMESCRIPT "" "a"\r\nRENAMESCRIPT "secret" ""\r\n',
    "a script beyond the limit": b'PUTSCRIPT "a" {2000000+}\r\n' + b"#" * 2_000_000 + b"\r\n",
    "a script of 4 GB": b'PUTSCRIPT "secret" {4294967295+}\r\n' + b"#" * 100_000,
    "a script that does not come whole": b'PUTSCRIPT "secret" {100000+}\r\n' + b"#" * 1000,
    "a script of NULs": b'PUTSCRIPT "a" {100000+}\r\n' + bytes(100_000) + b"\r\n",
    "a script of noise": b'PUTSCRIPT "a" {100000+}\r\n' + _NOISE.randbytes(100_000) + b"\r\n",
    "a script of tests in tests": b"CHECKSCRIPT {60012+}\r\nif " + b"not " * 15_000 + b"true {}  \r\n",
    "a script of blocks in blocks": b"CHECKSCRIPT {90000+}\r\n" + b"if true {" * 10_000 + b"\r\n",
    "a script of lists": b"CHECKSCRIPT {100000+}\r\nrequire [" + b'"a",' * 24_000 + b" " * 3991 + b"\r\n",
    "a script of braces": b"CHECKSCRIPT {100000+}\r\n" + b"{" * 100_000 + b"\r\n",
    "a script of a comment without an end": b"CHECKSCRIPT {100002+}\r\n/*" + b"*" * 100_000 + b"\r\n",
    "a script of a text without an end": b"CHECKSCRIPT {100007+}\r\ntext:\r\n" + b"." * 100_000 + b"\r\n",
    "a login when logged in": LOGIN * 50,
    "starttls when logged in": b"STARTTLS\r\n" * 50,
    "the active script deleted": b'DELETESCRIPT "secret"\r\n' * 50,
    "the active script renamed to itself": b'RENAMESCRIPT "secret" "secret"\r\n' * 50,
    "the active script renamed to a path": b'RENAMESCRIPT "secret" "../secret"\r\nRENAMESCRIPT "secret" "a/b"\r\n',
    "room for everything": b'HAVESPACE "a" 4294967295\r\nHAVESPACE "a" 99999999999999999999\r\nHAVESPACE "a" -1\r\n',
    "a burst of lists": b"LISTSCRIPTS\r\n" * 1000,
    "a burst of commands": b"NOOP\r\n" * 10_000,
    "mistakes without end": b"FOO\r\n" * 1000,
    "noise": _NOISE.randbytes(50_000),
    "half a command": b'PUTSCRIPT "secret" "dis',
    "single octets": single(b'NOOP "x"\r\n'),
    "tags of all kinds": b'NOOP {6+}\r\n"\\)\r\n( \r\n',
}  # fmt: skip
