"""RFC 5435 and RFC 5436 with every example; RFC 8580 §6 on notify."""

import email
import email.policy
from dataclasses import replace

import pytest

from sievemda.sieve import Limits
from sievemda.sieve.effects import Notify
from sievemda.sieve.options import Options
from tests.sieve.trying import COYOTE, KEEP, actions, failure, hints, holds, outcome, problems, warnings

R = 'require ["enotify", "variables", "fcc", "relational", "envelope", "fileinto"];\n'
M = "mailto:alm@example.com"
HOOKS = Limits(options=Options(notify_https_hosts=("hooks.example.com", "*.gw.example.net:8443")))

KNITTING = b"""\
Return-Path: <knitting-bounces@example.com>
Received: from mail.example.com by mail.example.org
  for <recipient@example.org>; Wed, 7 Dec 2005 05:08:02 -0500
Message-ID: <1234567.89ABCDEF@example.com>
Date: Wed, 07 Dec 2005 10:59:19 +0100
Precedence: list
List-Id: Knitting Mailing List <knitting.example.com>
Sender: knitting-bounces@example.com
From: "Jeff Smith" <jeff@hobbies.example.com>
To: "Knitting Mailing List" <knitting@example.com>
Subject: [Knitting] A new sweater

I just finished a great new sweater!
"""


def notifications(script, message=COYOTE, **options):
    found = outcome(R + script, message, **options)
    assert found.failure is None, found.failure
    return [effect for effect in found.effects if isinstance(effect, Notify)]


def notification(script, message=COYOTE, **options):
    (effect,) = notifications(script, message, **options)
    return effect


def mail(script, message=COYOTE, **options):
    effect = notification(script, message, **options)
    assert not effect.suppressed
    return email.message_from_bytes(effect.text, policy=email.policy.default)


def message(*fields):
    return ("\n".join(fields) + "\n\nbody\n").encode()


# -- the examples ----------------------------------------------------------------------------------------------

EXAMPLE_1 = """
if header :contains "from" "boss@example.org" {
    notify :importance "1" :message "This is probably very important" "mailto:alm@example.com";
    # Don't send any further notifications
    stop;
}
if header :contains "to" "sievemailinglist@example.org" {
    # :matches is used to get the value of the Subject header
    if header :matches "Subject" "*" { set "subject" "${1}"; }
    # :matches is used to get the value of the From header
    if header :matches "From" "*" { set "from" "${1}"; }
    notify :importance "3" :message "[SIEVE] ${from}: ${subject}" "mailto:alm@example.com";
    fileinto "INBOX.sieve";
}
"""


def test_example_1_the_boss():
    found = actions(R + EXAMPLE_1, message("From: boss@example.org", "To: sievemailinglist@example.org"))
    important = {"action": "notify", "method": M, "message": "This is probably very important", "importance": "1"}
    assert found == [important, KEEP]


def test_example_1_the_list():
    found = actions(R + EXAMPLE_1, message("From: a@b.example", "To: sievemailinglist@example.org", "Subject: Hi"))
    assert found[0] == {"action": "notify", "method": M, "message": "[SIEVE] a@b.example: Hi", "importance": "3"}
    assert found[1]["mailbox"] == "INBOX.sieve"


def test_example_2():
    script = """
    if header :matches "from" "*@*.example.org" {
        if envelope :all :matches "from" "*" { set "env_from" " [really: ${1}]"; }
        if header :matches "Subject" "*" { set "subject" "${1}"; }
        if address :matches :all "from" "*" { set "from_addr" "${1}"; }
        notify :message "${from_addr}${env_from}: ${subject}" "mailto:alm@example.com";
    }
    """
    assert notification(script).message == (
        "coyote@desert.example.org [really: coyote@desert.example.org]: I have a present for you"
    )


