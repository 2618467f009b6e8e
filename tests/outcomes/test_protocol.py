"""LMTP as the peer sees it."""

import pytest

from tests.outcomes.site import Client, message

LONG = "x" * 3000


def test_the_list_of_lhlo(site):
    with Client(site.socket) as c:
        assert c.greeting.startswith("220 ")
        words = [line[4:].split()[0] for line in c.hello().split("\n")[1:]]
        assert {"PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8", "SIZE", "DSN", "IGNOREQUOTA"} <= set(words)
        assert "STARTTLS" not in words


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("HELO x", "500 5.5.2"),
        ("EHLO x", "500 5.5.2"),
        ("HELP", "500 5.5.2"),
        ("XYZZY", "500 5.5.2"),
        ("", "500 5.5.2"),
        ("NOOP arg", "500 5.5.2"),
        ("NOOP", "250 2.0.0"),
        ("noop", "250 2.0.0"),
        ("VRFY x", "252 2.3.3"),
        ("RSET", "250 2.0.0"),
        ("DATA", "503 5.5.1"),
        ("RCPT TO:<a@b>", "503 5.5.1"),
        ("MAIL", "501 5.5.4"),
        ("MAIL TO:<a@b>", "501 5.5.4"),
        ("MAIL FROM: <a@b>", "501 5.5.4"),
        ("MAIL FROM:a@b", "501 5.5.4"),
        ("MAIL FROM:<a@b", "501 5.5.4"),
        ("MAIL FROM:<a b@c>", "501 5.5.4"),
        ("MAIL FROM:<a@b@c>", "501 5.5.4"),
        ("MAIL FROM:<\u00e4@b>", "501 5.5.4"),
        ("MAIL FROM:<a@b> SIZE", "501 5.5.2"),
        ("MAIL FROM:<a@b> SIZE=", "501 5.5.2"),
        ("MAIL FROM:<a@b> SIZE=x", "501 5.5.2"),
        ("MAIL FROM:<a@b> SIZE=99999999999999", "552 5.2.3"),
        ("MAIL FROM:<a@b> BODY=BINARYMIME", "501 5.5.4"),
        ("MAIL FROM:<a@b> BODY=", "501 5.5.4"),
        ("MAIL FROM:<a@b> FOO", "555 5.5.4"),
        ("MAIL FROM:<a@b> FOO=bar", "555 5.5.4"),
        ("MAIL FROM:<a@b> AUTH=a+zz", "501 5.5.4"),
        ("MAIL FROM:<a@b> RET=ALL", "501 5.5.4"),
        ("MAIL FROM:<a@b> ENVID=+", "501 5.5.4"),
        ("MAIL FROM:<a@b> SIZE=1 SIZE=2", "501 5.5.4"),
        ("MAIL FROM:<a@b> SMTPUTF8=yes", "501 5.5.4"),
        ("MAIL FROM:<>", "250 2.1.0"),
        ("mail from:<a@b> size=100 body=8bitmime", "250 2.1.0"),
        ("MAIL FROM:<a@b> RET=HDRS ENVID=x+2By SMTPUTF8 AUTH=<>", "250 2.1.0"),
        (LONG, "500 5.5.2"),
    ],
)
def test_a_command_gets_its_reply_and_the_session_goes_on(site, command, reply):
    with Client(site.socket) as c:
        c.hello()
        assert c.say(command).split("\n")[-1].startswith(reply)
        assert c.say("NOOP").startswith("250")


