"""A site as its administrator sets it up with commands: boards with scripts, accounts that make themselves, a user who
is shut out; what the MTA is told and where messages are.
"""

import pytest

from tests.outcomes.site import Client, message

SIEVE = "/shared/vendor/cmu/cyrus-imapd/sieve"
SETTINGS = (
    "sieve_global=global",
    "autocreate_quota=10M",
    "autocreate_quota_messages=2",
    "autocreate_post=yes",
    "autocreate_users=" + " ".join(f"u{number}" for number in range(1, 1000)),
    "autocreate_inbox_folders=Sent | Spam | Plus",
    "autocreate_subscribe_folders=Sent|Spam",
    "autocreate_subscribe_sharedfolders_all=yes",
    "autocreate_acl=Plus anyone p",
    "xlist-junk=Spam",
    "xlist-sent=Sent",
)


@pytest.fixture
def board(site, name):
    """Makes a board that all may post to, with this script."""

    def make(script):
        (site.data / "global").mkdir(exist_ok=True)
        (site.data / "global" / f"{name}.sieve").write_text(script)
        site.cli("mailbox", "create", f"b{name}")
        site.cli("acl", "set", f"b{name}", "anyone", "lrsp")
        site.cli("mailbox", "metadata", f"b{name}", SIEVE, name)
        return f"b{name}"

    return make


def test_a_board_with_a_script_that_files_elsewhere(site, board, name, fresh):
    site.cli("mailbox", "create", f"archive{name}")
    site.cli("acl", "set", f"archive{name}", "anyone", "lp")
    script = f'require "fileinto"; if header :contains "subject" "old" {{ fileinto "archive{name}"; }}'
    news = board(script)
    assert site.deliver(f"+{news}@x", message(fresh, "something old"))[0].startswith("250 2.1.5")
    assert site.deliver(f"+{news}@x", message("n" + fresh, "something new"))[0].startswith("250 2.1.5")
    assert (len(site.files(news)), len(site.files(f"archive{name}"))) == (1, 1)


def test_a_board_with_a_script_that_rejects(site, board, fresh):
    news = board('require "reject"; if size :over 10 { reject "too long\nfor us"; }')
    reply = site.deliver(f"+{news}@x", message(fresh))[0].split("\n")
    assert reply == ["550-5.7.1 too long", "550 5.7.1 for us"]
    assert site.files(news) == []


def test_a_board_whose_script_is_missing_keeps_the_message_and_why_tells(site, board, fresh):
    news = board("discard;")
    site.cli("mailbox", "metadata", news, SIEVE, "nothere")
    assert site.deliver(f"+{news}@x", message(fresh))[0].startswith("250 2.1.5")
    assert len(site.files(news)) == 1
    assert "nothere" in site.cli("why", fresh)


def test_a_new_account_is_whole_when_its_first_message_is_there(site, name, fresh):
    site.cli("mailbox", "create", f"b{name}")
    assert site.deliver(f"{name}+Plus@x", message(fresh))[0].startswith("250 2.1.5")
    assert len(site.files(f"user/{name}/Plus")) == 1
    assert site.cli("mailbox", "list", f"user/{name}*").split() == [
        f"user/{name}", f"user/{name}/Plus", f"user/{name}/Sent", f"user/{name}/Spam",
    ]  # fmt: skip
    assert set(site.cli("acl", "list", f"user/{name}/Plus").splitlines()) == {f"{name} lrswipkxtecdan", "anyone p"}
    shown = site.cli("mailbox", "subscriptions", name).split()
    assert {f"user/{name}", f"user/{name}/Sent", f"user/{name}/Spam", f"b{name}"} <= set(shown)
    assert f"user/{name}/Plus" not in shown
    assert "10240" in site.cli("quota", "list", f"user/{name}")


def test_the_limit_of_a_new_account_holds(site, name):
    replies = [site.deliver(f"{name}@x", message(f"<{name}-{number}@x>"))[0][:9] for number in range(4)]
    assert replies == ["250 2.1.5", "250 2.1.5", "250 2.1.5", "452 4.2.2"]


def test_who_is_not_to_have_an_account_is_unknown(site, fresh):
    assert site.deliver("stranger@x", message(fresh))[0].split("\n")[-1].startswith("550 5.1.1")


def test_mail_for_who_is_shut_out_waits(site, name, fresh):
    site.user(name)
    site.cli("account", "deny", name, "--service", "lmtp", "--message", "being moved")
    with Client(site.socket) as client:
        client.hello()
        client.say("MAIL FROM:<bob@example.net>")
        assert client.say(f"RCPT TO:<{name}@x>").startswith("451 4.2.1")
        assert client.say(f"RCPT TO:<{name}+x@x>").startswith("451 4.2.1")
    site.cli("account", "allow", name)
    assert site.deliver(f"{name}@x", message(fresh))[0].startswith("250 2.1.5")
    assert len(site.files(f"user/{name}")) == 1


def test_a_mailbox_that_asks_for_duplicates_gets_them(site, name, fresh):
    site.user(name)
    site.cli("mailbox", "metadata", f"user/{name}", "/shared/vendor/cmu/cyrus-imapd/duplicatedeliver", "true")
    for _ in range(2):
        assert site.deliver(f"{name}@x", message(fresh))[0].startswith("250 2.1.5")
    assert len(site.files(f"user/{name}")) == 2
