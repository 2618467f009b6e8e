"""What single settings change, each on a site of its own."""

import contextlib
import os
import signal
import sqlite3
import time

import pytest

from tests.outcomes.site import Client, Site, message
from tests.ports import free_port


@pytest.fixture
def start(tmp_path):
    sites = []

    def start(*settings, options=()):
        site = Site(tmp_path / "d", settings)
        sites.append(site)
        return site.start(*options)

    yield start
    for site in sites:
        assert site.stop() == 0, site.words()
        assert "Traceback" not in site.words(), site.words()


def test_strict_quota_counts_the_message_itself(start):
    site = start("lmtp_strict_quota=yes")
    site.user("alice")
    site.cli("quota", "set", "user/alice", "STORAGE", "1", "MESSAGE", "2")
    assert site.deliver("alice@x", message("<a@x>") + b"x" * 2000 + b"\r\n")[0].startswith("452 4.2.2")
    assert site.files("user/alice") == []


def test_strict_quota_refuses_the_declared_size_at_rcpt(start):
    site = start("lmtp_strict_quota=yes")
    site.user("alice")
    site.cli("quota", "set", "user/alice", "STORAGE", "1", "MESSAGE", "1")
    with Client(site.socket) as c:
        c.hello()
        c.say("MAIL FROM:<a@b> SIZE=5000")
        assert c.say("RCPT TO:<alice@x>").split("\n")[-1].startswith("452 4.2.2")
        c.say("RSET")
        c.say("MAIL FROM:<a@b> SIZE=500")
        assert c.say("RCPT TO:<alice@x>").startswith("250")
    assert site.deliver("alice@x", message("<a@x>"))[0].startswith("250")
    assert site.deliver("alice@x", message("<b@x>"))[0].startswith("452")


def test_over_quota_may_be_permanent(start):
    site = start("lmtp_over_quota_perm_failure=yes")
    site.user("alice")
    site.cli("quota", "set", "user/alice", "MESSAGE", "0")
    site.deliver("alice@x", message("<a@x>"))
    assert site.deliver("alice@x", message("<b@x>"))[0].split("\n")[-1].startswith("552 5.2.2")


def test_with_suppression_off_every_copy_is_stored(start):
    site = start("duplicatesuppression=no")
    site.user("alice")
    for _ in range(2):
        site.deliver("alice@x", message("<a@x>"))
    assert len(site.files("user/alice")) == 2


def test_the_catch_all_gets_what_nobody_has(start):
    site = start("lmtp_catchall_mailbox=carol")
    site.user("carol")
    site.user("alice")
    site.cli("quota", "set", "user/alice", "MESSAGE", "0")
    assert site.deliver("nobody+x@x", message("<a@x>"))[0].startswith("250")
    site.deliver("alice@x", message("<b@x>"))
    assert site.deliver("alice@x", message("<c@x>"))[0].startswith("452")
    assert len(site.files("user/carol")) == 1


def test_a_named_post_user(start):
    site = start("postuser=bb")
    site.cli("mailbox", "create", "board")
    site.cli("acl", "set", "board", "anyone", "lrsp")
    assert site.deliver("bb+board@x", message("<a@x>"))[0].startswith("250")
    assert site.deliver("bb@x", message("<b@x>"))[0].split("\n")[-1].startswith("550 5.1.1")
    assert site.deliver("+board@x", message("<c@x>"))[0].split("\n")[-1].startswith("550 5.1.1")
    assert len(site.files("board")) == 1


def test_virtual_domains_are_different_users(start):
    site = start("virtdomains=userid", "defaultdomain=example.org")
    for user in ("alice", "alice@a.example", "l@a.example"):
        site.cli("mailbox", "create", f"user/{user}")
    site.cli("mailbox", "create", "user/l/Projects@a.example")
    site.cli("acl", "set", "user/l/Projects@a.example", "anyone", "p")
    codes = {
        who: site.deliver(who, message(f"<{n}@x>"))[0].split("\n")[-1][:3]
        for n, who in enumerate(
            ["alice@example.org", "alice@A.example", "alice", "alice@b.example", "l+Projects@a.example"]
        )
    }
    assert codes == {
        "alice@example.org": "250",
        "alice@A.example": "250",
        "alice": "250",
        "alice@b.example": "550",
        "l+Projects@a.example": "250",
    }
    assert len(site.files("user/alice")) == 2
    assert len(site.files("user/alice@a.example")) == 1
    assert len(site.files("user/l/Projects@a.example")) == 1
    listed = site.cli("mailbox", "list").splitlines()
    assert "user/l/Projects@a.example" in listed