@pytest.mark.parametrize(
    ("parameters", "reply"),
    [
        ("", "250 2.1.5"),
        (" NOTIFY=NEVER", "250 2.1.5"),
        (" NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;old+2Bx@y", "250 2.1.5"),
        (" notify=never", "250 2.1.5"),
        (" NOTIFY=NEVER,FAILURE", "501 5.5.4"),
        (" NOTIFY=", "501 5.5.4"),
        (" NOTIFY=SOON", "501 5.5.4"),
        (" ORCPT=x", "501 5.5.4"),
        (" ORCPT=rfc822;a+2", "501 5.5.4"),
        (" IGNOREQUOTA", "250 2.1.5"),
        (" IGNOREQUOTA=yes", "501 5.5.4"),
        (" WHAT", "555 5.5.4"),
        (" NOTIFY=NEVER NOTIFY=NEVER", "501 5.5.4"),
    ],
)
def test_parameters_of_rcpt(site, name, parameters, reply):
    site.user(name)
    with Client(site.socket) as c:
        c.hello()
        c.say("MAIL FROM:<a@b>")
        assert c.say(f"RCPT TO:<{name}@x>{parameters}").split("\n")[-1].startswith(reply)
        assert c.say("NOOP").startswith("250")


def test_a_refused_mail_leaves_no_transaction(site):
    with Client(site.socket) as c:
        c.hello()
        assert c.say("MAIL FROM:<a@b> FOO").startswith("555")
        assert c.say("RCPT TO:<a@b>").startswith("503")
        assert c.say("MAIL FROM:<a@b>").startswith("250")
        assert c.say("MAIL FROM:<a@b>").startswith("503 5.5.1")


def test_everything_may_be_pipelined(site, name, fresh):
    site.user(name)
    with Client(site.socket) as c:
        c.send(
            f"LHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<{name}@x>\r\nRCPT TO:<nobody@x>\r\nRCPT TO:<{name}@x>\r\nDATA\r\n"
        )
        c.reply()
        assert [c.reply().split("\n")[-1][:3] for _ in range(5)] == ["250", "250", "550", "250", "354"]
        c.send(message(fresh) + b".\r\nNOOP\r\nQUIT\r\n")
        assert [c.reply()[:3] for _ in range(4)] == ["250", "250", "250", "221"]
    assert len(site.files(f"user/{name}")) == 1


def test_one_reply_for_each_of_many_recipients_in_order(site, name, fresh):
    site.user(name)
    site.user(name + "r", script='require "reject"; reject "no";')
    who = [name, name + "r"] * 20
    replies = site.deliver([f"{n}@x" for n in who], message(fresh))
    assert [r.split("\n")[-1][:3] for r in replies] == ["250", "550"] * 20


def test_two_thousand_recipients_leave_nothing_behind(site, name):
    site.user(name)
    with Client(site.socket) as c:
        c.hello()
        c.say("MAIL FROM:<a@b>")
        c.send("".join(f"RCPT TO:<{name}@x>\r\n" for _ in range(2000)))
        codes = [c.reply().split("\n")[-1][:9] for _ in range(2000)]
        assert set(codes) == {"250 2.1.5", "452 4.5.3"}
        assert c.say("RSET").startswith("250")
        assert c.say("NOOP").startswith("250")
    assert site.files(f"user/{name}") == []


def test_a_client_that_goes_away_in_data_leaves_nothing_behind(site, name):
    site.user(name)
    for size in (10, 1_000_000):
        with Client(site.socket) as c:
            c.hello()
            c.say("MAIL FROM:<a@b>")
            c.say(f"RCPT TO:<{name}@x>")
            c.say("DATA")
            c.send(b"Subject: x\r\n\r\n" + b"y" * size)
    with Client(site.socket) as c:
        assert c.hello().startswith("250")
    import time

    for _ in range(1200):
        if not [p for p in site.everything_below() if "stage" in str(p)]:
            break
        time.sleep(0.05)
    assert not [p for p in site.everything_below() if "stage" in str(p)]
    assert site.files(f"user/{name}") == []


def test_replies_tell_nothing_of_the_inside(site, name, fresh):
    site.user(name)
    folder = site.folder(f"user/{name}")
    for sub in ("new", "cur", "tmp"):
        (folder / sub).rmdir()
    folder.rename(folder.with_name("moved"))
    folder.write_text("not a directory")
    reply = site.deliver(f"{name}@x", message(fresh))[0]
    assert reply[:3] in {"451", "550"}
    assert str(site.data) not in reply
    assert "Error" not in reply.replace("Internal error", "")
