"""Mail that scripts send, from LMTP to the program that takes it."""

import email
import email.policy
import time

import pytest

from tests.outcomes.site import Client, Site, message

OWN = ':addresses "alice@example.org"'


class Sent:
    """A site whose mail goes to a program that keeps it."""

    def __init__(self, base, *settings):
        self.folder = base / "sent"
        self.folder.mkdir()
        program = base / "program"
        program.write_text(
            f'#!/bin/sh\nprintf "%s\\n" "$@" > {self.folder}/arguments.$$\ncat > {self.folder}/new.$$\nmv {self.folder}/new.$$ {self.folder}/message.$$\n'
        )
        program.chmod(0o755)
        self.site = Site(base / "d", (f"sendmail={program}", *settings))
        self.site.start()

    def messages(self, count):
        """So many messages, and who gets them."""
        deadline = time.monotonic() + 60
        while len(found := sorted(self.folder.glob("message.*"))) < count:
            assert time.monotonic() < deadline, (found, self.site.words())
            time.sleep(0.05)
        whole = []
        for file in found:
            arguments = (self.folder / file.name.replace("message", "arguments")).read_text().splitlines()
            parsed = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            whole.append((arguments, parsed))
        return whole


@pytest.fixture
def sent(tmp_path):
    made = []

    def make(*settings):
        made.append(Sent(tmp_path, *settings))
        return made[-1]

    yield make
    for one in made:
        assert one.site.stop() == 0, one.site.words()
        assert "Traceback" not in one.site.words(), one.site.words()


def test_notify_answer_copy_and_report(sent, fresh):
    world = sent()
    script = f"""
    require ["enotify", "vacation", "fcc", "mailbox", "imap4flags", "vnd.dovecot.report", "redirect-dsn", "copy"];
    notify :message "You got mail" "mailto:phone@example.net";
    vacation {OWN} :fcc "Sent" :create :flags "\\\\Seen" "I am away";
    report "abuse" "Spam." "abuse@example.net";
    redirect :copy :notify "NEVER" "copy@example.net";
    """
    world.site.user("alice", script=script)
    assert world.site.deliver("alice@x", message(fresh))[0].startswith("250")
    assert len(world.site.files("user/alice")) == 1
    found = {arguments[-1]: (arguments, mail) for arguments, mail in world.messages(4)}
    assert set(found) == {"phone@example.net", "bob@example.net", "abuse@example.net", "copy@example.net"}
    assert found["phone@example.net"][1]["Subject"] == "You got mail"
    assert found["bob@example.net"][0][1:3] == ["-f", "<>"]
    assert found["abuse@example.net"][1].get_param("report-type") == "feedback-report"
    assert found["copy@example.net"][0] == ["-i", "-N", "never", "-f", "alice@x", "--", "copy@example.net"]
    (copy,) = world.site.files("user/alice/Sent")
    assert copy.name.endswith(":2,S")
    assert found["bob@example.net"][1]["Message-ID"].encode() in copy.read_bytes()
    told = world.site.cli("why", fresh)
    assert "notify" in told
    assert "report" in told


def test_by_when_a_message_is_wanted_where_the_site_asks_for_it(sent, fresh):
    world = sent("lmtp_deliverby=yes")
    world.site.user(
        "alice",
        "Urgent",
        script='require ["envelope", "envelope-deliverby", "fileinto"]; if envelope "bymode" "return" { fileinto "Urgent"; }',
    )
    with Client(world.site.socket) as client:
        assert "250-DELIVERBY" in client.hello()
        assert client.transaction(["alice@x"], message(fresh), parameters=" BY=600;R")[0].startswith("250")
    assert len(world.site.files("user/alice/Urgent")) == 1


def test_nobody_is_told_that_it_is_asked_for_otherwise(sent):
    world = sent()
    with Client(world.site.socket) as client:
        assert "DELIVERBY" not in client.hello()
        assert client.say("MAIL FROM:<bob@example.net> BY=600;R").startswith("555 5.5.4")


def test_a_message_that_has_come_back_is_kept(sent, fresh):
    world = sent()
    world.site.user("alice", script='redirect "away@example.net";')
    data = b"X-Sieve-Redirected-From: <alice@x>\n" + message(fresh)
    assert world.site.deliver("alice@x", data)[0].startswith("250")
    assert len(world.site.files("user/alice")) == 1
    assert "loop" in world.site.cli("why", fresh)
