"""Mail from a client of the Internet through Postfix into the Maildirs."""

from __future__ import annotations

import smtplib

import pytest

from tests.interop.dovecot import Dovecot
from tests.interop.postfix import Postfix
from tests.interop.sink import Sink
from tests.interop.site import Site, message, message_id

NULL = "<>"  # as aiosmtpd calls the null reverse-path


def test_mail_for_a_detail_folder_that_anyone_may_post_to_is_found_there(
    site: Site, postfix: Postfix, dovecot: Dovecot, user: str
) -> None:
    site.cli("mailbox", "create", f"user/{user}/Lists")
    site.cli("acl", "set", f"user/{user}/Lists", "anyone", "p")
    content = message("Into the folder")

    postfix.send(content, f"{user}+Lists@example.org")
    site.wait_for(user, "Lists")

    with dovecot.login(user) as imap:
        assert b"Into the folder" in imap.body("Lists")
        assert imap.choose("INBOX") == 0


def test_mail_for_a_detail_folder_without_the_right_to_post_is_found_in_the_inbox(
    site: Site, postfix: Postfix, dovecot: Dovecot, user: str
) -> None:
    site.cli("mailbox", "create", f"user/{user}/Lists")

    postfix.send(message(), f"{user}+Lists@example.org")
    site.wait_for(user)

    with dovecot.login(user) as imap:
        assert imap.choose("INBOX") == 1
        assert imap.choose("Lists") == 0


def test_one_message_for_two_recipients_is_one_file_with_two_links(
    site: Site, virtual_postfix: Postfix, user: str, new_name
) -> None:
    other = site.user(new_name("user"))

    virtual_postfix.send(message(), f"{user}@example.org", f"{other}@example.org")
    [mine], [theirs] = site.wait_for(user), site.wait_for(other)

    assert mine.stat().st_ino == theirs.stat().st_ino
    assert mine.stat().st_nlink == 2


def test_the_same_message_sent_twice_is_stored_once(site: Site, postfix: Postfix, user: str) -> None:
    content = message()
    for _ in range(2):
        postfix.send(content, f"{user}@example.org")
    marker = message()
    postfix.send(marker, f"{user}@example.org")

    postfix.wait_empty()
    files = site.wait_for(user, count=2)

    assert sorted(file.read_bytes().count(message_id(content).encode()) for file in files) == [0, 1]


def test_a_user_over_quota_waits_in_the_queue_while_the_other_recipient_is_served(
    site: Site, virtual_postfix: Postfix, user: str, new_name
) -> None:
    full = site.user(new_name("full"))
    site.cli("quota", "set", f"user/{full}", "MESSAGE", "0")
    site.lmtp(message(), f"{full}@example.org")  # at its limit, it takes one more
    content = message()

    with virtual_postfix.smtp(virtual_postfix.outgoing_port) as client:
        client.sendmail("bob@example.net", [f"{full}@example.org", f"{user}@example.org"], content)
    site.wait_for(user)
    site.wait_for(full)

    assert len(site.files(full)) == 1
    assert "status=deferred" in virtual_postfix.wait_status(f"{full}@example.org")
    assert "452 4.2.2" in virtual_postfix.status_of(f"{full}@example.org")

    site.cli("quota", "set", f"user/{full}")
    virtual_postfix.wait_empty()
    assert len(site.files(full)) == 2


def test_an_unknown_user_is_refused_before_postfix_takes_the_message(site: Site, postfix: Postfix) -> None:
    with postfix.smtp() as client, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        client.sendmail("bob@example.net", ["nobody.here@example.org"], message())

    code, text = refused.value.recipients["nobody.here@example.org"]
    assert code == 550
    assert b"5.1.1" in text


def test_a_post_to_a_board_without_the_right_is_refused(site: Site, postfix: Postfix, new_name) -> None:
    board = new_name("board")
    site.cli("mailbox", "create", board)

    with postfix.smtp() as client, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        client.sendmail("bob@example.net", [f"+{board}@example.org"], message())

    code, text = refused.value.recipients[f"+{board}@example.org"]
    assert code == 550
    assert b"5.7.1" in text


def test_a_post_to_an_open_board_is_read_over_imap_by_everybody(
    site: Site, postfix: Postfix, dovecot: Dovecot, user: str, new_name
) -> None:
    board = new_name("board")
    site.cli("mailbox", "create", board)
    site.cli("acl", "set", board, "anyone", "lrsp")

    postfix.send(message("For all to read"), f"+{board}@example.org")
    site.wait_for(None, board)

    with dovecot.login(user) as imap:
        assert b"For all to read" in imap.body(f"Shared Folders/{board}")


def test_an_internationalised_message_keeps_its_header(
    site: Site, postfix: Postfix, dovecot: Dovecot, user: str
) -> None:
    content = message(From="Bøb <bøb@example.net>", Subject="Grüße 🐧")

    postfix.send(content, f"{user}@example.org", sender="bøb@example.net", mail_options=["SMTPUTF8", "BODY=8BITMIME"])
    site.wait_for(user)

    with dovecot.login(user) as imap:
        body = imap.body()
    assert "Subject: Grüße 🐧\r\n".encode() in body
    assert "Return-Path: <bøb@example.net>\r\n".encode() in body


