import pytest

from sievemda.sieve import Limits
from sievemda.upkeep.conversion.procmail import convert_procmail
from sievemda.upkeep.conversion.report import Verdict
from sievemda.upkeep.conversion.site import Site
from tests.upkeep.conversion.going import SITE, goes, impossible, message, verdicts


def converted(text, *, beside=None, site=SITE):
    return convert_procmail(text, ".procmailrc", site, (beside or {}).get)


def recipe(*conditions, flags="", action="hit"):
    return converted("\n".join([f":0 {flags}", *(f"* {one}" for one in conditions), action, ""]))


@pytest.mark.parametrize(
    ("condition", "field", "hits"),
    [
        ("^Subject:.*foo", "Subject: a FOO b", True),
        ("^Subject:.*foo", "Subject: bar", False),
        ("^Subject: foo", "Subject: foo bar", True),
        ("^Subject: foo", "Subject: a foo", False),
        ("^Subject: *foo$", "Subject: foo", True),
        ("^Subject: *foo$", "Subject: foo bar", False),
        ("^Subject:foo", "Subject: foo", False),
        ("^Subject:.*\\<foo\\>", "Subject: a foo", True),
        ("^Subject:.*\\<foo\\>", "Subject: afoo", False),
        ("^Subject: *$", "Subject:", True),
        ("^Subject: *$", "Subject: x", False),
        ("^Subject:.*[0-9][0-9]", "Subject: a 12", True),
        ("^Subject:.*(one|two)+x", "Subject: onetwox", True),
        ("^Subject:.*\\$\\$\\$", "Subject: make $$$ fast", True),
        ("^Subject:.*a\\.b", "Subject: axb", False),
        ("^Subject:.*[]x]", "Subject: [a]", True),
        ("^Subject:.*foo{2}", "Subject: foo{2}", True),
        ("^(From|Sender):.*boss", "Sender: boss@example.com", True),
        ("^From:.*a@|^To:.*b@", "To: b@example.com", True),
        ("(^From:.*a@|^To:.*b@)", "To: b@example.com", True),
        ("^List-Id:.*<(foo|bar)\\.example>", "List-Id: Bar <bar.example>", True),
        ("^List-Id:.*<(foo|bar)\\.example>", "List-Id: Bar <bar-example>", False),
        ("^TO_friends@example\\.com", "Cc: a@b, friends@example.com", True),
        ("^TO_friends@example\\.com", "To: boyfriends@example.com", False),
        ("^TO_friends@example\\.com", "Resent-To: friends@example.com", True),
        ("^TOfriends", "To: x.friends@example.com", True),
        ("^FROM_DAEMON", "From: MAILER-DAEMON@example.com", True),
        ("^FROM_DAEMON", "Precedence: bulk", True),
        ("^FROM_DAEMON", "From: carol@example.com", False),
        ("^FROM_MAILER", "From: Postmaster <postmaster@example.com>", True),
        ("^FROM_MAILER", "Precedence: bulk", False),
        ("^X-Spam-Level: \\*\\*\\*", "X-Spam-Level: ****", True),
        ("^X-Spam-Level: \\*\\*\\*", "X-Spam-Level: **", False),
        ("! ^Subject:.*foo", "Subject: foo", False),
        ("! ^Subject:.*foo", "Subject: bar", True),
        ("^Subject:.*f?o?o?bar", "Subject: obar", True),
        ("^(Subject|Comments):.*x", "Comments: x", True),
        ("^X-[a-c]oo: y", "X-boo: y", True),
        ("foo@example\\.com", "Cc: foo@example.com", True),
        ("^From.*carol", "From: carol@example.com", True),
        ("Subject:.*x", "Subject: x", True),
        ("^.*Sender:.*x", "Resent-Sender: x@y", True),
        ("^Subject", "Subject: x", True),
        ("^X-Not-There", "Subject: x", False),
        ("", "Subject: x", True),
    ],
)
def test_a_pattern_finds_in_the_header_what_procmail_finds(condition, field, hits):
    script = recipe(condition)
    assert goes(script, message(field)) == (["hit"] if hits else ["INBOX"])


def test_what_a_person_would_have_written_is_written():
    script = converted(
        ":0\n* ^Subject:.*foo\na\n:0\n* ^From: bob@x\\.y$\nb\n:0\n* ^List-Id:.*<(k|l)>\nc\n:0\n* ^To: *z\nd\n"
    ).script
    assert 'if header :contains "Subject" "foo" {' in script
    assert 'if header :is "From" "bob@x.y" {' in script
    assert 'if header :contains "List-Id" ["<k>", "<l>"] {' in script
    assert 'if header :matches "To" "z*" {' in script
    assert "regex" not in script


