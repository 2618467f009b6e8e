import pytest

from sievemda.upkeep.conversion.maildrop import convert_maildrop
from sievemda.upkeep.conversion.report import Verdict
from tests.upkeep.conversion.going import SITE, goes, impossible, message, verdicts


def converted(text, *, beside=None):
    return convert_maildrop(text, ".mailfilter", SITE, (beside or {}).get)


def when(expression, action='to "hit"'):
    return converted(f"if ({expression})\n{{\n  {action}\n}}\n")


@pytest.mark.parametrize(
    ("expression", "field", "hits"),
    [
        ("/^Subject:.*foo/", "Subject: a Foo", True),
        ("/^Subject:.*foo/:h", "Subject: bar", False),
        ("/^Subject:.*Foo/:D", "Subject: foo", False),
        ("/^Subject:\\s*foo$/", "Subject: foo", True),
        ("/^Subject: \\w{3}$/", "Subject: abc", True),
        ("/^Subject: \\w{3}$/", "Subject: abcd", False),
        ("/^Subject:.*\\bfoo\\b/", "Subject: a foo b", True),
        ("/^Subject:.*\\d+\\.\\d/", "Subject: v1.2", True),
        ("/^(To|Cc):.*a@b/", "Cc: a@b", True),
        ("/^List-Id:.*<foo\\.example>/", "List-Id: <foo.example>", True),
        ("/^Subject: (?:one|two)/", "Subject: two", True),
        ("/^Subject:.*[[:digit:]]/", "Subject: 7", True),
        ("/^Subject:.*[\\]x]/", "Subject: ]", True),
        ("/^X-A:/ || /^Subject:.*b/", "Subject: b", True),
        ("/^Subject:.*a/ && /^Subject:.*b/", "Subject: ab", True),
        ("/^Subject:.*a/ && /^Subject:.*b/", "Subject: a", False),
        ("! /^Subject:.*foo/", "Subject: foo", False),
        ("!(/^Subject:.*a/ || /^Subject:.*b/)", "Subject: c", True),
        ("/^Subject:.*a/:h,2 + /^Subject:.*b/:h,3 >= 5", "Subject: ab", False),
        ("/^Subject:.*a/:h,1,0 + /^Subject:.*b/:h,1,0 >= 2", "Subject: ab", True),
        ("/^Subject:.*a/ + /^Subject:.*b/ > 1", "Subject: a", False),
        ("/^Subject:.*a/ + /^Subject:.*b/ >= 1", "Subject: b", True),
        ("$SIZE < 100000", "Subject: x", True),
        ("$SIZE >= 100000", "Subject: x", False),
        ('hasaddr("Alice@Example.ORG")', "To: Al <alice@example.org>", True),
        ('hasaddr("alice@example.org")', "To: alice@example.com", False),
        ('$FROM eq "bob@example.net"', "Subject: x", True),
        ("$FROM =~ /^bob@/", "Subject: x", True),
        ("$FROM =~ /^carol@/", "Subject: x", False),
        ("\"abc\" eq 'abc' && 1 + 1 == 2", "Subject: x", True),
        ('length("abc") > 3', "Subject: x", False),
        ('substr("abcdef", 1, 2) eq "bc" && tolower("X") eq "x"', "Subject: x", True),
        ('"a.b" =~ /^a\\.b$/', "Subject: x", True),
        ("0", "Subject: x", False),
        ('""', "Subject: x", False),
    ],
)
def test_an_expression_is_as_true_as_for_maildrop(expression, field, hits):
    script = when(expression)
    if "impossible" in verdicts(script):
        assert not hits
    assert goes(script, message(field)) == (["hit"] if hits else ["INBOX"])


@pytest.mark.parametrize(
    ("options", "pattern", "hits"), [(":b", "needle", True), (":b", "other", False), (":hb", "^Subject: hello", True)]
)
def test_the_body_is_searched_too(options, pattern, hits):
    script = when(f"/{pattern}/{options}")
    assert goes(script, message(body="a needle\n")) == (["hit"] if hits else ["INBOX"])


@pytest.mark.parametrize(
    ("statement", "places"),
    [
        ('to "Maildir/.Lists.foo/"', ["Lists/foo"]),
        ("to $HOME/Maildir/.x", ["x"]),
        ('to "$DEFAULT/.y/"', ["y"]),
        ("to mail/z", ["z"]),
        ("to $DEFAULT", ["INBOX"]),
        ("to /var/mail/$LOGNAME", ["INBOX"]),
        ('to "!bob@example.com carol@example.com"', ["!bob@example.com", "!carol@example.com"]),
        ('cc "!bob@example.com"', ["!bob@example.com", "INBOX"]),
        ('cc "mail/a"; to "mail/b"', ["a", "b"]),
        ('to "| /usr/lib/dovecot/deliver -m Lists"', ["Lists"]),
        ("to /dev/null", []),
        ("exit", []),
        ("EXITCODE=77\nexit", ["refused"]),
        ("EXITCODE=75\nexit", ["INBOX"]),
        ('DEFAULT="$HOME/Maildir/.Sorted/"', ["Sorted"]),
        ('exception {\n to "mail/a"\n}\nto "mail/b"', ["a"]),
        ('flock "x" {\n cc "mail/a"\n}', ["INBOX", "a"]),
        ('to "/elsewhere/x"', ["INBOX"]),
        ('to "| /usr/bin/frob"', ["INBOX"]),
        ('cc "| /usr/bin/frob"\nto "mail/b"', ["b"]),
        ('X=`ls`\nto "mail/$X"', ["INBOX"]),
        ('foreach /^To: .*/\n{\n cc "mail/$MATCH"\n}\nto "mail/b"', ["b"]),
        ('while (/x/)\n{\n to "mail/a"\n}', ["INBOX"]),
        ('log "x"; logfile "y"; echo "z"; VERBOSE=1; import PATH', ["INBOX"]),
    ],
)
def test_a_statement_puts_the_message_where_maildrop_does(statement, places):
    assert goes(converted(statement + "\n"), message()) == places