EXAMPLE_3 = """
set "notif_method" "xmpp:tim@example.com?message;subject=SIEVE;body=You%20got%20mail";
if header :contains "subject" "Your dog" { set "notif_method" "tel:+14085551212"; }
if header :contains "to" "sievemailinglist@example.org" { set "notif_method" ""; }
if not string :is "${notif_method}" "" { notify "${notif_method}"; }
if header :contains "from" "boss@example.org" {
    if header :matches "Subject" "*" { set "subject" "${1}"; }
    if not header :contains "subject" "FYI:" {
        notify :importance "1" :message "BOSS: ${subject}" "tel:+14085551212";
    }
}
"""


def test_example_3_compiles_and_its_methods_are_unknown_here():
    assert problems(R + EXAMPLE_3) == []
    assert "unknown notify method 'xmpp:tim@example.com" in failure(R + EXAMPLE_3)
    assert actions(R + EXAMPLE_3, message("To: sievemailinglist@example.org")) == [KEEP]


def test_example_4():
    assert not holds('valid_notify_method ["mailto:", "http://gw.example.net/notify?test"]', require="enotify")


def test_example_5():
    script = """
    if notify_method_capability "xmpp:tim@example.com?message;subject=SIEVE" "Online" "yes" {
        notify :importance "1" :message "You got mail" "xmpp:tim@example.com?message;subject=SIEVE";
    } else {
        notify :message "You got mail" "tel:+14085551212";
    }
    """
    assert "unknown notify method 'tel:" in failure(R + script)


def test_example_6_what_is_encoded_cannot_add_a_field():
    script = (
        'set :encodeurl "body_param" "Safe body&evil=evilbody"; notify "mailto:tim@example.com?body=${body_param}";'
    )
    found = mail(script)
    assert found.get_content() == "Safe body&evil=evilbody\n"
    assert "evil" not in found


def test_the_example_of_mailto():
    """RFC 5436 §3."""
    script = """
    if header :contains "list-id" "knitting.example.com" {
      if header :matches "Subject" "[*] *" {
        notify :message "From ${1} list: ${2}" :importance "3"
            "mailto:0123456789@sms.example.net?to=backup@example.com";
      }
    }
    """
    effect = notification(script, KNITTING, sender="knitting-bounces@example.com", recipient="recipient@example.org")
    found = email.message_from_bytes(effect.text, policy=email.policy.default)
    assert effect.recipients == ("0123456789@sms.example.net", "backup@example.com")
    assert found["Auto-Submitted"] == 'auto-notified; owner-email="recipient@example.org"'
    assert found["From"] == "recipient@example.org"
    assert found["To"] == "0123456789@sms.example.net, backup@example.com"
    assert found["Subject"] == "From Knitting list: A new sweater"
    assert found["Message-ID"] is found["Date"] is None  # whoever sends it makes them


# -- the mail --------------------------------------------------------------------------------------------------


def test_the_subject_is_message_then_that_of_the_uri_then_that_of_the_message():
    assert mail(f'notify :message "A" "{M}?subject=B";')["Subject"] == "A"
    assert mail(f'notify "{M}?subject=B";')["Subject"] == "B"
    assert mail(f'notify "{M}";')["Subject"] == "Notification: I have a present for you"
    assert mail(f'notify "{M}";', message("From: a@b.example"))["Subject"] == "Notification: (no subject)"


def test_the_body_is_that_of_the_uri_then_message_then_who_wrote_what():
    assert mail(f'notify :message "A" "{M}?body=B";').get_content() == "B\n"
    assert mail(f'notify :message "A\r\nB" "{M}";').get_content() == "A\nB\n"
    assert "From: coyote@desert.example.org\nSubject: I have" in mail(f'notify "{M}";').get_content()


def test_a_long_message_is_cut_in_the_subject_alone():
    found = mail(f'notify :message "{"ä" * 400}" "{M}";')
    assert found["Subject"] == "ä" * 255 + "…"
    assert "ä" * 400 in found.get_content().replace("\n", "")


def test_the_text_is_ascii_with_lf_whatever_is_in_it():
    junk = b"From: \xff\xfe <a@b.example>\nSubject: \xc3\x28 \x80\n\nx\n"
    effect = notification(f'notify "{M}";', junk)
    assert effect.text.isascii()
    assert b"\r" not in effect.text


