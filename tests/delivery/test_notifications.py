"""Notifications, abuse reports and copies of our mail, as far as the outbox; redirects with DSN and Deliver-By."""

import email
import email.policy
import errno
import json
import time

import pytest

from sievemda.mail.result import Result
from tests.delivery.world import message, sender

OK = Result.DELIVERED
NOTIFY = 'require ["enotify", "fcc", "mailbox", "imap4flags"]; '
REPORT = 'require "vnd.dovecot.report"; report "abuse" "Spam." "abuse@example.net";'


def parsed(data):
    return email.message_from_bytes(data, policy=email.policy.default)


def not_done(world, id_="<1@example.net>"):
    return [(one["action"], one["why"]) for one in world.journal.find(id_)[-1]["not_done"]]


def did(world, id_="<1@example.net>"):
    return [one["action"] for one in world.journal.find(id_)[-1]["done"]]


# --- notify ---


def test_a_notification_leaves_for_each_recipient_and_the_message_is_kept(world):
    world.user("alice", script=NOTIFY + 'notify :message "Mail!" "mailto:a@example.net?cc=b@example.net";')
    assert world.deliver("alice@x", message()) == [OK]
    assert len(world.files("user/alice")) == 1
    (one, first), (other, second) = sorted(world.outgoing(), key=lambda found: found[0]["to"])
    assert [one["to"], other["to"]] == ["a@example.net", "b@example.net"]
    assert {one["kind"], other["kind"]} == {"notify"}
    assert one["from"] == "postmaster@mx.example.org"
    assert first == second
    found = parsed(first)
    assert found["Subject"] == "Mail!"
    assert found["Auto-Submitted"] == 'auto-notified; owner-email="alice@x"'
    assert found["Date"]
    assert found["Message-ID"].endswith("@mx.example.org>")
    assert did(world) == ["implicit keep", "notify"]


def test_a_delivery_that_is_tried_again_tells_nobody_twice(world):
    world.user("alice", script=NOTIFY + 'notify "mailto:a@example.net";')
    world.deliver("alice@x", message())
    world.deliver("alice@x", message())
    assert len(world.outgoing()) == 1
    assert ("notify", "mailto:a@example.net was already told of it") in not_done(world)


def test_another_message_is_told_of(world):
    world.user("alice", script=NOTIFY + 'notify "mailto:a@example.net";')
    world.deliver("alice@x", message())
    world.deliver("alice@x", message("<2@example.net>"))
    assert len(world.outgoing()) == 2


def test_what_a_program_sent_is_told_of_to_nobody(world):
    world.user("alice", script=NOTIFY + 'notify "mailto:a@example.net";')
    world.deliver("alice@x", message(extra="Auto-Submitted: auto-notified\n"))
    assert world.outgoing() == []
    assert not_done(world)[0][1].startswith("message was sent by a program")


def test_a_notification_about_a_message_from_nobody_is_from_nobody(world):
    world.user("alice", script=NOTIFY + 'notify :from "alice@example.org" "mailto:a@example.net";')
    world.deliver("alice@x", message(), sender(""))
    assert world.outgoing()[0][0]["from"] == ""


def test_a_notification_goes_out_beside_a_refusal(world):
    world.user("alice", script='require ["reject", "enotify"]; reject "no"; notify "mailto:a@example.net";')
    assert world.deliver("alice@x", message()) == [Result.REJECTED]
    assert [envelope["kind"] for envelope, _ in world.outgoing()] == ["notify"]


def test_a_notification_that_the_outbox_cannot_take_is_no_failure(world, monkeypatch):
    """RFC 5435 §3.8."""
    world.user("alice", script=NOTIFY + 'notify "mailto:a@example.net";')
    monkeypatch.setattr(world.outbox, "put", _full)
    assert world.deliver("alice@x", message()) == [OK]
    assert len(world.files("user/alice")) == 1
    assert world.keywords("user/alice") == []
    assert not_done(world)[0][0] == "notify"