def test_the_original_recipient_of_a_dsn_request_reaches_the_journal(
    site: Site, virtual_postfix: Postfix, user: str
) -> None:
    content = message()

    virtual_postfix.send(
        content, f"{user}@example.org", rcpt_options=["NOTIFY=NEVER", "ORCPT=rfc822;First+2BName@example.com"]
    )
    site.wait_for(user)

    assert "First+Name@example.com" in site.cli("why", "--json", message_id(content))


def test_why_explains_the_delivery_in_lines_of_the_script(site: Site, postfix: Postfix, user: str) -> None:
    site.cli("mailbox", "create", f"user/{user}/Work")
    site.script(user, 'require "fileinto";\nif header :contains "subject" "report" {\n    fileinto "Work";\n}\n')
    content = message(Subject="the report")

    postfix.send(content, f"{user}@example.org")
    site.wait_for(user, "Work")

    told = site.why(content)
    assert "Work" in told
    assert "line 2" in told
    assert "the report" in told


def test_a_message_that_the_script_rejects_comes_back_to_its_sender(
    site: Site, virtual_postfix: Postfix, sink: Sink, user: str, new_name
) -> None:
    site.script(user, 'require "ereject";\nereject "No mail on Sundays";\n')
    sender = f"{new_name('sender')}@example.net"

    virtual_postfix.send(message(), f"{user}@example.org", sender=sender)

    bounce = sink.wait_for(sender)
    assert bounce.mail_from == NULL
    assert b"No mail on Sundays" in bounce.original_content
    assert site.files(user) == []


def test_a_redirected_message_leaves_with_its_sender_unchanged(
    site: Site, virtual_postfix: Postfix, sink: Sink, user: str, new_name
) -> None:
    away = f"{new_name('away')}@example.net"
    site.script(user, f'redirect "{away}";\n')

    virtual_postfix.send(message("To be passed on"), f"{user}@example.org", sender="carol@example.net")

    passed = sink.wait_for(away)
    assert passed.mail_from == "carol@example.net"
    assert b"To be passed on" in passed.original_content
    assert site.files(user) == []


def test_the_notices_that_a_redirect_asks_for_come_to_the_owner_of_the_script(
    site: Site, virtual_postfix: Postfix, sink: Sink, user: str, new_name
) -> None:
    """RFC 6009 §6: the next host but one has no DSN, so Postfix itself tells of the relaying."""
    away = f"{new_name('away')}@example.net"
    script = 'require "redirect-dsn"; if not header "Auto-Submitted" "auto-replied" {\n'
    site.script(user, script + f'redirect :notify "SUCCESS" :ret "HDRS" "{away}"; }}\n')

    virtual_postfix.send(message("Tell me"), f"{user}@example.org", sender="carol@example.net")

    assert sink.wait_for(away).mail_from == f"{user}@example.org"
    [notice] = site.wait_for(user)
    text = notice.read_bytes()
    assert b"report-type=delivery-status" in text
    assert b"Action: relayed" in text
    assert away.encode() in text


def test_a_redirect_that_asks_for_no_notices_fails_in_silence(
    site: Site, virtual_postfix: Postfix, sink: Sink, user: str, new_name
) -> None:
    site.script(user, 'require ["redirect-dsn", "copy"]; redirect :copy :notify "NEVER" "nobody@localhost";\n')

    virtual_postfix.send(message("A private copy"), f"{user}@example.org", sender="carol@example.net")
    virtual_postfix.wait_status("nobody@localhost")
    virtual_postfix.wait_empty()

    site.wait_for(user)
    assert len(site.files(user)) == 1


def test_a_vacation_reply_goes_to_the_sender_once(
    site: Site, virtual_postfix: Postfix, sink: Sink, user: str, new_name
) -> None:
    site.script(user, 'require "vacation";\nvacation :subject "Away" "Back on Monday";\n')
    sender = f"{new_name('sender')}@example.net"
    for _ in range(2):
        virtual_postfix.send(message(to=f"{user}@example.org"), f"{user}@example.org", sender=sender)

    reply = sink.wait_for(sender)
    site.wait_for(user, count=2)
    last = f"{new_name('last')}@example.net"
    virtual_postfix.send(message(to=f"{user}@example.org"), f"{user}@example.org", sender=last)
    sink.wait_for(last)

    assert reply.mail_from == NULL
    assert b"Auto-Submitted: auto-replied" in reply.original_content
    assert b"Back on Monday" in reply.original_content
    assert len([one for one in sink.received if sender in one.rcpt_tos]) == 1


def test_a_message_waits_for_a_server_that_is_down(site: Site, local_postfix: Postfix, user: str) -> None:
    site.stop()
    try:
        with local_postfix.smtp(local_postfix.outgoing_port) as client:
            client.sendmail("bob@example.net", [f"{user}@example.org"], message())
        assert "status=deferred" in local_postfix.wait_status(f"{user}@example.org")
    finally:
        site.start()

    local_postfix.wait_empty()
    assert len(site.files(user)) == 1
