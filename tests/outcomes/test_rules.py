"""Quota, duplicates, scripts, and the form of what is stored."""

import re

import pytest

from tests.outcomes.site import Client, message

# --- quota ---


def test_over_quota_is_452_at_rcpt_and_the_other_recipient_gets_the_message(site, name, fresh):
    site.user(name)
    site.user(name + "b")
    site.cli("quota", "set", f"user/{name}", "MESSAGE", "0")
    site.deliver(f"{name}@x", message("<fill@x>"))
    replies = site.deliver([f"{name}@x", f"{name}b@x"], message(fresh))
    assert replies[0].split("\n")[-1].startswith("452 4.2.2")
    assert replies[1].startswith("250")
    assert len(site.files(f"user/{name}")) == 1
    assert len(site.files(f"user/{name}b")) == 1


def test_exactly_at_the_limit_one_more_is_taken(site, name):
    site.user(name)
    site.cli("quota", "set", f"user/{name}", "MESSAGE", "2")
    codes = [site.deliver(f"{name}@x", message(f"<q{i}@{name}>"))[0][:3] for i in range(4)]
    assert codes == ["250", "250", "250", "452"]


def test_ignorequota_is_for_one_recipient(site, name, fresh):
    site.user(name)
    site.cli("quota", "set", f"user/{name}", "MESSAGE", "0")
    site.deliver(f"{name}@x", message("<ign@x>"))
    assert site.deliver(f"<{name}@x> IGNOREQUOTA", message(fresh))[0].startswith("250")


def test_mail_expunged_by_somebody_else_makes_room(site, name, fresh):
    site.user(name)
    site.cli("quota", "set", f"user/{name}", "MESSAGE", "1")
    for i in range(2):
        site.deliver(f"{name}@x", message(f"<e{i}@{name}>"))
    assert site.deliver(f"{name}@x", message(fresh))[0].startswith("452")
    for file in site.files(f"user/{name}"):
        file.unlink()
    assert site.deliver(f"{name}@x", message(fresh))[0].startswith("250")


def test_a_full_detail_folder_falls_back_to_the_inbox(site, name, fresh):
    site.user(name, "F")
    site.cli("quota", "set", f"user/{name}/F", "MESSAGE", "0")
    site.deliver(f"{name}+F@x", message(f"<f0@{name}>"))
    assert site.deliver(f"{name}+F@x", message(fresh))[0].startswith("250")
    assert len(site.files(f"user/{name}/F")) == 1
    assert len(site.files(f"user/{name}")) == 1


def test_usage_is_counted_in_bytes_and_messages(site, name, fresh):
    site.user(name)
    site.cli("quota", "set", f"user/{name}", "STORAGE", "1000")
    site.deliver(f"{name}@x", message(fresh))
    size = site.files(f"user/{name}")[0].stat().st_size
    assert re.search(r",S=(\d+)", site.files(f"user/{name}")[0].name)[1] == str(size)
    lines = (site.folder(f"user/{name}") / "maildirsize").read_text().split("\n")
    assert lines[0].startswith("1024000S")
    assert sum(int(line.split()[0]) for line in lines[1:] if line.strip()) == size


# --- duplicates ---


def test_the_same_message_twice_is_stored_once(site, name, fresh):
    site.user(name)
    assert [site.deliver(f"{name}@x", message(fresh))[0][:3] for _ in range(2)] == ["250", "250"]
    assert len(site.files(f"user/{name}")) == 1


def test_the_same_message_to_inbox_and_folder_is_stored_in_both(site, name, fresh):
    site.user(name, "F")
    site.deliver([f"{name}@x", f"{name}+F@x"], message(fresh))
    assert len(site.files(f"user/{name}")) == len(site.files(f"user/{name}/F")) == 1


def test_user_and_missing_detail_in_one_transaction_give_one_copy(site, name, fresh):
    site.user(name)
    replies = site.deliver([f"{name}@x", f"{name}+missing@x"], message(fresh))
    assert [r[:3] for r in replies] == ["250", "250"]
    assert len(site.files(f"user/{name}")) == 1


def test_the_same_id_with_another_date_is_another_message(site, name, fresh):
    site.user(name)
    site.deliver(f"{name}@x", message(fresh))
    site.deliver(f"{name}@x", message(fresh).replace(b"10:00:00", b"11:00:00"))
    assert len(site.files(f"user/{name}")) == 2


def test_a_message_without_an_id_is_never_a_duplicate(site, name):
    site.user(name)
    for _ in range(2):
        site.deliver(f"{name}@x", b"From: a@b\r\nSubject: x\r\n\r\nBody\r\n")
    assert len(site.files(f"user/{name}")) == 2


