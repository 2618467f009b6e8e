"""Redirects, vacation replies and notices of rejection, as far as the outbox."""

import email
import email.policy
import errno
import re

import pytest

from sievemda.mail.result import Result
from tests.delivery.world import PEER, message, recipient, sender

OK = Result.DELIVERED
VACATION = 'require "vacation"; vacation {options} "I am away";'


def header_of(data: bytes) -> list[bytes]:
    return data.partition(b"\n\n")[0].split(b"\n")


# --- redirect ---


def test_a_redirect_leaves_and_nothing_is_kept(world):
    world.user("alice", script='redirect "away@example.net";')
    assert world.deliver("alice@x", message()) == [OK]
    assert world.files("user/alice") == []
    ((envelope, data),) = world.outgoing()
    assert (envelope["kind"], envelope["from"], envelope["to"]) == ("redirect", "bob@example.net", "away@example.net")
    assert header_of(data)[:2] == [b"X-Sieve-Action: redirect", b"X-Sieve-Redirected-From: alice@x"]


def test_what_leaves_is_the_stored_message_without_its_return_path(world):
    world.user("alice", script='require "copy"; redirect :copy "away@example.net";')
    world.deliver("alice@x", message())
    ((_, data),) = world.outgoing()
    stored = world.stored("user/alice")
    assert stored.startswith(b"Return-Path: <bob@example.net>\n")
    assert data.split(b"\n", 2)[2] == stored.split(b"\n", 1)[1]


def test_a_null_sender_stays_null(world):
    world.user("alice", script='redirect "away@example.net";')
    world.deliver("alice@x", message(), sender(""))
    assert world.outgoing()[0][0]["from"] == ""


def test_the_same_redirect_is_silent_the_second_time_and_nothing_is_kept(world):
    world.user("alice", script='redirect "away@example.net";')
    assert world.deliver("alice@x", message()) + world.deliver("alice@x", message()) == [OK, OK]
    assert len(world.outgoing()) == 1
    assert world.files("user/alice") == []


@pytest.mark.parametrize(
    ("to", "data"),
    [
        ("alice+x@x", message()),
        ("alice@y", message()),
        ("alice@x", message("<2@x>")),
        ("alice@x", message().replace(b"10:00", b"11:00")),
    ],
)
def test_another_recipient_message_or_date_is_another_redirect(world, to, data):
    world.user("alice", script='redirect "away@example.net";')
    world.deliver("alice@x", message())
    world.deliver(to, data)
    assert len(world.outgoing()) == 2


def test_redirects_are_remembered_without_suppression_too(make_world):
    world = make_world(duplicatesuppression=False)
    world.user("alice", script='redirect "away@example.net";')
    for _ in range(2):
        world.deliver("alice@x", message())
    assert len(world.outgoing()) == 1


def test_a_message_that_came_back_is_kept_and_not_sent_again(world):
    world.user("alice", script='redirect "away@example.net";')
    world.deliver("alice@x", message())
    ((_, data),) = world.outgoing()
    assert world.deliver("alice@x", data) == [OK]
    assert len(world.outgoing()) == 1
    assert world.keywords("user/alice") == []
    told = world.journal.find("<1@example.net>")[1]
    assert told["failure"] == ""
    assert "loop" in told["not_done"][0]["why"]


def test_a_message_redirected_by_somebody_else_is_redirected(world):
    world.user("alice", script='redirect "away@example.net";')
    world.user("carol", script='redirect "alice@x";')
    world.deliver("carol@x", message())
    world.deliver("alice@x", world.outgoing()[0][1])
    assert sorted(envelope["to"] for envelope, _ in world.outgoing()) == ["alice@x", "away@example.net"]


def test_a_redirect_and_a_copy_are_both_done(world):
    world.user("alice", "A", script='require ["fileinto", "copy"]; redirect :copy "away@example.net"; fileinto "A";')
    world.deliver("alice@x", message())
    assert len(world.outgoing()) == len(world.files("user/alice/A")) == 1


