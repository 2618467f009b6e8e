"""What procmail and maildrop do with a message, and what the script does that their rules have become."""

import pytest

from sievemda.upkeep.conversion.maildrop import convert_maildrop
from sievemda.upkeep.conversion.procmail import convert_procmail
from tests.interop.filters import Filters
from tests.upkeep.conversion.going import SITE, goes, impossible, message

MESSAGES = {
    "plain": message(),
    "list": message("Subject: [dev] foo bar", "List-Id: Dev <dev.lists.example.org>", "Precedence: list"),
    "daemon": message("From: MAILER-DAEMON@host.example (Mail System)", "Subject: Returned mail"),
    "spam": message("Subject: make $$$ fast (100%)", "X-Spam-Level: ******", body="viagra\n\nFoo at a start\n"),
    "big": message("Subject: xfoo", "Cc: friends@example.com, list@lists.example.org", body="x" * 3000 + "\n"),
    "empty": message("Subject: ", "To: x.friends@example.com", "Sender: owner-dev@example.org"),
}
PROCMAIL = {
    "fields": ":0\n* ^Subject:.*\\<foo\\>\none/\n:0\n* ^(From|Sender):.*(owner|daemon)\ntwo/\n",
    "macros": ":0\n* ^TO_friends@\none/\n:0\n* ^FROM_DAEMON\ntwo/\n:0\n* ! ^FROM_MAILER\nthree/\n",
    "empty": ":0\n* ^Subject: *$\none/\n:0\n* ^Subject: .*[($]\ntwo/\n",
    "size": ":0 c\n* > 2000\none/\n:0\n* < 2000\n* ^X-Spam-Level: \\*\\*\\*\ntwo/\n",
    "body": ":0 B\n* ^foo\none/\n:0\n* HB ?? xfoo\ntwo/\n:0 BD\n* Hello\nthree/\n",
    "chain": ":0 c\n* ^Subject:.*foo\none/\n:0 Ac\n* ^List-Id:\ntwo/\n:0 E\nthree/\n",
    "else": ":0\n* ^Subject:.*foo\n{\n:0\n* ^Cc:\none/\n:0 E\ntwo/\n}\n:0 E\n* ^Sender:.*owner\nthree/\n",
    "copies": ":0 cw\n! carol@example.com\n:0 c\n{\n:0\n* ^Subject:.*foo\none/\n:0\ntwo/\n}\n:0\nthree/\n",
    "score": ":0\n* -1^0\n* 1^0 ^Subject:.*foo\n* 1^0 ^Cc:\n* 1^0 ^Precedence:\none/\n",
    "match": ":0\n* ^List-Id:.*<\\/[^.>]+\n$MATCH/\n",
    "values": 'A=foo\n:0\n* $ ^Subject:.*$A\n* A ?? ^^f\n"$A/"\n:0\n* ^Sender:\n/dev/null\n',
}
MAILDROP = {
    "fields": 'if (/^Subject:.*\\bfoo\\b/)\n{\n  to "$MAIL/one"\n}\nif (/^(From|Sender):.*(owner|daemon)/)\n{\n  to "$MAIL/two"\n}\n',
    "logic": 'if ((/^Subject:.*foo/ && !/^Cc:/) || /^Sender:/)\n{\n  to "$MAIL/one"\n}\nelsif ($SIZE > 2000)\n{\n  to "$MAIL/two"\n}\nelse\n{\n  cc "$MAIL/three"\n}\n',
    "score": 'if (/^Subject:.*foo/:h,1,0 + /^Cc:/:h,1,0 + /^Precedence:/:h,1,0 >= 2)\n{\n  to "$MAIL/one"\n}\n',
    "sender": 'if ($FROM =~ /^bob@/ && hasaddr("LIST@lists.example.org"))\n{\n  to "$MAIL/one"\n}\nif (/viagra/:b)\n{\n  exit\n}\n',
    "values": 'X="two"\nif (/^Subject: \\[(\\w+)\\]/)\n{\n  X="one"\n}\nif ($X eq "one")\n{\n  cc "$MAIL/$X"\n}\ncc "!carol@example.com"\n',
    "alone": 'foo\n(1 + 2)\n! /^Foo/\nhasaddr("x@y")\n/^Subject: \\[(\\w+)\\]/\nif ($MATCH1 eq "dev")\n{\n  to "$MAIL/one"\n}\n',
}


@pytest.fixture(scope="module")
def filters(tmp_path_factory):
    return Filters(tmp_path_factory.mktemp("filters"))


@pytest.mark.parametrize("rules", PROCMAIL.values(), ids=PROCMAIL)
def test_mail_goes_where_procmail_puts_it(filters, rules):
    script = convert_procmail(rules, "rc", SITE)
    assert not impossible(script)
    for name, content in MESSAGES.items():
        assert (name, goes(script, content)) == (name, filters.procmail(rules, content))


@pytest.mark.parametrize("rules", MAILDROP.values(), ids=MAILDROP)
def test_mail_goes_where_maildrop_puts_it(filters, rules):
    script = convert_maildrop(f'MAIL="$HOME/mail"\n{rules}', "filter", SITE)
    assert not impossible(script)
    for name, content in MESSAGES.items():
        assert (name, goes(script, content)) == (name, filters.maildrop(rules, content))