def _full(_outgoing):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_nothing_leaves_when_the_script_fails(world):
    world.user("alice", script=NOTIFY + 'notify "mailto:a@example.net"; notify "tel:+1";')
    world.deliver("alice@x", message())
    assert world.outgoing() == []
    assert world.keywords("user/alice") == ["$SieveFailed"]


def test_the_address_of_a_user_may_be_a_template(make_world):
    world = make_world(sieve_user_email="{local}@mail.example.org")
    world.user("alice", script=NOTIFY + 'notify "mailto:a@example.net";')
    world.deliver("alice@x", message())
    ((envelope, data),) = world.outgoing()
    assert envelope["from"] == "alice@mail.example.org"
    assert parsed(data)["From"] == "alice@mail.example.org"


def test_a_webhook_goes_into_the_outbox_as_json(make_world):
    world = make_world(sieve_notify_https_hosts=("hooks.example.net",))
    world.user(
        "alice", script=NOTIFY + 'notify :importance "1" :options "a=b" :message "Grüße" "https://hooks.example.net/x";'
    )
    world.deliver("alice@x", message())
    ((envelope, data),) = world.outgoing()
    assert (envelope["kind"], envelope["to"]) == ("webhook", "https://hooks.example.net/x")
    told = json.loads(data)
    assert (told["message"], told["importance"], told["options"], told["owner"]) == ("Grüße", 1, {"a": "b"}, "alice@x")
    assert told["time"]


# --- copies ---


def test_a_copy_of_a_notification_is_what_was_sent(world):
    world.user("alice", "Sent", script=NOTIFY + 'notify :fcc "Sent" :flags "\\\\Seen" "mailto:a@example.net";')
    world.deliver("alice@x", message())
    (copy,) = world.files("user/alice/Sent")
    assert copy.read_bytes() == world.outgoing()[0][1]
    assert copy.name.endswith(":2,S")
    assert did(world) == ["implicit keep", "notify", "fcc"]


def test_a_copy_of_an_answer_is_what_was_sent(world):
    """RFC 8580 §4: Date is required."""
    world.user(
        "alice",
        script='require ["vacation", "fcc", "mailbox"]; vacation :create :fcc "Sent" :addresses "alice@example.org" "away";',
    )
    world.deliver("alice@x", message())
    (copy,) = world.files("user/alice/Sent")
    assert copy.read_bytes() == world.outgoing()[0][1]
    assert parsed(copy.read_bytes())["Date"]


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (NOTIFY + 'notify :fcc "Nowhere" "mailto:a@example.net";', "notify"),
        ('require ["vacation", "fcc"]; vacation :fcc "Nowhere" :addresses "alice@example.org" "away";', "vacation"),
    ],
)
def test_a_copy_that_cannot_be_kept_stops_nothing(world, script, kind):
    world.user("alice", script=script)
    assert world.deliver("alice@x", message()) == [OK]
    assert [envelope["kind"] for envelope, _ in world.outgoing()] == [kind]
    assert not_done(world) == [("fcc", "there is no such mailbox")]
    assert world.keywords("user/alice") == []


def test_a_copy_needs_the_owners_right(world):
    """CVE-2026-47082: a copy is no way around an ACL."""
    world.user("alice", script=NOTIFY + 'notify :fcc "Other Users/carol/Private" "mailto:a@example.net";')
    world.user("carol", "Private", acl=None)
    world.deliver("alice@x", message())
    assert world.files("user/carol/Private") == []
    assert not_done(world)[0][0] == "fcc"


def test_a_copy_of_a_webhook_holds_its_message(make_world):
    world = make_world(sieve_notify_https_hosts=("hooks.example.net",))
    world.user("alice", "Sent", script=NOTIFY + 'notify :fcc "Sent" :message "hi" "https://hooks.example.net/x";')
    world.deliver("alice@x", message())
    (copy,) = world.files("user/alice/Sent")
    assert parsed(copy.read_bytes()).get_content() == "hi\n\nhttps://hooks.example.net/x\n"


