import email
import email.policy
from functools import partial

import pytest

from sievemda.sieve import Limits, compile_script
from sievemda.sieve.effects import Respond
from sievemda.sieve.options import Options
from sievemda.sieve.rehearsal import Imagined, message_of
from sievemda.sieve.sequence import Stage, run_all
from tests.sieve.trying import KEEP, NOW, actions, envelope, failure, outcome, problems, warnings

R = 'require ["vacation", "variables", "encoded-character", "vacation-seconds", "fileinto"];\n'
DAY = 86_400


def message(*fields, subject="Lunch?"):
    head = ["From: Wile E. Coyote <coyote@desert.example.org>", "Message-ID: <1@desert.example.org>", *fields]
    if not any(field.lower().startswith(("to:", "cc:", "bcc:", "resent-")) for field in fields):
        head.append("To: roadrunner@acme.example.com")
    if subject is not None:
        head.append(f"Subject: {subject}")
    return ("\n".join(head) + "\n\nbody\n").encode()


def reply(script, text=None, **options):
    found = outcome(R + script, message() if text is None else text, **options)
    assert found.failure is None, found.failure
    (effect,) = (effect for effect in found.effects if isinstance(effect, Respond))
    return effect


def parsed(script, text=None, **options):
    effect = reply(script, text, **options)
    assert not effect.suppressed
    return email.message_from_bytes(effect.text, policy=email.policy.default)


def test_the_sender_is_answered_and_the_message_kept():
    assert actions(R + 'vacation "I am away.";', message()) == [
        {"action": "vacation", "reason": "I am away.", "subject": "Auto: Lunch?", "to": "coyote@desert.example.org", "fcc": None},
        KEEP,
    ]  # fmt: skip


def test_the_reply_is_a_proper_message():
    answer = parsed('vacation "I am away.";')
    assert answer["From"] == "roadrunner@acme.example.com"
    assert answer["To"] == '"Wile E. Coyote" <coyote@desert.example.org>'
    assert answer["Subject"] == "Auto: Lunch?"
    assert answer["In-Reply-To"] == answer["References"] == "<1@desert.example.org>"
    assert answer["Auto-Submitted"] == "auto-replied (vacation)"
    assert answer["MIME-Version"] == "1.0"
    assert answer.get_content() == "I am away.\n"
    assert answer["Date"] is answer["Message-ID"] is None


def test_the_reply_has_lf_line_ends_and_ascii_only():
    text = reply('vacation :subject "Grüße" "Bin für\nimmer weg";').text
    assert b"\r" not in text
    assert text.isascii()
    answer = email.message_from_bytes(text, policy=email.policy.default)
    assert answer["Subject"] == "Grüße"
    assert answer.get_content() == "Bin für\nimmer weg\n"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (["List-Id: <x>"], "message is from a mailing list (List-Id)"),
        (["List-Help: <x>"], "message is from a mailing list (List-Help)"),
        (["List-Subscribe: <x>"], "message is from a mailing list (List-Subscribe)"),
        (["List-Unsubscribe: <x>"], "message is from a mailing list (List-Unsubscribe)"),
        (["list-post: <x>"], "message is from a mailing list (List-Post)"),
        (["List-Owner: <x>"], "message is from a mailing list (List-Owner)"),
        (["List-Archive:"], "message is from a mailing list (List-Archive)"),
        (["Auto-Submitted: auto-replied"], "message was sent by a program (Auto-Submitted: auto-replied)"),
        (["Auto-Submitted: auto-generated (x)"], "message was sent by a program (Auto-Submitted: auto-generated (x))"),
        (["X-IgnoreVacation: yes"], "message was sent by a program (X-IgnoreVacation: yes)"),
        (["Precedence: bulk"], "message is bulk mail (Precedence: bulk)"),
        (["Precedence: LIST"], "message is bulk mail (Precedence: LIST)"),
        (["Precedence: junk"], "message is bulk mail (Precedence: junk)"),
        (["X-Auto-Response-Suppress: DR, OOF"], "the sender asks for no automatic answers (X-Auto-Response-Suppress)"),
        (["To: somebody@else.example"], "not addressed to you"),
        (["Auto-Submitted: no"], ""),
        (["Auto-Submitted: NO; x=y"], ""),
        (["Auto-Submitted: no (really)"], ""),
        (["X-IgnoreVacation: no"], ""),
        (["Precedence: first-class"], ""),
        (["X-Auto-Response-Suppress: DR"], ""),
        (["Cc: x@y, ROADRUNNER@acme.example.com"], ""),
        (["Bcc: roadrunner@acme.example.com"], ""),
        (["Resent-To: roadrunner@acme.example.com"], ""),
        (["Resent-Cc: Team: roadrunner@acme.example.com;"], ""),
        (["Resent-Bcc: <roadrunner@acme.example.com>"], ""),
    ],
)
def test_when_a_message_wants_no_answer(fields, why):
    effect = reply('vacation "gone";', message(*fields))
    assert effect.suppressed == why
    assert (effect.text == b"") is bool(why)