def test_renaming_keeps_the_memory_and_making_anew_forgets_it(site, name, fresh):
    site.user(name, "F")
    site.deliver(f"{name}+F@x", message(fresh))
    site.cli("mailbox", "rename", f"user/{name}/F", f"user/{name}/G")
    site.deliver(f"{name}+G@x", message(fresh))
    assert len(site.files(f"user/{name}/G")) == 1
    site.cli("mailbox", "delete", f"user/{name}/G", "--yes")
    site.cli("mailbox", "create", f"user/{name}/G")
    site.cli("acl", "set", f"user/{name}/G", "anyone", "p")
    site.deliver(f"{name}+G@x", message(fresh))
    assert len(site.files(f"user/{name}/G")) == 1


def test_an_over_quota_duplicate_is_refused_not_suppressed(site, name, fresh):
    site.user(name)
    site.cli("quota", "set", f"user/{name}", "MESSAGE", "0")
    site.deliver(f"{name}@x", message(fresh))
    assert site.deliver(f"{name}@x", message(fresh))[0].startswith("452")


# --- one file for all ---


def test_two_recipients_share_one_file(site, name, fresh):
    site.user(name)
    site.user(name + "b")
    site.deliver([f"{name}@x", f"{name}b@x"], message(fresh))
    a, b = site.files(f"user/{name}")[0], site.files(f"user/{name}b")[0]
    assert a.samefile(b)
    assert a.stat().st_nlink == 2


def test_nothing_is_left_beside_the_message(site, name, fresh):
    site.user(name)
    site.deliver([f"{name}@x"], message(fresh))
    assert not [p for p in site.everything_below() if "stage" in str(p) or "/tmp/" in str(p.relative_to(site.data))]


# --- damage ---


@pytest.mark.parametrize("damage", ["a link to elsewhere", "a file"])
def test_a_mailbox_whose_new_is_no_directory_is_broken_and_nothing_leaves_it(site, name, fresh, damage):
    site.user(name)
    new = site.folder(f"user/{name}") / "new"
    elsewhere = site.data.parent / f"elsewhere-{name}"
    elsewhere.mkdir()
    new.rmdir()
    if damage == "a file":
        new.write_text("")
    else:
        new.symlink_to(elsewhere)
    assert site.deliver(f"{name}@x", message(fresh))[0].startswith("451 4.2.0")
    assert list(elsewhere.iterdir()) == []
    new.unlink()
    assert site.deliver(f"{name}@x", message(fresh))[0].startswith("250")
    assert len(site.files(f"user/{name}")) == 1


# --- scripts ---


SORTER = 'require ["fileinto", "imap4flags"]; if header :contains "subject" "form" {{ fileinto {flags} "{box}"; }}'


def test_a_script_files_the_message(site, name, fresh):
    site.user(name, "Lists", open_to_all=False, script=SORTER.format(box="Lists", flags=""))
    site.deliver(f"{name}@x", message(fresh, "a form"))
    site.deliver(f"{name}@x", message("<other@x>", "else"))
    assert len(site.files(f"user/{name}/Lists")) == 1
    assert len(site.files(f"user/{name}")) == 1


def test_flags_and_keywords_are_in_the_name(site, name, fresh):
    site.user(
        name, "L", script=SORTER.format(box="L", flags=':flags ["\\\\\\\\Seen", "work"]').replace("\\\\\\\\", "\\\\")
    )
    site.deliver(f"{name}@x", message(fresh, "a form"))
    (file,) = site.files(f"user/{name}/L")
    assert file.parent.name == "cur"
    assert file.name.endswith(":2,Sa")
    assert (site.folder(f"user/{name}/L") / "dovecot-keywords").read_text() == "0 work\n"


def test_a_missing_folder_is_a_failure_that_lands_in_the_inbox_with_a_keyword(site, name, fresh):
    site.user(name, script=SORTER.format(box="Nowhere", flags=""))
    assert site.deliver(f"{name}@x", message(fresh, "a form"))[0].startswith("250")
    (file,) = site.files(f"user/{name}")
    assert file.name.endswith(":2,a")
    assert "$SieveFailed" in (site.folder(f"user/{name}") / "dovecot-keywords").read_text()


def test_a_broken_active_script_lands_in_the_inbox_with_a_keyword(site, name, fresh):
    site.user(name, script="keep;")
    (site.folder(f"user/{name}").parent / "sieve" / "main.sieve").write_text("if {")
    assert site.deliver(f"{name}@x", message(fresh))[0].startswith("250")
    assert "$SieveFailed" in (site.folder(f"user/{name}") / "dovecot-keywords").read_text()