# --- report ---


def test_a_report_leaves_from_nobody_with_the_message(world):
    world.user("alice", script=REPORT)
    assert world.deliver("alice@x", message(body="Buy!\n")) == [OK]
    ((envelope, data),) = world.outgoing()
    assert (envelope["kind"], envelope["from"], envelope["to"]) == ("report", "", "abuse@example.net")
    found = parsed(data)
    assert found["From"] == "Postmaster <postmaster@mx.example.org>"
    assert found["Date"]
    assert [part.get_content_type() for part in found.iter_parts()] == [
        "text/plain",
        "message/feedback-report",
        "message/rfc822",
    ]
    assert b"Buy!\n" in data
    assert len(world.files("user/alice")) == 1


def test_a_report_is_sent_once(world):
    world.user("alice", script=REPORT)
    world.deliver("alice@x", message())
    world.deliver("alice@x", message())
    assert len(world.outgoing()) == 1
    assert ("report", "abuse@example.net has had this report already") in not_done(world)


def test_a_report_of_the_header_alone_is_well_formed(world):
    world.user("alice", script=REPORT.replace("report ", "report :headers_only "))
    world.deliver("alice@x", message(body="Buy!\n"))
    ((_, data),) = world.outgoing()
    assert b"Buy!" not in data
    assert [part.get_content_type() for part in parsed(data).iter_parts()][2] == "text/rfc822-headers"


def test_no_report_goes_to_the_owner(world):
    world.user("alice", script=REPORT.replace("abuse@example.net", "alice@x"))
    world.deliver("alice@x", message())
    assert world.outgoing() == []
    assert not_done(world) == [("report", "it would go to the owner of the script")]


# --- redirect with wishes ---


def options_of(world):
    return {name: value for name, value in world.outgoing()[0][0]["dsn"].items() if value}


def test_what_the_script_wants_to_know_goes_with_a_redirect(world):
    """RFC 6009 §6.1: in the owner's name, and without what the sender wanted to know."""
    world.user(
        "alice", script='require "redirect-dsn"; redirect :notify "SUCCESS,FAILURE" :ret "HDRS" "away@example.net";'
    )
    world.deliver("alice@x", message(), sender(ret="FULL", envid="E"), notify=("NEVER",))
    assert world.outgoing()[0][0]["from"] == "alice@x"
    assert options_of(world) == {"failure": True, "notify": "SUCCESS,FAILURE", "ret": "HDRS"}


def test_who_wants_to_hear_of_nothing_gets_no_bounce(world):
    world.user("alice", script='require "redirect-dsn"; redirect :notify "NEVER" "away@example.net";')
    world.deliver("alice@x", message())
    assert options_of(world) == {"notify": "NEVER"}


def test_a_time_limit_goes_with_a_redirect(world):
    world.user(
        "alice", script='require "redirect-deliverby"; redirect :bytimerelative 600 :bytrace "away@example.net";'
    )
    world.deliver("alice@x", message())
    told = options_of(world)
    assert (told["by_mode"], told["by_trace"]) == ("R", True)
    assert abs(told["by_until"] - time.time() - 600) < 60


def test_the_site_may_choose_the_envelope_sender_of_redirects(make_world):
    world = make_world(sieve_redirect_envelope_from="recipient")
    world.user("alice", script='redirect "away@example.net";')
    world.deliver("alice@x", message())
    assert world.outgoing()[0][0]["from"] == "alice@x"


def test_the_mark_of_a_redirect_names_the_user(make_world):
    world = make_world(sieve_user_email="{user}@mail.example.org")
    world.user("alice", script='redirect "away@example.net";')
    world.deliver("alice@x", message())
    assert b"X-Sieve-Redirected-From: alice@mail.example.org\n" in world.outgoing()[0][1]