@pytest.mark.parametrize(
    ("flags", "condition", "body", "hits"),
    [
        ("B", "foo", "a Foo\n", True),
        ("B", "^foo", "a foo\n", False),
        ("B", "^foo", "a\nfoo\n", True),
        ("B", "foo$", "a foo\nb\n", True),
        ("B", "a.*c", "a\nc\n", False),
        ("BD", "Foo", "a foo\n", False),
        ("HB", "needle", "needle\n", True),
        ("", "B ?? ^^foo", "foo\n", True),
        ("", "B ?? ^^foo", "a\nfoo\n", False),
        ("", "HB ?? ^Subject: hello", "x\n", True),
    ],
)
def test_the_body_is_searched_as_it_stands(flags, condition, body, hits):
    assert goes(recipe(condition, flags=flags), message(body=body)) == (["hit"] if hits else ["INBOX"])


def test_case_counts_with_the_flag_d():
    assert goes(recipe("^Subject:.*Foo", flags="D"), message("Subject: foo")) == ["INBOX"]
    assert goes(recipe("^Subject:.*Foo", flags="D"), message("Subject: Foo")) == ["hit"]


def test_sizes_are_compared():
    assert goes(recipe("> 2000"), message(body="x" * 3000)) == ["hit"]
    assert goes(recipe("< 2000"), message(body="x" * 3000)) == ["INBOX"]


@pytest.mark.parametrize(
    ("action", "places"),
    [
        ("lists/foo", ["lists/foo"]),
        ("$HOME/Mail/x/", ["x"]),
        (".Lists.foo/", ["Lists/foo"]),
        ("mh/.", ["mh"]),
        ("a/ b/", ["a", "b"]),
        ("'with blank'", ["with blank"]),
        ("$DEFAULT", ["INBOX"]),
        ("/var/spool/mail/$LOGNAME", ["INBOX"]),
        ("$HOME/Maildir/", ["INBOX"]),
        ("/dev/null", []),
        ("! bob@example.com carol@example.com", ["!bob@example.com", "!carol@example.com"]),
        ("! -oi bob@example.com", ["!bob@example.com"]),
        ("| /usr/lib/dovecot/deliver -m Lists", ["Lists"]),
        ("| $SENDMAIL -oi bob@example.com", ["!bob@example.com"]),
        ("| cat >> lists/foo", ["lists/foo"]),
    ],
)
def test_a_message_goes_where_the_recipe_says(action, places):
    script = converted(f":0:\n* ^Subject:.*hello\n{action}\n\n:0\nrest\n")
    assert goes(script, message()) == places
    assert goes(script, message("Subject: other")) == ["rest"]


@pytest.mark.parametrize(
    "action",
    [
        "| /usr/bin/frob",
        "/etc/passwd",
        "../../etc/x",
        "! carol",
        "! `cat list`",
        "| (date; cat x) | $SENDMAIL -t",
        "|",
    ],
)
def test_what_a_program_would_have_got_stays_in_the_inbox(action):
    script = converted(f":0\n* ^Subject:.*hello\n{action}\n\n:0\n/dev/null\n")
    assert goes(script, message()) == ["INBOX"]
    assert goes(script, message("Subject: other")) == []
    assert len(impossible(script)) == 1


@pytest.mark.parametrize(
    "condition",
    [
        "? test -f x",
        "$ ^To:.*`whoami`",
        "^Subject:.*(a",
        "-1^1 ^Subject:.*x",
        "! ^Subject:.*=\\?(koi8|big5)",
        "^Subject:.*=\\?[a-z]",
        "X ?? ^y\n* $ ^To:.*$USERX$HOST",
    ],
)
def test_a_condition_that_cannot_be_asked_leaves_out_its_recipe_alone(condition):
    script = converted(f":0\n* {condition}\n/dev/null\n:0\n* ^Subject:.*hello\nnext\n")
    assert goes(script, message()) == ["next"]
    assert len(impossible(script)) == 1


def test_what_hangs_on_a_condition_that_cannot_be_asked_is_left_out_too():
    script = converted(":0\n* ? test -f x\nnever\n:0 E\nneither\n:0 c\n* ? true\nx\n:0 A\n/dev/null\n")
    assert goes(script, message()) == ["INBOX"]
    assert len(impossible(script)) == 4


