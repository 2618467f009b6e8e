"""Abuse reports: spec-bosch-sieve-report with its example, RFC 5965."""

import email
import email.policy

import pytest

from sievemda.sieve import Limits
from sievemda.sieve.effects import Report
from sievemda.sieve.options import Options
from tests.sieve.trying import COYOTE, KEEP, actions, failure, outcome, problems

R = 'require ["vnd.dovecot.report", "variables", "copy"];\n'
SPAM = b"""\
Return-Path: <spammer@example.com>
Received: from mail.example.com by mail.example.org
    for <victim@example.org>; Wed, 17 Thu 2016 03:01:02 +0100
Message-ID: <1234567.89ABCDEF@example.com>
Date: Thu, 17 Mar 2016 2:59:19 +0100
From: "Steve Pammer" <spammer@example.com>
To: "Victor Timson" <victim@example.org>
Subject: Male enhancement products
X-Spam-Score: 3.3/5.0
X-Spam-Status: not spam

We have very interesting offers!
"""
EXAMPLE = """
if header "x-spam-status" "not spam" {
    report "abuse" "This spam message slipped through." "spam-report@example.org";
}
"""


def reports(script, message=SPAM, **options):
    who = {"sender": "spammer@example.com", "recipient": "victim@example.org", **options}
    found = outcome(R + script, message, **who)
    assert found.failure is None, found.failure
    return [effect for effect in found.effects if isinstance(effect, Report)]


def parsed(effect):
    return email.message_from_bytes(effect.text, policy=email.policy.default)


def test_the_example():
    (effect,) = reports(EXAMPLE)
    found = parsed(effect)
    assert effect.to == "spam-report@example.org"
    assert found["From"] == "Postmaster <postmaster@example.org>"
    assert found["To"] == "spam-report@example.org"
    assert found["Subject"] == "Report: Male enhancement products"
    assert found["Auto-Submitted"].startswith("auto-generated")
    assert found.get_content_type() == "multipart/report"
    assert found.get_param("report-type") == "feedback-report"
    text, machine, original = found.get_payload()
    assert text.get_content() == "This spam message slipped through.\n"
    assert text["Content-Disposition"] == "inline"
    assert machine.get_content_type() == "message/feedback-report"
    fields = machine.get_payload()[0]
    assert fields["Version"] == "1"
    assert fields["Feedback-Type"] == "abuse"
    assert fields["User-Agent"].startswith("sievemda/")
    assert fields["Original-Mail-From"] == "<spammer@example.com>"
    assert fields["Original-Rcpt-To"] == "<victim@example.org>"
    assert original.get_content_type() == "message/rfc822"
    assert SPAM in effect.text


def test_what_it_says_in_json_and_that_the_message_is_kept():
    told = {"action": "report", "to": "a@example.com", "type": "abuse", "reason": "x"}
    assert actions(R + 'report "abuse" "x" "a@example.com";') == [told, KEEP]


def test_the_header_alone():
    (effect,) = reports('report :headers_only "abuse" "x" "a@example.com";')
    original = parsed(effect).get_payload()[2]
    assert original.get_content_type() == "text/rfc822-headers"
    assert b"X-Spam-Score: 3.3/5.0\n" in effect.text
    assert b"interesting offers" not in effect.text


def test_one_report_for_each_type_and_recipient_with_the_first_text():
    found = reports(
        'report "abuse" "1" "a@example.com"; report "ABUSE" "2" "A <a@EXAMPLE.com>"; '
        'report "fraud" "3" "a@example.com"; report "abuse" "4" "b@example.com";'
    )
    assert [(effect.feedback_type, effect.to, effect.reason) for effect in found] == [
        ("abuse", "a@example.com", "1"),
        ("fraud", "a@example.com", "3"),
        ("abuse", "b@example.com", "4"),
    ]


@pytest.mark.parametrize("to", ["victim@example.org", "Victim@EXAMPLE.org", "known@example.org"])
def test_none_goes_to_the_owner(to):
    (effect,) = reports(f'report "abuse" "x" "{to}";', own=("known@example.org",))
    assert effect.suppressed == "it would go to the owner of the script"
    assert effect.text == b""


def test_it_goes_with_every_action_and_takes_nothing_away():
    script = 'redirect :copy "r@example.com"; report "abuse" "x" "a@example.com"; discard;'
    assert [one["action"] for one in actions(R + script)] == ["redirect", "report", "discard"]


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ('"a b" "x" "a@example.com"', "invalid feedback type 'a b'"),
        ('"" "x" "a@example.com"', "invalid feedback type ''"),
        ('"a;b" "x" "a@example.com"', "invalid feedback type"),
        ('"abuse" "x" "nobody"', "invalid address for report: 'nobody'"),
        ('"abuse" "x" "a@example.com, b@example.com"', "invalid address for report"),
        ('"abuse" "x"', "requires 3 positional arguments, but 2"),
        (':copy "abuse" "x" "a@example.com"', "unknown tagged argument ':copy'"),
    ],
)
def test_faults(arguments, fault):
    (problem,) = problems(R + f"report {arguments};")
    assert fault in problem


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ('"${x}" "x" "a@example.com"', "invalid feedback type ''"),
        ('"abuse" "x" "${x}"', "invalid address for report: ''"),
    ],
)
def test_faults_that_show_when_it_runs(arguments, fault):
    assert fault in failure(R + f"report {arguments};")


@pytest.mark.parametrize(
    ("source", "sender"),
    [
        ("", "Postmaster <pm@example.org>"),
        ("user_email", "victor@example.org"),
        ("<abuse@example.org>", "abuse@example.org"),
        ("recipient", "victim@example.org"),
    ],
)
def test_the_site_says_whom_reports_come_from(source, sender):
    options = Options(report_from=source, postmaster="pm@example.org", user_email="victor@example.org")
    (effect,) = reports(EXAMPLE, limits=Limits(options=options))
    assert parsed(effect)["From"] == sender


def test_a_message_from_nobody_and_without_subject():
    (effect,) = reports('report "abuse" "Grüße" "a@example.com";', b"X: \xff\n\n\xff", sender=None)
    text, machine, _ = parsed(effect).get_payload()
    assert text.get_content() == "Grüße\n"
    assert machine.get_payload()[0]["Original-Mail-From"] == "<>"
    assert parsed(effect)["Subject"] == "Report: (no subject)"


def test_what_is_reported_is_the_message_as_it_came_octet_by_octet():
    junk = b"Subject: a\n\n\x80\x81--=_\n.\n"
    (effect,) = reports('report "abuse" "x" "a@example.com";', junk)
    assert junk in effect.text
    assert COYOTE not in effect.text