def test_a_value_cannot_begin_a_new_field():
    found = mail('set "s" text:\r\nA\r\nBcc: x@example.com\r\n.\r\n;notify :message "${s}" "' + M + '";')
    assert found["Bcc"] is None
    assert found["Subject"] == "A Bcc: x@example.com"


def test_to_cc_and_the_recipients():
    effect = notification('notify "mailto:a@b.example?to=Foo%20%3cc@d.example%3e&cc=e@f.example&cc=a@b.example";')
    found = email.message_from_bytes(effect.text, policy=email.policy.default)
    assert (found["To"], found["Cc"]) == ("a@b.example, Foo <c@d.example>", "e@f.example")
    assert effect.recipients == ("a@b.example", "c@d.example", "e@f.example")


def test_fields_of_the_uri_are_used_but_for_those_that_are_not_its_to_say():
    uri = f"{M}?from=x@y.example&x-foo=bar&auto-submitted=no&received=x&date=x&message-id=x&keywords=a"
    found = mail(f'notify "{uri}";')
    assert (found["X-foo"], found["Keywords"]) == ("bar", "a")
    assert found["From"] == "roadrunner@acme.example.com"
    assert found.get_all("Auto-Submitted") == ['auto-notified; owner-email="roadrunner@acme.example.com"']
    assert found["Received"] is found["Date"] is found["Message-ID"] is None


@pytest.mark.parametrize(("importance", "priority", "word"), [("1", "1 (Highest)", "High"), ("3", "5 (Lowest)", "Low")])
def test_the_importance_shows(importance, priority, word):
    found = mail(f'notify :importance "{importance}" "{M}";')
    assert (found["X-Priority"], found["Importance"]) == (priority, word)


def test_without_importance_it_is_normal_and_the_uri_may_say_otherwise():
    assert mail(f'notify "{M}";')["X-Priority"] == "3 (Normal)"
    assert mail(f'notify "{M}?x-priority=1";').get_all("X-Priority") == ["1"]


# -- who it is from --------------------------------------------------------------------------------------------


def test_from_is_the_author_and_the_envelope_sender():
    effect = notification(f'notify :from "Me <me@example.org>" "{M}";')
    assert email.message_from_bytes(effect.text)["From"] == "Me <me@example.org>"
    assert effect.return_path == "me@example.org"


def test_without_from_the_owner_is_the_author():
    limits = Limits(options=Options(user_email="rr@acme.example.com", postmaster="pm@acme.example.com"))
    effect = notification(f'notify "{M}";', limits=limits)
    assert email.message_from_bytes(effect.text)["From"] == "rr@acme.example.com"
    assert effect.return_path == "rr@acme.example.com"


def test_without_an_address_of_the_owner_bounces_go_to_the_postmaster():
    assert notification(f'notify "{M}";').return_path == "postmaster@acme.example.com"


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("sender", "coyote@desert.example.org"),
        ("recipient", "roadrunner@acme.example.com"),
        ("orig_recipient", "alias@acme.example.com"),
        ("user_email", "rr@acme.example.com"),
        ("postmaster", "pm@acme.example.com"),
        (" <bounces@acme.example.com> ", "bounces@acme.example.com"),
        ("<>", ""),
        ("default", "me@example.org"),
    ],
)
def test_the_site_may_say_who_gets_bounces(source, path):
    options = Options(
        user_email="rr@acme.example.com", postmaster="pm@acme.example.com", notify_mailto_envelope_from=source
    )
    who = {"orcpt": "alias@acme.example.com", "orcpt_type": "rfc822"}
    script = f'notify :from "me@example.org" "{M}";'
    assert notification(script, limits=Limits(options=options), **who).return_path == path


def test_a_message_from_nobody_notifies_from_nobody():
    """RFC 5436 §2.7: it MUST be allowed to trigger, and the envelope sender MUST then be empty."""
    effect = notification(f'notify :from "me@example.org" "{M}";', sender=None)
    assert not effect.suppressed
    assert effect.return_path == ""