CHAIN = ":0 c\n* ^Subject:.*a\n1\n:0 {}\n* ^Subject:.*b\n2\n:0 {}\n* ^Subject:.*c\n3\n"


@pytest.mark.parametrize(
    ("flags", "subject", "places"),
    [
        (("cA", "cA"), "a", ["1", "INBOX"]),
        (("cA", "cA"), "abc", ["1", "2", "3", "INBOX"]),
        (("cA", "cA"), "ac", ["1", "3", "INBOX"]),
        (("cA", "cA"), "bc", ["INBOX"]),
        (("cE", "cE"), "abc", ["1", "INBOX"]),
        (("cE", "cE"), "bc", ["2", "INBOX"]),
        (("cE", "cE"), "c", ["3", "INBOX"]),
        (("cA", "cE"), "ac", ["1", "3", "INBOX"]),
        (("cA", "cE"), "abc", ["1", "2", "INBOX"]),
        (("cE", "cA"), "bc", ["2", "3", "INBOX"]),
        (("cE", "cA"), "abc", ["1", "INBOX"]),
        (("ca", ""), "abc", ["1", "2", "3"]),
        (("c", "cE"), "bc", ["2", "INBOX"]),
        (("c", "ce"), "abc", ["1", "2", "INBOX"]),
    ],
)
def test_recipes_hang_together_as_their_flags_say(flags, subject, places):
    assert goes(converted(CHAIN.format(*flags)), message(f"Subject: {subject}")) == places


@pytest.mark.parametrize(
    ("rules", "places"),
    [
        (":0 Ac\n1\n", ["INBOX"]),
        (":0 ac\n1\n", ["INBOX"]),
        (":0 Ec\n1\n", ["1", "INBOX"]),
        (":0\n{\n:0 Ac\n1\n}\n", ["1", "INBOX"]),
        (":0\n{\n:0 Ec\n1\n:0 Ec\n2\n}\n", ["INBOX"]),
        (":0\n{\n:0 c\n* ^X-Not:\n1\n}\n:0 Ac\n2\n:0 Ec\n3\n", ["2", "INBOX"]),
        (":0 c\n1\n:0 Ec\n2\n:0 Ac\n3\n", ["1", "INBOX"]),
        (":0 c\n1\n:0 AEc\n2\n:0 Ec\n3\n", ["1", "INBOX"]),
    ],
)
def test_the_first_recipe_hangs_on_its_block(rules, places):
    assert goes(converted(rules), message()) == places


def test_blocks_nest_and_go_on_behind_themselves():
    text = """
:0
* ^Subject:.*a
{
    X=lists
    :0
    * ^Subject:.*b
    $X/b
    :0 E
    * ^Subject:.*c
    { :0
      $X/c
    }
}
:0 E
other
"""
    script = converted(text)
    assert goes(script, message("Subject: ab")) == ["lists/b"]
    assert goes(script, message("Subject: ac")) == ["lists/c"]
    assert goes(script, message("Subject: a")) == ["INBOX"]
    assert goes(script, message("Subject: z")) == ["other"]


def test_a_block_for_a_copy_does_not_stop_the_rest():
    script = converted(":0 c\n{\n:0\n* ^Subject:.*a\n1\n:0\n* ^Subject:.*b\n2\n:0\n3\n}\n:0\nrest\n")
    assert goes(script, message("Subject: ab")) == ["1", "rest"]
    assert goes(script, message("Subject: b")) == ["2", "rest"]
    assert goes(script, message("Subject: c")) == ["3", "rest"]


@pytest.mark.parametrize(
    ("conditions", "subject", "hits"),
    [
        (("1^0 ^Subject:.*a", "1^0 ^Subject:.*b"), "b", True),
        (("1^0 ^Subject:.*a", "1^0 ^Subject:.*b"), "c", False),
        (("-1^0", "1^0 ^Subject:.*a", "1^0 ^Subject:.*b"), "a", False),
        (("-1^0", "1^0 ^Subject:.*a", "1^0 ^Subject:.*b"), "ab", True),
        (("2^0 ^Subject:.*a", "-3^0 ^Subject:.*b"), "a", True),
        (("2^0 ^Subject:.*a", "-3^0 ^Subject:.*b"), "ab", False),
        (("5^1 ^Subject:.*a",), "aaa", True),
        (("1^0 ! ^Subject:.*a",), "b", True),
        (("^Subject:.*x", "1^0 ^Subject:.*a", "1^0 ^Subject:.*b"), "a", False),
        (("^Subject:.*x", "1^0 ^Subject:.*a", "1^0 ^Subject:.*b"), "ax", True),
        (("2147483647^0 ^Subject:.*a", "-10^0 ^Subject:.*b"), "ab", True),
    ],
)
def test_weights_decide_by_their_sum(conditions, subject, hits):
    assert goes(recipe(*conditions), message(f"Subject: {subject}")) == (["hit"] if hits else ["INBOX"])