@pytest.mark.parametrize(
    ("sender", "why"),
    [
        ("", "the sender is the null reverse-path"),
        ("MAILER-DAEMON@x.example", "the sender is a robot"),
        ("mailer-daemon+x@x.example", "the sender is a robot"),
        ("listserv@x.example", "the sender is a robot"),
        ("Majordomo@x.example", "the sender is a robot"),
        ("sieve-request@x.example", "the sender is a robot"),
        ("owner-sieve@x.example", "the sender is a robot"),
        ("roadrunner@acme.example.com", "the sender is you"),
        ("RoadRunner@ACME.example.com", "the sender is you"),
        ("meep@acme.example.com", "the sender is you"),
        ("postmaster@x.example", ""),
        ("owner@x.example", ""),
        ("request@x.example", ""),
    ],
)
def test_senders_that_are_never_answered(sender, why):
    assert reply('vacation :addresses "meep@acme.example.com" "gone";', sender=sender).suppressed == why


@pytest.mark.parametrize(
    ("recipient", "options", "arguments", "to"),
    [
        ("roadrunner+lists@acme.example.com", {}, "", "roadrunner@acme.example.com"),
        ("roadrunner+lists@acme.example.com", {}, "", "roadrunner+lists@acme.example.com"),
        ("roadrunner@acme.example.com", {}, ':addresses ["x@y", "Meep <meep@acme.example.com>"]', "MEEP@acme.example.com"),
        ("roadrunner@acme.example.com", {"orcpt_type": "rfc822", "orcpt": "Alias@acme.example.com"}, "", "alias@acme.example.com"),
        ("roadrunner@acme.example.com", {"own": ("known@acme.example.com",)}, "", "known@acme.example.com"),
    ],
)  # fmt: skip
def test_addresses_that_are_the_owners(recipient, options, arguments, to):
    effect = reply(f'vacation {arguments} "gone";', message(f"To: {to}"), recipient=recipient, **options)
    assert effect.suppressed == ""
    assert f"From: {to}\n".encode() in effect.text


def test_to_is_bare_where_the_message_gives_the_sender_no_name():
    assert b"\nTo: other@desert.example.org\n" in reply('vacation "x";', sender="other@desert.example.org").text


@pytest.mark.parametrize(
    ("tag", "seconds"),
    [("", 7 * DAY), (":days 3", 3 * DAY), (":days 0", DAY), (":days 1000", 90 * DAY), (":seconds 0", DAY),
     (":seconds 100000", 100_000), (":seconds 2147483647", 90 * DAY)],
)  # fmt: skip
def test_the_period_is_bounded(tag, seconds):
    assert reply(f'vacation {tag} "gone";').seconds == seconds


def test_a_site_may_allow_any_period():
    limits = Limits(vacation_minimum=0)
    assert reply('vacation :seconds 0 "gone";', limits=limits).seconds == 0
    assert reply('vacation :days 0 "gone";', limits=limits).seconds == DAY


def test_a_period_out_of_range_is_a_warning():
    assert warnings(R + 'vacation :days 1000 "gone";') == [
        "2:1: warning: ':days 1000' is out of range: 1 to 90 days are possible here"
    ]


def test_what_is_the_same_answer():
    def key(script, **options):
        return reply(f"vacation {script};", **options).key

    assert key('"a"') == key('"a"', text=message(subject="other"))
    assert key('"a"') != key('"b"')
    assert key('"a"') != key(':subject "a" "a"')
    assert key(':subject "s" "a"') != key(':from "s@x" "a"')
    assert key('"a"') != key(':mime "a"')
    assert key(':days 3 "a"') == key(':days 4 "a"')
    assert key(':handle "h" "a"') == key(':handle "h" :subject "s" "b"')
    assert key(':handle "h" "a"') != key(':handle "i" "a"')
    assert key(':handle "h" "a"') != key('"h"')
    assert key('"a"') != key('"a"', sender="other@desert.example.org")
    assert key('"a"') == key('"a"', sender="COYOTE@desert.example.org")


def test_the_answer_is_tracked_before_variables_are_filled_in():
    script = 'if header :matches "subject" "*" { vacation :subject "Automatic response to: ${1}" "away"; }'
    one, other = (reply(script, message(subject=subject)) for subject in ("lunch", "dinner"))
    assert (one.subject, other.subject) == ("Automatic response to: lunch", "Automatic response to: dinner")
    assert one.key == other.key