# -- when none goes out ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["auto-generated", "auto-replied (vacation)", "Auto-Notified; x=y"])
def test_what_a_program_sent_is_no_occasion(value):
    effect = notification(f'notify "{M}";', message("From: a@b.example", f"Auto-Submitted: {value}"))
    assert effect.suppressed == f"message was sent by a program (Auto-Submitted: {value})"
    assert effect.text == b""


@pytest.mark.parametrize("value", ["no", "No", "no; x=y", "no (human)"])
def test_auto_submitted_no_is_an_occasion(value):
    assert not notification(f'notify "{M}";', message(f"Auto-Submitted: {value}")).suppressed


def test_a_uri_without_recipients_tells_nobody():
    assert notification('notify "mailto:";').suppressed == "it names no recipients"
    assert "the URI names no recipients" in str(warnings(R + 'notify "mailto:";'))


def test_nobody_is_told_twice():
    """RFC 5436 §2.7: no duplicates to one address from one run."""
    script = 'notify "mailto:a@b.example%2Cc@d.example"; notify :message "2" "mailto:c@D.EXAMPLE?cc=e@f.example";'
    found = notifications(script + 'notify :message "3" "mailto:a@b.example";')
    assert [effect.recipients for effect in found] == [("a@b.example", "c@d.example"), ("e@f.example",)]


def test_notify_leaves_the_implicit_keep_and_goes_with_everything():
    assert actions(R + f'notify :message "x" "{M}"; discard;') == [
        {"action": "notify", "method": M, "message": "x"},
        {"action": "discard"},
    ]
    script = f'require "reject"; reject "no"; notify :message "x" "{M}";'
    assert [one["action"] for one in actions(R + script)] == ["reject", "notify"]


def test_the_number_of_notifications_is_bounded():
    many = "".join(f'notify "mailto:u{n}@example.com";' for n in range(11))
    assert "number of notify actions exceeds policy limit (11 > 10)" in failure(R + many)


def test_a_site_may_forbid_it():
    (problem,) = problems(R + f'notify "{M}";', limits=replace(Limits(), notifications=0))
    assert "local policy prohibits the use of a notify action" in problem


# -- faults ----------------------------------------------------------------------------------------------------

FAULTS = [
    (':importance "4"', M, "invalid importance"),
    (':importance "01"', M, "invalid importance"),
    (':importance ""', M, "invalid importance"),
    (':options "a"', M, "invalid option 'a'"),
    (':options ["a=b", "=c"]', M, "invalid option '=c'"),
    (':options "a b=c"', M, "invalid option"),
    (':options "-a=c"', M, "invalid option"),
    (":options text:\na=b\nc=d\n.\n", M, "invalid option"),
    (':from "a, b"', M, "invalid address in ':from'"),
    (':from "a@b.example, c@d.example"', M, "invalid address in ':from'"),
    (':from ""', M, "invalid address in ':from'"),
    ("", "bar", "invalid scheme part"),
    ("", "", "invalid scheme part"),
    ("", "3a:b", "invalid scheme part"),
    ("", "mailto:a b@example.com", "invalid character"),
    ("", "mailto:a@example.com,b@example.com", "percent-encoded"),
    ("", "mailto:nobody", "invalid recipient"),
]  # fmt: skip


@pytest.mark.parametrize(("tags", "uri", "fault"), FAULTS)
def test_faults_that_can_be_seen_are_found_when_the_script_is_compiled(tags, uri, fault):
    (problem,) = problems(R + f'notify {tags} "{uri}";')
    assert fault in problem