def test_reject_is_per_recipient_with_every_line_of_the_reason(site, name, fresh):
    site.user(name, script='require "reject"; reject "Go away.\r\nPlease.";')
    site.user(name + "b")
    replies = site.deliver([f"{name}@x", f"{name}b@x"], message(fresh))
    assert [line[:9] for line in replies[0].split("\n")][-1] == "550 5.7.1"
    assert "Go away." in replies[0]
    assert "Please." in replies[0]
    assert replies[1].startswith("250")


def test_discard_answers_250_and_stores_nothing(site, name, fresh):
    site.user(name, script="discard;")
    assert site.deliver(f"{name}@x", message(fresh))[0].startswith("250")
    assert site.files(f"user/{name}") == []


def test_keep_and_fileinto_copy_to_the_same_place_give_one_message(site, name, fresh):
    site.user(name, script='require ["fileinto", "copy"]; fileinto :copy "INBOX"; keep;')
    site.deliver(f"{name}@x", message(fresh))
    assert len(site.files(f"user/{name}")) == 1


def test_the_owner_files_where_strangers_may_not(site, name, fresh):
    site.user(name, "P", open_to_all=False, script='require "fileinto"; fileinto "P";')
    site.deliver(f"{name}@x", message(fresh))
    assert len(site.files(f"user/{name}/P")) == 1


def test_fileinto_needs_the_owners_p(site, name, fresh):
    site.user(name, "P", open_to_all=False, script='require "fileinto"; fileinto "P";')
    site.cli("acl", "set", f"user/{name}/P", name, "lrswi")
    site.deliver(f"{name}@x", message(fresh))
    assert site.files(f"user/{name}/P") == []
    assert "$SieveFailed" in (site.folder(f"user/{name}") / "dovecot-keywords").read_text()


def test_keep_with_a_detail_needs_the_posters_right_and_fails_visibly(site, name, fresh):
    site.user(name, "F", open_to_all=False, script="keep;")
    site.deliver(f"{name}+F@x", message(fresh))
    assert site.files(f"user/{name}/F") == []
    assert "$SieveFailed" in (site.folder(f"user/{name}") / "dovecot-keywords").read_text()


def test_keep_with_a_detail_finds_the_folder(site, name, fresh):
    site.user(name, "F", script="keep;")
    site.deliver(f"{name}+F@x", message(fresh))
    assert len(site.files(f"user/{name}/F")) == 1


def test_create_makes_and_subscribes_the_folder(site, name, fresh):
    site.user(name, script='require ["fileinto", "mailbox"]; fileinto :create "New/Deep";')
    site.deliver(f"{name}@x", message(fresh))
    assert len(site.files(f"user/{name}/New/Deep")) == 1


@pytest.mark.parametrize(
    "box", ["../evil", "/etc/x", "a//b", "Other Users/zz/x", "Shared Folders/nope", "x\u0000y", "." * 300, "#y"]
)
def test_a_hostile_mailbox_name_lands_in_the_inbox(site, name, fresh, box):
    script = f'require ["fileinto", "mailbox", "encoded-character"]; fileinto :create "{box}";'
    script = script.replace("\u0000", "${hex: 01}")
    site.user(name, script=script)
    assert site.deliver(f"{name}@x", message(fresh))[0].startswith("250")
    assert len(site.files(f"user/{name}")) == 1
    assert not (site.data / "mail" / "user" / "evil").exists()


# --- why ---


def test_why_tells_what_happened_in_terms_of_the_script(site, name, fresh):
    site.user(name, "Lists", script=SORTER.format(box="Lists", flags=""))
    site.deliver(f"{name}@x", message(fresh, "a form"))
    told = site.cli("why", fresh)
    assert "Lists" in told
    assert "a form" in told
    assert "line 1: header is true" in told


def test_why_tells_of_everybody_the_message_was_for(site, name, fresh):
    site.user(name)
    site.user(name + "full")
    site.cli("quota", "set", f"user/{name}full", "MESSAGE", "0")
    site.deliver(f"{name}full@x", message("<fill@x>"))
    site.deliver([f"{name}@x", f"{name}full@x", "nobody@x"], message(fresh))
    told = site.cli("why", fresh)
    assert f"stored in user/{name}, " in told
    assert "over quota" in told
    assert "no such user" in told


def test_why_knows_nothing_of_a_stranger(site):
    assert site.cli("why", "<never@seen>", code=67) == ""


# --- what is stored ---


def test_trace_fields_come_first_and_in_order(site, name, fresh):
    site.user(name)
    site.deliver(f"{name}@x", message(fresh, extra="Return-Path: <old@x>\r\n"), sender="<bob@example.net>")
    text = site.files(f"user/{name}")[0].read_text()
    names = re.findall(r"(?m)^([A-Za-z-]+):", text.split("\n\n")[0])
    assert names[:2] == ["Return-Path", "Received"]
    assert names.count("Return-Path") == 1
    assert text.startswith("Return-Path: <bob@example.net>\nReceived: from client.example.net")
    assert "with LMTPA" in text
    assert "X-Sieve:" in text
    assert "\r" not in text