def test_subjects():
    assert reply('vacation "x";', message(subject=None)).subject == "Automated reply"
    assert reply('vacation "x";', message(subject="=?utf-8?q?Gr=C3=BC=C3=9Fe?=")).subject == "Auto: Grüße"
    long = reply('vacation "x";', message(subject="ü" * 1000)).subject
    assert (len(long), long[-1]) == (256, "…")
    assert parsed('vacation "x";', message(subject="ü" * 1000))["Subject"] == long


def test_a_hostile_subject_begins_no_field():
    text = reply('vacation "x";', message(subject="=?utf-8?q?a=0D=0ABcc:_victim@x=0A=0Abody?=")).text
    assert b"\nBcc:" not in text
    assert b"Subject: Auto: a Bcc: victim@x body\n" in text
    text = reply('vacation :subject "a${hex:0a}Bcc: v@x" :handle "h" "x";').text
    assert b"\nBcc:" not in text


def test_from():
    assert (
        parsed('vacation :from "Road Runner <rr@acme.example.com>" "x";')["From"] == "Road Runner <rr@acme.example.com>"
    )
    two = parsed('vacation :from "a@x.example, B <b@y.example>" "x";')["From"]
    assert [address.addr_spec for address in two.addresses] == ["a@x.example", "b@y.example"]
    assert str(parsed('vacation :from "Jürgen <j@x.example>" "x";')["From"]) == "Jürgen <j@x.example>"
    (problem,) = problems(R + 'vacation :from "nobody" "x";')
    assert problem == "2:16: error: invalid address in ':from': 'nobody'"
    assert parsed('vacation :from "${none}" "x";')["From"] == "roadrunner@acme.example.com"
    (note,) = outcome(R + 'set "who" "nobody"; vacation :from "${who}" "x";').notes
    assert note.text == "vacation: invalid address in ':from': 'nobody', the owner's stands for it"


def test_a_mime_reason_is_taken_as_an_entity():
    script = """vacation :mime text:
Content-Type: multipart/alternative; boundary=foo
From: forged@x
Subject: forged

--foo

I'm at the beach relaxing.  Mmmm, surf...

--foo
Content-Type: text/html; charset=us-ascii

<p>beach</p>
--foo--
.
;"""
    answer = parsed(script)
    assert answer.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in answer.iter_parts()] == ["text/plain", "text/html"]
    assert answer.get_all("From") == ["roadrunner@acme.example.com"]
    assert answer.get_all("Subject") == ["Auto: Lunch?"]


@pytest.mark.parametrize(("given", "encoding"), [("", "8bit"), ("Content-Transfer-Encoding: binary\r\n", "binary")])
def test_a_mime_reason_with_8_bit_text_says_so(given, encoding):
    answer = parsed(f'vacation :mime "{given}Content-Type: text/plain; charset=utf-8\r\n\r\nGrüße";')
    assert answer["Content-Transfer-Encoding"] == encoding
    assert answer.get_content() == "Grüße\n"


def test_a_mime_reason_without_header_is_text():
    assert parsed('vacation :mime "just words";').get_content() == "just words\n"


def test_a_mime_header_that_is_not_ascii_is_refused():
    assert problems(R + 'vacation :mime "Content-Type: text/plän\r\n\r\nx";') == [
        "2:16: error: the header of a ':mime' reason must be ASCII"
    ]


def test_references_grow_and_stay_bounded():
    text = message("References: <a@x>\n <b@x>")
    assert parsed('vacation "x";', text)["References"] == "<a@x> <b@x> <1@desert.example.org>"
    assert parsed('vacation "x";', message("In-Reply-To: <p@x>"))["References"] == "<p@x> <1@desert.example.org>"
    many = message("References: " + "\n ".join(f"<{n}@x>" for n in range(5000)))
    assert parsed('vacation "x";', many)["References"].split()[::20] == ["<0@x>", "<1@desert.example.org>"]


def test_without_message_id_there_is_nothing_to_refer_to():
    text = message().replace(b"Message-ID", b"X-Other")
    answer = parsed('vacation "x";', text)
    assert answer["In-Reply-To"] is answer["References"] is None


def test_a_folded_message_id_is_read():
    text = message().replace(b"Message-ID: <1@", b"Message-ID:\n <1@")
    assert parsed('vacation "x";', text)["In-Reply-To"] == "<1@desert.example.org>"


def test_vacation_twice_is_an_error_that_names_both_lines():
    assert failure(R + 'vacation "a";\nvacation "b";', message()) == (
        "3:1: error: vacation (line 3) cannot be combined with vacation (line 2)"
    )


def test_days_and_seconds_exclude_each_other():
    assert problems(R + 'vacation :days 1 :seconds 1 "x";') == [
        "2:1: error: ':days' and ':seconds' cannot be used together"
    ]


def test_vacation_seconds_brings_vacation_with_it():
    assert problems('require "vacation-seconds"; vacation :seconds 1800 "x";') == []
    assert len(problems('require "vacation"; vacation :seconds 1800 "x";')) == 1