@pytest.mark.parametrize(("tags", "uri", "fault"), FAULTS)
def test_and_all_others_when_it_runs(tags, uri, fault):
    hidden = f"notify {tags} " + '"${x}' + uri + '";'
    for mark in (':importance "', ':from "'):
        hidden = hidden.replace(mark, mark + "${x}")
    hidden = (
        hidden.replace(':options "', ':options "${x}').replace('"=c"', '"${x}=c"').replace("text:\n", "text:\n${x}")
    )
    assert fault in failure(R + hidden)


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("notify;", "requires 1 positional arguments, but 0"),
        (f'notify ["{M}"];', "expects a string for argument 1 (method), but a string list was found"),
        (f'notify :importance 1 "{M}";', "expects a string, but a number was found"),
        (f'notify :method "mailto" "{M}";', "unknown tagged argument ':method'"),
        (f'notify :high "{M}";', "unknown tagged argument ':high'"),
        (f'notify :message "a" :message "b" "{M}";', "duplicate ':message'"),
        (f'notify "{M}" "x";', "requires 1 positional arguments, but 2"),
    ],
)
def test_faults_of_shape(command, fault):
    (problem,) = problems(R + command)
    assert fault in problem


def test_options_may_hold_anything_but_line_ends():
    effect = notification(f'notify :options ["a.b-c_d=x=y", "0="] "{M}";')
    assert effect.options == (("a.b-c_d", "x=y"), ("0", ""))


def test_an_unknown_method_is_warned_of_and_an_error_when_it_is_used():
    """RFC 5435 §3.2."""
    script = R + 'notify "tel:+14085551212";'
    assert problems(script) == []
    assert "unknown notify method 'tel:+14085551212'" in str(warnings(script))
    assert "unknown notify method 'tel:+14085551212'" in failure(script)


def test_what_a_uri_may_not_say_is_warned_of():
    assert "a URI may not set the field bcc" in str(warnings(R + f'notify "{M}?bcc=x@y.example";'))


def test_it_goes_not_with_the_old_notify():
    (problem,) = problems('require ["enotify", "notify"]; keep;')
    assert "cannot be used together" in problem


# -- the tests -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("uris", [f'"{M}"', f'["{M}", "MAILTO:b@example.com?subject=x"]', '"mailto:"'])
def test_valid_methods(uris):
    assert holds(f"valid_notify_method {uris}", require="enotify")


@pytest.mark.parametrize(
    "uris",
    [
        f'["{M}", "tel:+1"]',
        '"xmpp:a@b"',
        '"foo"',
        '""',
        '"mailto:nobody"',
        '"mailto:a@b.example?x"',
        '"https://h.example/"',
    ],
)
def test_methods_that_are_not_valid(uris):
    assert not holds(f"valid_notify_method {uris}", require="enotify")


@pytest.mark.parametrize(
    ("test", "result"),
    [
        (f'"{M}" "online" "maybe"', True),
        (f'"{M}" "Online" "MAYBE"', True),
        (f':comparator "i;octet" "{M}" "Online" "MAYBE"', False),
        (f'"{M}" "online" ["yes", "no"]', False),
        (f':contains "{M}" "online" "may"', True),
        (f':count "eq" "{M}" "online" "1"', True),
        (f':count "eq" "{M}" "stars" "0"', False),
        (f'"{M}" "stars" ["", "yes"]', False),
        ('"xmpp:a@b" "online" "maybe"', False),
        (':count "eq" "xmpp:a@b" "online" "0"', False),
        ('"mailto:nobody" "online" "maybe"', False),
        ('"bar" "online" "maybe"', False),
        (f'"{M}" "fcc" "yes"', True),
        ('"mailto:" "fcc" "yes"', True),
        ('"mailto:" "fcc" "no"', False),
        ('"xmpp:" "fcc" ["yes", "no"]', False),
        ('"" "fcc" ["yes", "no"]', False),
    ],
)
def test_capabilities_of_a_method(test, result):
    assert holds(f"notify_method_capability {test}", require="enotify relational fcc") is result


# -- :encodeurl ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ("azAZ09-._~", "azAZ09-._~"),
        ("a b/?", "a%20b%2F%3F"),
        ("é€", "%C3%A9%E2%82%AC"),
        ("", ""),
    ],
)
def test_encodeurl(value, encoded):
    test = f'set :encodeurl "x" "{value}"; if not string "${{x}}" "{encoded}" {{ discard; }}'
    assert actions(R + test) == [KEEP]