def test_a_redirect_behind_a_failing_action_is_skipped_and_one_before_it_is_done(world):
    world.user("alice", script='require "fileinto"; redirect "one@x"; fileinto "Nowhere"; redirect "two@x";')
    world.deliver("alice@x", message())
    assert [envelope["to"] for envelope, _ in world.outgoing()] == ["one@x"]
    assert world.keywords("user/alice") == ["$SieveFailed"]


def test_a_redirect_behind_a_store_that_fails_on_the_disk_is_skipped(world):
    world.user("alice", "A", script='require "fileinto"; redirect "one@x"; fileinto "A"; redirect "two@x";')
    new = world.folder("user/alice/A") / "new"
    new.rmdir()
    new.write_text("no directory")
    assert world.deliver("alice@x", message()) == [OK]
    assert [envelope["to"] for envelope, _ in world.outgoing()] == ["one@x"]
    assert world.keywords("user/alice") == ["$SieveFailed"]


def test_a_large_message_is_redirected_whole(make_world):
    world = make_world(lmtp_spool_threshold=10_000)
    world.user("alice", script='redirect "away@example.net";')
    body = "".join(f"line {n}\n" for n in range(300_000))
    world.deliver("alice@x", message(body=body))
    assert world.outgoing()[0][1].endswith(b"\n\n" + body.encode())
    assert world.staged() == []