def test_an_if_has_its_branches():
    script = converted(
        'if (/^Subject:.*a/)\n  to "mail/a"\nelsif (/^Subject:.*b/)\n{\n  to "mail/b"\n}\nelse\n{\n  to "mail/c"\n}\n'
    )
    assert [goes(script, message(f"Subject: {letter}")) for letter in "abx"] == [["a"], ["b"], ["c"]]
    assert set(verdicts(script)) == {"exact"}


def test_a_condition_that_cannot_be_asked_leaves_out_what_hangs_on_it():
    script = converted(
        'if (/^Subject:.*a/)\n{\n  to "mail/a"\n}\nelsif (`true`)\n{\n  to "mail/b"\n}\nelse\n{\n  exit\n}\nto "mail/rest"\n'
    )
    assert goes(script, message("Subject: a")) == ["a"]
    assert goes(script, message("Subject: x")) == ["rest"]
    assert len(impossible(script)) == 1


def test_what_a_pattern_extracts_names_a_folder():
    script = converted('if (/^List-Id:.*<([^.>]+)\\.(\\w+)/)\n{\n  to "mail/$MATCH2/$MATCH1"\n}\n')
    assert goes(script, message("List-Id: x <foo.example.com>")) == ["example/foo"]


def test_a_variable_that_a_message_decides_is_one_in_the_script():
    script = converted(
        'F="x"\nif (/^Subject:.*a/)\n{\n  F="y"\n}\nif ($F eq "y" || $F =~ /^z/)\n{\n  to "mail/$F"\n}\n'
    )
    assert goes(script, message("Subject: a")) == ["y"]
    assert goes(script, message("Subject: b")) == ["INBOX"]


def test_flags_are_set():
    script = converted('FLAGS="S"\nKEYWORDS="work,todo"\nto "mail/a"\n')
    assert 'setflag "\\\\Seen";' in script.script
    assert 'addflag ["work", "todo"];' in script.script


def test_reformail_edits_the_header():
    script = converted("xfilter \"reformail -A'X-A: 1' -I'X-B:'\"\nif (/^X-A: 1/ && !/^X-B:/)\n{\n  to \"mail/a\"\n}\n")
    assert goes(script, message("X-B: 1")) == ["a"]


def test_mailbot_answers_with_its_text():
    script = converted(
        "cc \"| mailbot -t away.txt -D 3 -s 'Gone' /usr/sbin/sendmail -f ''\"\n", beside={"away.txt": "Back soon.\n"}
    )
    assert goes(script, message()) == ["INBOX", "answer"]
    assert 'vacation :days 3 :subject "Gone" "Back soon.";' in script.script


def test_files_are_read_where_they_are():
    beside = {
        "more": 'if (lookup($FROM, "friends"))\n{\n  to "mail/friends"\n}\ninclude "more"\n',
        "friends": "# x\n^bob@\n",
    }
    script = converted('include "more"\nto "mail/rest"\n', beside=beside)
    assert goes(script, message()) == ["friends"]
    assert goes(script, message(), sender="carol@example.net") == ["rest"]
    assert len(impossible(script)) == 1


def test_the_sender_that_the_mta_hands_on_is_that_of_the_envelope():
    script = converted(
        'import SENDER\nif ($SENDER eq "")\n{\n  to "mail/a"\n}\nif ($SENDER =~ /^bob@/)\n{\n  to "mail/b"\n}\n'
    )
    assert not impossible(script)
    assert [goes(script, message(), sender=one) for one in ("", "bob@example.net", "x@y")] == [["a"], ["b"], ["INBOX"]]


def test_a_program_that_is_run_by_itself_leaves_the_rest_as_it_is():
    script = converted(
        '`test -d "$HOME/Maildir/.a"`\nif ($RETURNCODE != 0)\n{\n  `maildirmake -f a`\n}\nif (/^Subject: a/)\n  to "Maildir/.a/"\n'
    )
    assert len(impossible(script)) == 2
    assert goes(script, message("Subject: a")) == ["a"]


@pytest.mark.parametrize(
    "text",
    ["if (", "to", "}", "if (1)\n{", '"', "/x", "X=", "to a b)", "(" * 90, "!" * 5000, "exception {" * 90],
)
def test_what_maildrop_would_not_read_leaves_mail_in_the_inbox(text):
    script = converted(text)
    assert goes(script, message()) == ["INBOX"]
    assert [finding.verdict for finding in script.findings] == [Verdict.IMPOSSIBLE]


def test_every_statement_is_told_with_its_place():
    script = converted('# x\nA="b"\n\nif (/^Subject:.*foo/)\n{\n  to "mail/$A"\n}\nxfilter "spamc"\n')
    assert [(one.place.line, one.verdict) for one in script.findings] == [
        (2, Verdict.EXACT),
        (4, Verdict.EXACT),
        (6, Verdict.EXACT),
        (8, Verdict.IMPOSSIBLE),
    ]
    assert script.missing == {"vnd.dovecot.filter"}