def test_encodeurl_comes_after_quotewildcard_and_before_length():
    script = 'set :length :encodeurl :quotewildcard "x" "*"; if not string "${x}" "6" { discard; }'
    assert actions(R + script) == [KEEP]


def test_encodeurl_is_never_cut_within_a_character():
    limits = replace(Limits(), variable_size=10)
    script = 'set :encodeurl "x" "éé"; if not string "${x}" "%C3%A9" { discard; }'
    assert actions(R + script, limits=limits) == [KEEP]


def test_encodeurl_needs_enotify_and_is_given_once():
    assert 'add require ["enotify"]' in hints('require "variables"; set :encodeurl "x" "y";')[0]
    assert "duplicate" in problems(R + 'set :encodeurl :encodeurl "x" "y";')[0]


# -- webhooks --------------------------------------------------------------------------------------------------


def test_where_the_site_allows_no_host_there_are_no_webhooks():
    assert "unknown notify method" in failure(R + 'notify "https://hooks.example.com/x";')


def test_a_webhook_is_told_the_message():
    effect = notification('notify :message "hi" :options "topic=mail" "https://hooks.example.com/x";', limits=HOOKS)
    assert (effect.method, effect.message, effect.recipients) == ("https://hooks.example.com/x", "hi", ())
    assert effect.options == (("topic", "mail"),)


@pytest.mark.parametrize(
    ("uri", "fault"),
    [
        ("https://other.example.com/x", "notifications to other.example.com:443 are not allowed here"),
        ("https://hooks.example.com:8443/x", "not allowed here"),
        ("https://gw.example.net:8443/x", "not allowed here"),
        ("https://hooks.example.com.evil.example/x", "not allowed here"),
        ("https://user:secret@hooks.example.com/", "holds a name or a password"),
        ("https:///x", "names no host"),
        ("https://hooks.example.com/a b", "printable characters"),
        ("https://hooks.example.com:99999/", "ort"),
    ],
)
def test_where_a_webhook_must_not_go(uri, fault):
    (problem,) = problems(R + f'notify "{uri}";', limits=HOOKS)
    assert fault in problem
    assert not holds(f'valid_notify_method "{uri}"', require="enotify", limits=HOOKS)


def test_a_webhook_to_a_host_by_pattern():
    uri = "https://a.gw.example.net:8443/x"
    assert holds(f'valid_notify_method "{uri}"', require="enotify", limits=HOOKS)
    assert holds(f'notify_method_capability "{uri}" "fcc" "yes"', require="enotify fcc", limits=HOOKS)


def test_one_webhook_may_be_told_two_things_but_none_twice():
    call = 'notify :message "{}" "https://hooks.example.com/x";'
    found = notifications(call.format("a") + call.format("b") + call.format("a"), limits=HOOKS)
    assert [effect.message for effect in found] == ["a", "b"]


# -- :fcc ------------------------------------------------------------------------------------------------------


def test_the_examples_of_fcc():
    """RFC 8580 §6, §6.1."""
    assert notification('notify :fcc "INBOX.Sent" :message "You got mail!" "mailto:ken@example.com";').fcc.mailbox == (
        "INBOX.Sent"
    )
    script = """
    if notify_method_capability "xmpp:" "fcc" "yes" {
        notify :fcc "INBOX.Sent" :message "You got mail" "xmpp:ken@example.com?message;subject=SIEVE";
    } else {
        notify :fcc "INBOX.Sent" :message "You got mail!" "mailto:ken@example.com";
    }
    """
    assert notification(script).recipients == ("ken@example.com",)


def test_the_copy_of_a_webhook_is_a_mail_that_holds_the_message():
    """RFC 8580 §4."""
    effect = notification('notify :fcc "Sent" :message "hi" "https://hooks.example.com/x";', limits=HOOKS)
    found = email.message_from_bytes(effect.text, policy=email.policy.default)
    assert found["From"] == "roadrunner@acme.example.com"
    assert found["Subject"] == "Fcc: I have a present for you"
    assert found.get_content() == "hi\n\nhttps://hooks.example.com/x\n"