def test_dots_as_separators(start):
    site = start("unixhierarchysep=no")
    site.user("alice", "Lists")
    site.cli("mailbox", "create", "user.alice.Lists.python")
    site.cli("acl", "set", "user.alice.Lists.python", "anyone", "p")
    site.deliver("alice+Lists.python@x", message("<a@x>"))
    assert len(site.files("user.alice.Lists.python")) == 1
    assert "user.alice.Lists.python" in site.cli("mailbox", "list").splitlines()


def test_without_the_alternative_namespace_folders_lie_below_inbox(start):
    site = start("altnamespace=no")
    site.user("alice", "Lists", script='require "fileinto"; fileinto "INBOX/Lists";')
    site.deliver("alice@x", message("<a@x>"))
    assert len(site.files("user/alice/Lists")) == 1


def test_an_account_makes_itself(start):
    site = start("autocreate_quota=1000", "autocreate_post=yes", "autocreate_inbox_folders=Sent|Junk", "admins=cyrus")
    assert site.deliver("newbie@x", message("<a@x>"))[0].startswith("250")
    assert len(site.files("user/newbie")) == 1
    assert {"user/newbie/Sent", "user/newbie/Junk"} <= set(site.cli("mailbox", "list").splitlines())
    assert "user/newbie" in site.cli("quota", "list")
    for nobody in ("cyrus@x", "anonymous@x", "anyone@x"):
        assert site.deliver(nobody, message("<b@x>"))[0].split("\n")[-1].startswith("550")


def test_a_fuzzy_detail_finds_its_relative(start):
    site = start("lmtp_fuzzy_mailbox_match=yes")
    site.user("alice", "My-Lists")
    site.deliver("alice+my_lists/nope@x", message("<a@x>"))
    assert len(site.files("user/alice/My-Lists")) == 1


def test_copies_instead_of_links(start):
    site = start("singleinstancestore=no")
    site.user("alice")
    site.user("bob")
    site.deliver(["alice@x", "bob@x"], message("<a@x>"))
    assert site.files("user/alice")[0].stat().st_nlink == 1
    assert site.files("user/alice")[0].read_bytes() == site.files("user/bob")[0].read_bytes()


def test_eight_bit_headers_may_be_refused(start):
    site = start("reject8bit=yes")
    site.user("alice")
    assert site.deliver("alice@x", b"Subject: \xe4\r\n\r\nx\r\n")[0].startswith("554 5.6.0")
    assert site.deliver("alice@x", "Subject: \u00e4\r\n\r\nx\r\n".encode(), parameters="SMTPUTF8")[0].startswith("250")


def test_a_message_too_large_is_refused_once_per_recipient_and_the_session_goes_on(start):
    site = start("maxmessagesize=1000")
    site.user("alice")
    site.user("bob")
    with Client(site.socket) as c:
        assert "SIZE 1000" in c.hello()
        assert c.say("MAIL FROM:<a@b> SIZE=1001").startswith("552 5.2.3")
        replies = c.transaction(["alice@x", "bob@x"], message("<a@x>") + b"x" * 2000 + b"\r\n")
        assert [r[:9] for r in replies] == ["552 5.2.3", "552 5.2.3"]
        assert [r[:3] for r in c.transaction(["alice@x"], message("<b@x>"))] == ["250"]


def test_tcp_needs_authentication_or_trust(start):
    port = free_port()
    start(options=("--lmtp", f"inet:127.0.0.1:{port}"))
    with Client(port) as c:
        c.hello()
        assert c.say("MAIL FROM:<a@b>").startswith("430 5.7.0")


def test_a_trusted_network_needs_none(start):
    port = free_port()
    site = start("lmtp_trusted_networks=127.0.0.0/8", options=("--lmtp", f"inet:127.0.0.1:{port}"))
    site.user("alice")
    with Client(port) as c:
        c.hello()
        assert c.transaction(["alice@x"], message("<a@x>"))[0].startswith("250")


def test_without_soft_noauth_it_is_530(start):
    port = free_port()
    start("soft_noauth=no", options=("--lmtp", f"inet:127.0.0.1:{port}"))
    with Client(port) as c:
        c.hello()
        assert c.say("MAIL FROM:<a@b>").startswith("530 5.7.0")