def test_vacation_goes_with_other_actions():
    found = actions(R + 'vacation "x"; fileinto "A"; discard;', message())
    assert [action["action"] for action in found] == ["vacation", "fileinto", "discard"]


def test_what_is_decided_against_is_told_with_its_reason():
    found = actions(R + 'vacation "x";', message("List-Id: <l>"))
    assert found[0]["suppressed"] == "message is from a mailing list (List-Id)"


# -- what a site may choose ------------------------------------------------------------------------------------------


def site(**choices):
    return Limits(options=Options(**choices))


def test_the_address_of_the_user_is_his_own_and_signs_where_none_is_named():
    limits = site(user_email="RR@acme.example.com", vacation_check_recipient=False)
    assert reply('vacation "x";', message("To: rr@acme.example.com"), limits=limits).suppressed == ""
    assert b"From: RR@acme.example.com\n" in reply('vacation "x";', message("To: all@x.example"), limits=limits).text


def test_an_answer_to_the_users_own_address_is_none():
    limits = site(user_email="coyote@desert.example.org")
    assert reply('vacation "x";', limits=limits).suppressed == "the sender is you"


def test_the_original_recipient_may_be_left_out():
    who = {"orcpt_type": "rfc822", "orcpt": "alias@acme.example.com"}
    limits = site(vacation_use_original_recipient=False)
    text = message("To: alias@acme.example.com")
    assert reply('vacation "x";', text, **who).suppressed == ""
    assert reply('vacation "x";', text, limits=limits, **who).suppressed == "not addressed to you"


def test_what_is_not_addressed_to_the_user_may_be_answered():
    limits = site(vacation_check_recipient=False)
    effect = reply('vacation "x";', message("To: all@acme.example.com"), limits=limits)
    assert effect.suppressed == ""
    assert b"From: roadrunner@acme.example.com\n" in effect.text


def test_an_answer_comes_from_nobody_or_from_the_user():
    assert reply('vacation "x";').return_path == ""
    assert (
        reply('vacation "x";', limits=site(vacation_send_from_recipient=True)).return_path
        == "roadrunner@acme.example.com"
    )


def test_subjects_that_a_site_chooses():
    limits = site(vacation_default_subject="Away", vacation_subject_template="Re (away): %{subject}!")
    assert reply('vacation "x";', limits=limits).subject == "Re (away): Lunch?!"
    assert reply('vacation "x";', message(subject=None), limits=limits).subject == "Away"
    assert reply('vacation :subject "Mine" "x";', limits=limits).subject == "Mine"


def test_to_may_be_whom_the_header_names():
    """An envelope sender that was rewritten (SRS) then does not show."""
    srs = "SRS0=x=desert.example.org=coyote@forwarder.example"
    assert b"\nTo: SRS0=x=desert.example.org=coyote@forwarder.example\n" in reply('vacation "x";', sender=srs).text
    effect = reply('vacation "x";', sender=srs, limits=site(vacation_to_header_ignore_envelope=True))
    assert b'\nTo: "Wile E. Coyote" <coyote@desert.example.org>\n' in effect.text
    assert effect.to == srs


# -- a message that was changed: RFC 5293 §7, external programs §6.1 -------------------------------------------------


EDITS = """require "editheader"; deleteheader "Subject"; deleteheader "Message-ID"; deleteheader "From"; deleteheader "To";
addheader "Subject" "Changed"; addheader "Message-ID" "<2@x.example>"; addheader "To" "nobody@x.example";"""


def test_what_is_answered_is_the_message_as_it_came():
    answer = parsed(f'{EDITS} vacation "away";')
    assert answer["Subject"] == "Auto: Lunch?"
    assert answer["To"] == '"Wile E. Coyote" <coyote@desert.example.org>'
    assert answer["In-Reply-To"] == answer["References"] == "<1@desert.example.org>"


@pytest.mark.parametrize(
    ("field", "edit"),
    [
        ("List-Id: <a.b.example>", 'deleteheader "List-Id";'),
        ("Auto-Submitted: auto-replied", 'deleteheader "Auto-Submitted";'),
        ("To: others@x.example", 'addheader "To" "roadrunner@acme.example.com";'),
    ],
)
def test_no_edit_makes_it_a_message_that_is_answered(field, edit):
    assert reply(f'require "editheader"; {edit} vacation "away";', message(field)).suppressed


def test_of_several_scripts_the_last_still_answers_what_came():
    limits = Limits()
    texts = [R + EDITS, R + 'vacation "away";']
    stages = [Stage(partial(compile_script, text, limits)) for text in texts]
    facts = Imagined(NOW)
    found = run_all(stages, message_of(message()), envelope(), facts, limits)
    assert [e.subject for e in found.effects if isinstance(e, Respond)] == ["Auto: Lunch?"]