def test_what_a_pattern_extracts_names_a_folder():
    script = converted(":0\n* ^List-Id:.*<\\/[^.>]+\nlists/$MATCH/\n")
    assert goes(script, message("List-Id: Foo list <foo.example.com>")) == ["lists/foo"]
    assert goes(script, message()) == ["INBOX"]


def test_a_variable_that_a_message_decides_is_one_in_the_script():
    text = """
WHO=nobody
:0
* ^From:.*carol
{ WHO=carol }
:0
* WHO ?? ^carol$
from/$WHO
"""
    assert goes(converted(text), message("From: carol@example.com")) == ["from/carol"]
    assert goes(converted(text), message()) == ["INBOX"]


def test_a_variable_that_the_text_tells_is_answered_at_once():
    script = converted('A=yes\n:0\n* A ?? ^^y\n* $ ^Subject:.*${B:-hello}\n"$A ${A:+or} ${C-no}"\n')
    assert goes(script, message()) == ["yes or no"]
    assert "string" not in script.script


def test_characters_of_a_variable_are_disarmed():
    script = converted("ME=a.b@x\n:0\n* $ ^To:.*$\\ME\nhit\n")
    assert goes(script, message("To: a.b@x")) == ["hit"]
    assert goes(script, message("To: aab@x")) == ["INBOX"]


@pytest.mark.parametrize(
    ("default", "places"),
    [
        ("$HOME/Maildir/", ["INBOX"]),
        ("$MAILDIR/inbox", ["INBOX"]),
        ("$MAILDIR/.Sorted/", ["Sorted"]),
        ("/dev/null", []),
        ("/somewhere/else", ["INBOX"]),
    ],
)
def test_mail_that_no_recipe_takes_goes_to_the_default(default, places):
    script = converted(f"MAILDIR=$HOME/Maildir\nDEFAULT={default}\n:0\n* ^Subject:.*foo\nfoo\n")
    assert goes(script, message()) == places


def test_formail_edits_the_header():
    script = converted(
        ':0 fw\n| formail -A "X-A: 1" -I "X-B: <2>" -I X-C: -a "Subject: none"\n'
        ":0\n* ^X-A: 1\n* ^X-B: <2>\n* ! ^X-C\n* ^Subject: hello\nedited\n"
    )
    assert goes(script, message("X-B: old", "X-C: gone")) == ["edited"]


def test_a_known_message_id_is_a_duplicate():
    script = converted(":0 Wh: msgid.lock\n| formail -D 8192 msgid.cache\n")
    assert goes(script, message()) == ["INBOX"]
    assert goes(script, message(), world={"past": frozenset({"<1@example.net>"})}) == []
    script = converted(":0 Whc: msgid.lock\n| formail -D 8192 msgid.cache\n:0 a:\nduplicates\n")
    assert goes(script, message(), world={"past": frozenset({"<1@example.net>"})}) == ["duplicates"]


def test_an_exit_code_sends_a_message_back():
    assert goes(converted("EXITCODE=67\n:0\n/dev/null\n"), message()) == ["refused"]
    assert goes(converted(":0\n* ^Subject:.*hello\n{\nEXITCODE=77\nHOST\n}\n"), message()) == ["refused"]
    assert goes(converted("EXITCODE=75\n:0\n/dev/null\n"), message()) == ["INBOX"]


def test_an_answer_is_written_for_vacation():
    script = converted(":0 c\n* ! ^FROM_DAEMON\n| vacation alice\n", beside={"~/.vacation.msg": "Away.\n"})
    assert goes(script, message()) == ["INBOX", "answer"]
    assert 'vacation :days 7 "Away.";' in script.script


def test_files_are_included_and_never_in_circles():
    beside = {"~/lists.rc": ":0\n* ^Subject:.*hello\nlists\nINCLUDERC=lists.rc\n"}
    script = converted("INCLUDERC=lists.rc\n:0\nrest\n", beside=beside)
    assert goes(script, message()) == ["lists"]
    assert goes(script, message("Subject: x")) == ["rest"]
    assert len(impossible(script)) == 1