def test_a_broken_delivery_memory_is_451_and_nothing_is_stored(start):
    site = start()
    site.user("alice")
    site.deliver("alice@x", message("<a@x>"))
    memory = site.data / "state" / "deliver.db"
    saved = memory.with_name("saved")
    with contextlib.closing(sqlite3.connect(memory)) as database:
        database.execute("VACUUM INTO ?", [str(saved)])
    for path in memory.parent.glob("deliver.db*"):
        path.unlink()
    memory.write_bytes(b"this is no database" * 1000)
    assert site.deliver("alice@x", message("<b@x>"))[0].startswith("451")
    assert len(site.files("user/alice")) == 1
    saved.replace(memory)  # at once, as the server may look at any time
    assert site.deliver("alice@x", message("<b@x>"))[0].startswith("250")
    assert len(site.files("user/alice")) == 2


def test_a_broken_journal_harms_no_delivery(start):
    site = start()
    site.user("alice")
    journal = site.data / "state" / "journal.db"
    for path in journal.parent.glob("journal.db*"):
        path.unlink()
    journal.mkdir(parents=True)
    assert site.deliver("alice@x", message("<a@x>"))[0].startswith("250")
    assert len(site.files("user/alice")) == 1


def test_anysievefolder_makes_what_is_missing(start):
    site = start("anysievefolder=yes")
    site.user("alice", script='require "fileinto"; fileinto "Fresh";')
    site.deliver("alice@x", message("<a@x>"))
    assert len(site.files("user/alice/Fresh")) == 1


def test_special_use_folders_that_take_no_deliveries(start):
    site = start()
    site.user("alice")
    site.cli("mailbox", "create", "user/alice/Drafts", "--special-use", "\\Drafts")
    site.cli("acl", "set", "user/alice/Drafts", "anyone", "p")
    site.deliver("alice+Drafts@x", message("<a@x>"))
    assert site.files("user/alice/Drafts") == []
    assert len(site.files("user/alice")) == 1


def test_a_second_partition(start, tmp_path):
    site = start(f"partition-fast={tmp_path / 'fast'}")
    site.cli("mailbox", "create", "user/alice", "--partition", "fast")
    site.user("bob")
    site.deliver(["alice@x", "bob@x"], message("<a@x>"))
    assert str(site.files("user/alice")[0]).startswith(str(tmp_path / "fast"))
    assert len(site.files("user/bob")) == 1
    site.cli("mailbox", "rename", "user/alice", "user/alice", "--partition", "default")
    assert str(site.files("user/alice")[0]).startswith(str(site.data))
    site.deliver("alice@x", message("<a@x>"))
    assert len(site.files("user/alice")) == 1


def test_kill_minus_nine_and_start_again(start):
    site = start()
    site.user("alice")
    assert site.stop(signal.SIGKILL) == -9
    with contextlib.suppress(OSError, EOFError):
        while True:  # the workers are ending
            Client(site.socket).close()
    site.start()
    assert site.deliver("alice@x", message("<a@x>"))[0].startswith("250")


def test_a_transaction_under_way_is_finished_at_sigterm(start):
    site = start()
    site.user("alice")
    with Client(site.socket) as c:
        c.hello()
        c.say("MAIL FROM:<a@b>")
        c.say("RCPT TO:<alice@x>")
        c.say("DATA")
        c.send(message("<a@x>"))
        os.kill(site.process.pid, signal.SIGTERM)
        time.sleep(0.5)
        c.send(b".\r\n")
        assert c.reply().startswith("250")
        assert site.process.wait(60) == 0
    site.process = None
    site.log.close()
    files = list((site.data / "mail/user/alice/Maildir/new").iterdir())
    assert len(files) == 1


def test_sighup_reads_the_settings_again(start):
    site = start()
    (site.data / "sievemda.toml").write_text("[delivery]\nduplicatesuppression = false\n")
    site.user("alice")
    site.deliver("alice@x", message("<a@x>"))
    os.kill(site.process.pid, signal.SIGHUP)
    until = time.monotonic() + 60
    while time.monotonic() < until:
        site.deliver("alice@x", message("<a@x>"))
        if len(site.files("user/alice")) > 1:
            return
        time.sleep(0.1)
    raise AssertionError("the new setting did not come into force")