def test_a_missing_id_and_date_are_added_at_the_end(site, name):
    site.user(name)
    site.deliver(f"{name}@x", b"Subject: x\r\n\r\nBody\r\n")
    header = site.files(f"user/{name}")[0].read_text().split("\n\n")[0].split("\n")
    assert {line.split(":")[0] for line in header[-2:]} == {"Message-ID", "Date"}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"Subject: a\0b\r\n\r\nx\r\n", "554 5.6.0"),
        (b"Subject: a\r\n\r\nx\0\r\n", "554 5.6.0"),
        (b"Message-ID:\r\nSubject: a\r\n\r\nx\r\n", "554 5.6.0"),
        (b"Message-ID:  \r\n\r\nx\r\n", "554 5.6.0"),
        (b"this is no header\r\n\r\nx\r\n", "554 5.6.0"),
        (b"Subject: a\r\nno colon here\r\n\r\nx\r\n", "554 5.6.0"),
        (b" folded first\r\n\r\nx\r\n", "554 5.6.0"),
        (b"\r\nonly a body\r\n", "250"),
        (b"", "250"),
        (b"Subject: only a header\r\n", "250"),
        (b"Subject: bare\nLF\r\n\r\nx\r\n", "554 5.6.0"),
        (b"Subject: bare\nX-Y: LF\r\n\r\nx\r\n", "250"),
        (b"Subject: a\r b\r\n\r\nx\ry\r\n", "250"),
        (b"Subject: \xc3\xa4\xff\r\n\r\nx\r\n", "250"),
        (b"Subject: x\r\n\r\n\xff\xfe body\r\n", "250"),
        (b"From me@x Mon Jan  1\r\nSubject: x\r\n\r\nx\r\n", "250"),
        (b"Subject: long\r\n\r\n" + b"x" * 100_000 + b"\r\n", "250"),
    ],
)
def test_odd_messages_follow_stated_rules(site, name, data, code):
    site.user(name)
    assert site.deliver(f"{name}@x", data)[0].startswith(code)
    assert len(site.files(f"user/{name}")) == (1 if code == "250" else 0)


def test_eight_bit_headers_become_x(site, name):
    site.user(name)
    site.deliver(f"{name}@x", b"Subject: a\xc3\xa4b\r\n\r\n\xc3\xa4\r\n")
    stored = site.files(f"user/{name}")[0].read_bytes()
    assert b"Subject: aXXb\n" in stored
    assert stored.endswith(b"\xc3\xa4\n")


def test_eight_bit_headers_stay_under_smtputf8(site, name):
    site.user(name)
    site.deliver(f"{name}@x", "Subject: a\u00e4b \U0001f600\r\n\r\nx\r\n".encode(), parameters="SMTPUTF8")
    assert "Subject: a\u00e4b \U0001f600\n".encode() in site.files(f"user/{name}")[0].read_bytes()


def test_dots_are_unstuffed_and_bare_line_ends_end_nothing(site, name):
    site.user(name)
    with Client(site.socket) as c:
        c.hello()
        c.say("MAIL FROM:<>")
        c.say(f"RCPT TO:<{name}@x>")
        c.say("DATA")
        c.send(b"Subject: x\r\n\r\n..one\r\n\n.\nMAIL FROM:<evil@x>\r\n.\n\n.\r\nend\r\n.\r\n")
        assert c.reply().startswith("250")
        assert c.say("NOOP").startswith("250")
    stored = site.files(f"user/{name}")[0].read_bytes()
    assert b"\n.one\n" in stored
    assert b"MAIL FROM:<evil@x>" in stored
    assert stored.endswith(b"end\n")
    assert stored.startswith(b"Return-Path: <>\n")


def test_a_line_of_100_kb_arrives_whole(site, name, fresh):
    site.user(name)
    site.deliver(f"{name}@x", message(fresh) + b"y" * 100_000 + b"\r\n")
    assert site.files(f"user/{name}")[0].read_bytes().endswith(b"\n" + b"y" * 100_000 + b"\n")


def test_a_large_message_goes_through_whole(site, name, fresh):
    site.user(name)
    body = (b"z" * 76 + b"\r\n") * 120_000
    assert site.deliver(f"{name}@x", message(fresh) + body)[0].startswith("250")
    assert site.files(f"user/{name}")[0].read_bytes().endswith(body.replace(b"\r\n", b"\n"))