ASKS = ":0 Whc: vacation.lock\n* !^FROM_DAEMON\n* !^X-Loop: me@x\n| formail -rD 8192 vacation.cache\n\n"
SAYS = """  :0 ehc
  | (formail -rI"Precedence: junk" \\
       -A"X-Loop: me@x" ; \\
     echo "Hello (you);"; \\
     echo "gone until Monday."; \\
     echo "-- "; cat $HOME/.signature \\
    ) | $SENDMAIL -oi -t
"""


def test_the_vacation_recipe_of_the_manual_answers():
    script = converted(f"SENDMAIL=/usr/lib/sendmail\n{ASKS}{SAYS}:0\nhit\n", beside={"~/.signature": "Alice\n"})
    assert 'vacation :days 7 "Hello (you);\ngone until Monday.\n-- \nAlice";' in script.script
    assert not impossible(script)
    assert goes(script, message()) == ["answer", "hit"]
    assert goes(script, message("X-Loop: me@x")) == ["hit"]
    assert goes(script, message("Precedence: list")) == ["hit"]


@pytest.mark.parametrize(
    ("action", "text"),
    [
        (
            '| (formail -rt -I"Subject: Gone" -A "X-Loop: x"; cat away.txt) | /usr/sbin/sendmail -t',
            ':subject "Gone" "Back',
        ),
        ('| ($FORMAIL -r; echo "a $LOST b" && echo c) | sendmail -oi -t -f ""', '"a $LOST b\nc"'),
        ("| formail -rk | $SENDMAIL -t", '"I am away'),
    ],
)
def test_a_recipe_that_answers_by_itself_becomes_vacation(action, text):
    script = converted(f":0 hc\n{action}\n", beside={"away.txt": "Back soon.\n"})
    assert goes(script, message()) == ["INBOX", "answer"]
    assert f"vacation :days 1 {text}" in script.script
    assert set(verdicts(script)) == {"approximate"}


@pytest.mark.parametrize(
    "action",
    [
        "| (formail -r; date) | $SENDMAIL -t",
        "| (formail -r; echo `date`) | $SENDMAIL -t",
        "| (formail -r; echo x) > file",
        "| (formail -r; echo x) | $SENDMAIL bob",
        "| (formail -r; echo 'x) | $SENDMAIL -t",
        "| formail -r",
    ],
)
def test_another_line_for_the_shell_is_no_answer(action):
    script = converted(f":0 hc\n{action}\n")
    assert goes(script, message()) == ["INBOX"]
    assert len(impossible(script)) == 1


def test_a_message_that_was_only_answered_stays():
    script = converted(":0\n| (formail -r; echo x) | $SENDMAIL -t\n:0\nhit\n")
    assert goes(script, message()) == ["INBOX", "answer"]


def test_a_switch_to_another_file_ends_this_one():
    script = converted("SWITCHRC=new.rc\n:0\n/dev/null\n", beside={"~/new.rc": ":0\n* ^Subject:.*a\nnew\n"})
    assert goes(script, message("Subject: a")) == ["new"]
    assert goes(script, message()) == ["INBOX"]


def test_every_line_is_told_with_its_place():
    script = converted("VERBOSE=yes\n\n:0\n* ^Subject:.*foo\nx\n:0\n* foo@x\ny\n@nonsense\n")
    assert [(one.place.line, one.verdict) for one in script.findings] == [
        (1, Verdict.EXACT),
        (3, Verdict.EXACT),
        (6, Verdict.APPROXIMATE),
        (9, Verdict.IMPOSSIBLE),
    ]
    assert (
        script.findings[1].instead == 'if header :contains "Subject" "foo" {\n    fileinto :create "x";\n    stop;\n}'
    )
    assert "# .procmailrc:3 (exact)\n#   :0\n#   * ^Subject:.*foo\n#   x\nif header" in script.script


def test_comments_quotes_and_lines_that_go_on_are_read_as_procmail_does():
    text = 'A=b # comment\nLOG="two\nlines"\n:0: # lock\n  # a comment\n* ^Subject:.*\\\n   hello\n"$A"\n'
    script = converted(text)
    assert goes(script, message()) == ["b"]
    assert set(verdicts(script)) == {"exact"}


def test_what_the_site_does_not_offer_is_not_written():
    site = Site(frozenset({"fileinto"}), Limits(), "/".join)
    script = converted(":0\n* ^Subject:.*a[0-9]\nx\n:0\n* ^Subject:.*hello\nb\n:0 B\n* foo\nc\n", site=site)
    assert goes(script, message()) == ["b"]
    assert len(impossible(script)) == 2