def test_an_outbox_that_takes_nothing_means_the_inbox(world, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    world.user("alice", script='redirect "away@example.net";')
    monkeypatch.setattr(world.outbox, "put", full)
    assert world.deliver("alice@x", message()) == [OK]
    assert world.keywords("user/alice") == ["$SieveFailed"]


def test_a_redirect_that_failed_is_not_remembered(world, monkeypatch):
    world.user("alice", script='redirect "away@example.net";')
    with monkeypatch.context() as patch:
        patch.setattr(world.outbox, "put", lambda _: (_ for _ in ()).throw(OSError(28, "full")))
        world.deliver("alice@x", message())
    world.deliver("alice@x", message())
    assert len(world.outgoing()) == 1


# --- vacation ---


def mail(to="alice@example.org", id_="<1@x>", extra=""):
    return f"{extra}From: bob@example.net\nTo: {to}\nSubject: lunch\nDate: d\nMessage-ID: {id_}\n\nHi\n".encode()


def test_a_reply_goes_out_once_and_the_mail_is_kept(world):
    world.user("alice", script=VACATION.format(options=""))
    for number in range(3):
        assert world.deliver("alice@example.org", mail(id_=f"<{number}@x>")) == [OK]
    assert len(world.files("user/alice")) == 3
    ((envelope, data),) = world.outgoing()
    assert (envelope["kind"], envelope["from"], envelope["to"]) == ("vacation", "", "bob@example.net")
    reply = email.message_from_bytes(data, policy=email.policy.default)
    assert reply["To"].addresses[0].addr_spec == "bob@example.net"
    assert reply["In-Reply-To"] == "<0@x>"
    assert reply["Auto-Submitted"].startswith("auto-replied")
    assert reply["Date"].datetime.year > 2000
    assert re.fullmatch(r"<[^<>@]+@mx\.example\.org>", reply["Message-ID"])
    assert len(reply.get_all("Date")) == len(reply.get_all("Message-ID")) == 1
    assert "I am away" in reply.get_content()


def test_why_says_why_no_second_reply_went_out(world):
    world.user("alice", script=VACATION.format(options=":days 7"))
    world.deliver("alice@example.org", mail(id_="<1@x>"))
    world.deliver("alice@example.org", mail(id_="<2@x>"))
    (left,) = world.journal.find("<2@x>")[0]["not_done"]
    assert left == {"action": "vacation", "line": 1, "why": "bob@example.net has had this answer in the last 7 days"}


def test_the_interval_ends(world, monkeypatch):
    world.user("alice", script=VACATION.format(options=":days 7"))
    world.deliver("alice@example.org", mail(id_="<1@x>"))
    real = __import__("time").time
    monkeypatch.setattr("sievemda.delivery.recall.time.time", lambda: real() + 7 * 86_400 + 1)
    world.deliver("alice@example.org", mail(id_="<2@x>"))
    assert len(world.outgoing()) == 2


@pytest.mark.parametrize(
    ("who", "extra"), [(sender(""), ""), (sender(), "List-Id: <l.x>\n"), (sender("mailer-daemon@x"), "")]
)
def test_a_reply_that_must_not_be_is_noted_with_its_reason(world, who, extra):
    world.user("alice", script=VACATION.format(options=""))
    world.deliver("alice@example.org", mail(extra=extra), who)
    assert world.outgoing() == []
    assert world.journal.find("<1@x>")[0]["not_done"][0]["why"]


@pytest.mark.parametrize(
    ("to", "named"), [("alice+news@example.org", "alice@example.org"), ("ALICE@example.org", "Alice@Example.ORG")]
)
def test_mail_to_the_users_own_address_is_answered(world, to, named):
    world.user("alice", script=VACATION.format(options=""))
    world.deliver(to, mail(named))
    assert len(world.outgoing()) == 1


def test_mail_through_an_alias_is_answered_for_the_original_recipient(world):
    world.user("alice", script=VACATION.format(options=""))
    answers = [
        world.deliverer.verify(sender(), recipient("alice@x", orcpt_type="rfc822", orcpt="info@example.org"), PEER)
    ]
    content = world.content(mail("info@example.org"), answers)
    world.deliverer.deliver(sender(), PEER, answers, content)
    assert len(world.outgoing()) == 1


def test_two_users_answer_the_same_sender(world):
    for user in ("alice", "carol"):
        world.user(user, script=VACATION.format(options=""))
        world.deliver(f"{user}@example.org", mail(f"{user}@example.org"))
    assert len(world.outgoing()) == 2


def test_a_reply_that_could_not_be_sent_is_tried_with_the_next_message(world, monkeypatch):
    world.user("alice", script=VACATION.format(options=""))
    with monkeypatch.context() as patch:
        patch.setattr(world.outbox, "put", lambda _: (_ for _ in ()).throw(OSError(28, "full")))
        assert world.deliver("alice@example.org", mail(id_="<1@x>")) == [OK]
    world.deliver("alice@example.org", mail(id_="<2@x>"))
    assert len(world.outgoing()) == 1


# --- notices of rejection ---


def notice(world, who=None, **more):
    world.user("alice", script='require "reject"; reject "Größe: zu groß.\r\n.\r\nBye";')
    world.deliver("alice@x", message(body="line\n\nFrom here\n"), who or sender(), **more)
    ((envelope, data),) = world.outgoing()
    return envelope, email.message_from_bytes(data, policy=email.policy.default)


def test_a_notice_is_a_report_with_its_three_parts(world):
    envelope, report = notice(world)
    assert (envelope["kind"], envelope["from"], envelope["to"]) == ("reject", "", "bob@example.net")
    assert report.get_content_type() == "multipart/report"
    assert report.get_param("report-type") == "disposition-notification"
    assert [part.get_content_type() for part in report.iter_parts()] == [
        "text/plain",
        "message/disposition-notification",
        "message/rfc822",
    ]
    assert report.defects == []
    assert report["Auto-Submitted"] == "auto-replied (rejected)"
    assert report["From"] == "Postmaster <postmaster@mx.example.org>"
    assert report["To"] == "bob@example.net"


def test_a_notice_keeps_the_text_and_the_whole_original(world):
    _, report = notice(world)
    text, _machine, original = report.iter_parts()
    assert "Größe: zu groß.\n.\nBye" in text.get_content()
    inner = original.get_content()
    assert inner["Message-ID"] == "<1@example.net>"
    assert inner["Return-Path"] is None
    assert inner.get_content() == "line\n\nFrom here\n"


@pytest.mark.parametrize(
    ("changes", "more", "expected"),
    [
        ({}, {}, "Final-Recipient: rfc822; alice@x"),
        ({}, {"orcpt_type": "rfc822", "orcpt": "info@x"}, "Original-Recipient: rfc822; info@x"),
        ({"sieve_mdn_private": True}, {}, "Final-Recipient: x-sievemda-session; s1"),
        ({}, {}, "Disposition: automatic-action/MDN-sent-automatically; deleted"),
        ({}, {}, "Original-Message-ID: <1@example.net>"),
    ],
)
def test_a_notice_tells_machines_what_happened(make_world, changes, more, expected):
    world = make_world(**changes)
    notice(world, **more)
    assert expected.encode() in world.outgoing()[0][1]


def test_a_private_notice_does_not_name_the_recipient(make_world):
    world = make_world(sieve_mdn_private=True)
    notice(world)
    assert b"alice@x" not in world.outgoing()[0][1]


def test_a_reason_cannot_make_fields_or_parts_of_its_own(world):
    world.user("alice", script='require "reject"; reject "ä\r\n\r\n--=_x\r\nContent-Type: text/evil\r\n\r\n";')
    world.deliver("alice@x", message())
    report = email.message_from_bytes(world.outgoing()[0][1], policy=email.policy.default)
    assert len(list(report.iter_parts())) == 3


# --- notices of success ---


def successes(world):
    return [
        email.message_from_bytes(data, policy=email.policy.default)
        for envelope, data in world.outgoing()
        if envelope["kind"] == "success"
    ]


def test_a_sender_who_asked_is_told_that_the_message_was_delivered(world):
    world.user("alice")
    world.deliver(
        "alice@x", message(), sender(envid="QQ 1"), notify=("SUCCESS", "FAILURE"), orcpt_type="rfc822", orcpt="info@x"
    )
    ((envelope, _),) = world.outgoing()
    assert (envelope["from"], envelope["to"]) == ("", "bob@example.net")
    (report,) = successes(world)
    _text, machine, original = report.iter_parts()
    per_message, per_recipient = machine.get_payload()
    assert per_message["Original-Envelope-Id"] == "QQ 1"
    assert per_recipient["Original-Recipient"] == "rfc822;info@x"
    assert per_recipient["Final-Recipient"] == "rfc822; alice@x"
    assert per_recipient["Action"] == "delivered"
    assert per_recipient["Status"] == "2.0.0"
    assert original.get_content_type() == "text/rfc822-headers"
    assert report.defects == []


@pytest.mark.parametrize(
    ("who", "notify"),
    [(sender(), ()), (sender(), ("FAILURE", "DELAY")), (sender(), ("NEVER",)), (sender(""), ("SUCCESS",))],
)
def test_nobody_else_is_told(world, who, notify):
    world.user("alice")
    world.deliver("alice@x", message(), who, notify=notify)
    assert world.outgoing() == []


def test_a_message_that_was_sent_on_is_relayed(world):
    world.user("alice", script='redirect "away@example.net";')
    world.deliver("alice@x", message(), notify=("SUCCESS",))
    assert "Action: relayed" in successes(world)[0].as_string()


@pytest.mark.parametrize("script", ['require "reject"; reject "no";', 'require "reject"; reject "nö";'])
def test_a_refused_message_is_no_success(world, script):
    world.user("alice", script=script)
    world.deliver("alice@x", message(), notify=("SUCCESS",))
    assert successes(world) == []


def test_a_notice_that_cannot_be_sent_changes_nothing(world, monkeypatch):
    world.user("alice")
    monkeypatch.setattr(world.outbox, "put", lambda _: (_ for _ in ()).throw(OSError(28, "full")))
    assert world.deliver("alice@x", message(), notify=("SUCCESS",)) == [OK]
    assert len(world.files("user/alice")) == 1


def test_what_the_sender_wants_to_know_goes_with_a_redirect(world):
    world.user("alice", script='redirect "away@example.net";')
    world.deliver(
        "alice@x", message(), sender(ret="FULL", envid="E"), notify=("NEVER",), orcpt_type="rfc822", orcpt="info@x"
    )
    told = world.outgoing()[0][0]["dsn"]
    assert {name: value for name, value in told.items() if value} == {
        "full": True,
        "envid": "E",
        "orcpt": "rfc822;info@x",
        "notify": "NEVER",
        "ret": "FULL",
    }
