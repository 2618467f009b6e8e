import pytest

from sievemda.upkeep.conversion.forward import File, convert_forward, items
from tests.upkeep.conversion.going import SITE, goes, impossible, message, verdicts


def converted(text, *, name=".forward", files=(), beside=None):
    given = [File(name, text), *(File(*one) for one in files)]
    return convert_forward(given, SITE, (beside or {}).get)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("bob@example.com", ["!bob@example.com"]),
        ("bob@example.com\ncarol@example.com\n", ["!bob@example.com", "!carol@example.com"]),
        ("bob@example.com, carol@example.com", ["!bob@example.com", "!carol@example.com"]),
        ('"Bob, the builder" <bob@example.com>, \\alice', ["!bob@example.com", "INBOX"]),
        ("bob@example.com (his (other) address)", ["!bob@example.com"]),
        ("# bob@example.net\nbob@example.com # new", ["!bob@example.com"]),
        ("\\alice", ["INBOX"]),
        ('"\\alice"', ["INBOX"]),
        ("alice", ["INBOX"]),
        ("", ["INBOX"]),
        ("# nobody\n\n", ["INBOX"]),
        ("/dev/null", []),
        ('"/dev/null", bob@example.com', ["!bob@example.com"]),
        ("/home/alice/Mail/old", ["old"]),
        ("/home/alice/Maildir/", ["INBOX"]),
        ("/home/alice/Maildir/.Lists.x/", ["Lists/x"]),
        ("/var/mail/alice", ["INBOX"]),
        ("~/mail/a/b, \\alice", ["INBOX", "a/b"]),
        ('"|/usr/lib/dovecot/dovecot-lda -m Lists"', ["Lists"]),
        ("|/usr/sbin/sendmail -oi bob@example.com", ["!bob@example.com"]),
        ("|cat >> /home/alice/mail/x", ["x"]),
        (":blackhole:", []),
        (":fail: no such user, sorry", ["refused"]),
    ],
)
def test_every_item_gets_the_message(text, places):
    script = converted(text)
    assert goes(script, message()) == places
    assert "impossible" not in verdicts(script)


@pytest.mark.parametrize(
    "text",
    [
        "|/usr/bin/frobnicate",
        "\"|IFS=' ' && exec /usr/bin/procmail -f- || exit 75 #alice\"",
        "carol",
        "/etc/passwd",
        "/home/alice/Mail/../../bob/Mail/x",
        ":include:/home/alice/friends",
        ":defer: later",
        "\x01@x",
        "not an address at all",
        "|",
        "|formail -D 10 x",
    ],
)
def test_what_cannot_be_said_leaves_the_message_in_the_mailbox(text):
    script = converted(f"bob@example.com\n{text}\n")
    assert goes(script, message()) == ["!bob@example.com", "INBOX"]
    assert len(impossible(script)) == 1


def test_a_program_is_possible_where_the_site_has_pipe():
    site = type(SITE)(SITE.available | {"vnd.dovecot.pipe"}, SITE.limits, SITE.folder, "alice")
    script = convert_forward([File(".forward", '"|/usr/bin/frob -x y", \\alice')], site)
    assert 'pipe "frob" ["-x", "y"];' in script.script
    assert verdicts(script) == ["approximate", "exact"]
    assert converted("|/usr/bin/frob").missing == {"vnd.dovecot.pipe"}


def test_a_list_is_read_where_it_lies_and_may_not_go_round_in_circles():
    lists = {"/home/alice/a": "x@example.com\n:include:/home/alice/b", "/home/alice/b": ":include:/home/alice/a"}
    script = converted(":include:/home/alice/a", beside=lists)
    assert goes(script, message()) == ["!x@example.com", "INBOX"]
    assert impossible(script) == ["/home/alice/a includes itself; the mailbox gets the message"]


def test_vacation_answers_with_its_message():
    text = 'Subject: away\n\nBack on\n"Monday".\n'
    script = converted('\\alice, "|/usr/bin/vacation -a al@example.org -t 3d alice"', beside={"~/.vacation.msg": text})
    assert goes(script, message()) == ["INBOX", "answer"]
    assert 'vacation :days 3 :subject "away" :addresses ["al@example.org"] "Back on\n\\"Monday\\".";' in script.script


def test_a_file_for_a_detail_counts_for_that_alone():
    script = converted("bob@example.com", files=[(".forward+lists", "~/mail/lists")])
    assert goes(script, message(), recipient="alice+lists@example.org") == ["lists"]
    assert goes(script, message(), recipient="alice@example.org") == ["!bob@example.com"]


def test_more_addresses_than_the_site_forwards_to_are_told():
    script = converted(", ".join(f"u{n}@example.com" for n in range(6)))
    assert goes(script, message()) == [
        "!u0@example.com",
        "!u1@example.com",
        "!u2@example.com",
        "!u3@example.com",
        "INBOX",
    ]
    assert len(impossible(script)) == 2


def test_sieve_in_a_forward_file_is_taken_as_it_is():
    script = converted('# Sieve filter\nrequire "fileinto";\nfileinto "x";\n')
    assert goes(script, message()) == ["x"]
    assert goes(converted("# Sieve filter\nfrobnicate;\n"), message()) == ["INBOX"]


def test_an_exim_filter_is_recognised():
    script = converted("# Exim filter\nif $h_subject: contains x then save mail/x endif\n")
    assert goes(script, message()) == ["INBOX"]
    assert "Exim" in impossible(script)[0]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("a@b, c@d", ["a@b", "c@d"]),
        ('"|cmd a, b", c', ["|cmd a, b", "c"]),
        ('|"cmd \\"x\\""', ['|cmd "x"']),
        ('"a, b" <c@d>', ['"a, b" <c@d>']),
        (",, ,a@b,", ["a@b"]),
        ('"unclosed, a@b', ['"unclosed, a@b']),
        (")(a@b", []),
    ],
)
def test_items_are_separated_outside_quotes_and_comments(line, found):
    assert [item.text for item in items(line, "f")] == found
