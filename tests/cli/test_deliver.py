"""`deliver` against the real server, and against a scripted one for what the real one does not say."""

import socket
import subprocess
import threading

import pytest

from sievemda.cli.deliver import _recipients
from sievemda.configload import load
from sievemda.errors import ConfigurationError
from sievemda.lmtp.client import stuffed
from tests.lmtp.test_data import run as unstuffed
from tests.serve.service import SIEVEMDA, Service

MESSAGE = "From: bob@example.net\nSubject: hello\nMessage-ID: <{}@x>\n\nbody\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    made = Service(tmp_path_factory.mktemp("deliver"), "--workers", "1", sets=("postuser=bb",))
    for mailbox in ("user/alice", "user/alice/Lists", "user/alice/Team", "user/bob", "user/full", "board"):
        made.cli("mailbox", "create", mailbox)
    made.cli("acl", "set", "user/alice/Lists", "anyone", "p")
    made.cli("acl", "set", "user/alice/Team", "fred", "p")
    made.cli("acl", "set", "board", "anyone", "p")
    made.cli("quota", "set", "user/full", "MESSAGE", "0")
    made.start()
    made.send("Subject: fills it\r\n\r\nx\r\n", ["full"])
    yield made
    made.stop()
    made.close()


@pytest.fixture
def deliver(service, request):
    """Run the command with a message of its own; (exit code, standard output, standard error)."""

    def run(*arguments, message=None):
        text = MESSAGE.format(request.node.name) if message is None else message
        done = subprocess.run(
            [*service.base, "deliver", *arguments], input=text.encode(), capture_output=True, timeout=60, check=False
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    return run


def messages(service, folder, user="user/alice"):
    base = service.data / "mail" / (user or "shared")
    base = base / "Maildir" / folder if user else base / folder
    return [p.read_text() for p in sorted((base / "new").iterdir(), key=lambda p: p.stat().st_mtime_ns)]


def newest(service, folder="", **where):
    return messages(service, folder, **where)[-1]


def test_a_message_is_delivered(service, deliver):
    assert deliver("-r", "bob@example.net", "alice") == (0, "", "")
    assert newest(service).startswith("Return-Path: <bob@example.net>\n")
    assert newest(service).endswith("\n\nbody\n")


def test_m_names_the_folder_of_each_user(service, deliver):
    assert deliver("-m", "Lists", "alice", "bob")[0] == 0
    assert "hello" in newest(service, ".Lists")
    assert "hello" in newest(service, user="user/bob")  # who has no such folder


def test_m_goes_before_the_domain(service, deliver):
    before = len(messages(service, ".Lists"))
    assert deliver("-m", "Lists", "alice@example.org")[0] == 0
    assert len(messages(service, ".Lists")) == before + 1


def test_m_alone_is_a_shared_folder(service, deliver):
    assert deliver("-m", "board")[0] == 0
    assert "hello" in newest(service, ".board", user="")


def test_a_posts_as_somebody(service, deliver):
    before = len(messages(service, ".Team"))
    assert deliver("-m", "Team", "alice")[0] == 0
    assert len(messages(service, ".Team")) == before
    assert deliver("-a", "fred", "-m", "Team", "alice")[0] == 0
    assert len(messages(service, ".Team")) == before + 1


def test_q_ignores_the_quota(deliver):
    assert deliver("full")[0] == 75
    assert deliver("-q", "full")[0] == 0


def test_the_login_name_is_the_return_path_by_default(service, deliver):
    import getpass

    assert deliver("alice")[0] == 0
    assert newest(service).startswith(f"Return-Path: <{getpass.getuser()}@")


@pytest.mark.parametrize("option", [("-r", ""), ("-r", "<>"), ("-f", "<>")])
def test_the_null_return_path_can_be_given(service, deliver, option):
    assert deliver(*option, "alice")[0] == 0
    assert newest(service).startswith("Return-Path: <>\n")


def test_old_options_are_taken_and_ignored(deliver):
    assert deliver("-d", "-e", "alice")[0] == 0


def test_a_leading_from_line_is_dropped(service, deliver):
    assert deliver("alice", message="From bob Mon Jan  1 00:00:00 2026\nSubject: mbox\n\nbody\n")[0] == 0
    assert "From bob" not in newest(service)
    assert "Subject: mbox\n" in newest(service)


@pytest.mark.parametrize("text", ["A: b\n\n.\n..\n.x\n", "A: b\r\n\r\n.\r\n..\r\n.x\r\n"], ids=["LF", "CRLF"])
def test_lines_arrive_as_they_are(service, deliver, text):
    assert deliver("alice", message=text)[0] == 0
    assert newest(service).endswith("\n\n.\n..\n.x\n")


def test_a_message_larger_than_a_block_arrives_whole(service, deliver):
    text = "Subject: big\n\n" + "".join(f"{n}\n.\n" for n in range(100_000))
    assert deliver("alice", message=text)[0] == 0
    assert newest(service).endswith(text.partition("\n\n")[2])


def test_an_address_outside_ascii_goes_out_under_smtputf8(service, deliver):
    assert deliver("-r", "jürgen@example.net", "alice")[0] == 0
    assert newest(service).startswith("Return-Path: <jürgen@example.net>\n")


def test_no_such_user_is_67_with_the_reason_on_standard_output(deliver):
    code, out, err = deliver("nobody")
    assert (code, err) == (67, "")
    assert out.startswith("nobody: Mailbox unknown.")


def test_one_unknown_user_does_not_keep_the_others_from_their_mail(service, deliver):
    before = len(messages(service, ""))
    assert deliver("nobody", "alice")[0] == 67
    assert len(messages(service, "")) == before + 1


def test_what_is_refused_for_good_is_65(deliver):
    code, out, _ = deliver("alice", message="Subject: x\n\nnul \0\n")
    assert code == 65
    assert out.startswith("alice: ")


def test_trying_again_may_help_somebody_is_75(deliver):
    code, out, err = deliver("nobody", "full", "alice")
    assert code == 75
    assert out.startswith("nobody: ")
    assert "full: Over quota" in err


@pytest.mark.parametrize("arguments", [(), ("-x", "alice"), ("two words",), ("-r", "a@b@c", "alice"), ("-m",)], ids=str)
def test_wrong_usage_is_64(deliver, arguments):
    code, out, err = deliver(*arguments)
    assert (code, out) == (64, "")
    assert err


@pytest.mark.parametrize(
    ("sets", "address"),
    [
        (["virtdomains=userid", "postuser=bb"], "bb+board@example.net"),
        (["virtdomains=on"], "+board@example.net"),
        (["postuser=bb"], '"bb+board@example.net"'),
    ],
)
def test_a_shared_folder_has_a_domain_where_domains_are_told_apart(tmp_path, sets, address):
    assert [str(one) for one in _recipients(load(data=tmp_path, sets=sets), "board@example.net", [])] == [address]


def test_without_a_delimiter_no_folder_can_be_named(tmp_path):
    settings = load(data=tmp_path, sets=["recipient_delimiter="])
    assert [str(one) for one in _recipients(settings, "", ["alice"])] == ["alice"]
    with pytest.raises(ConfigurationError, match="recipient_delimiter"):
        _recipients(settings, "Lists", ["alice"])


def test_without_a_server_it_is_69(tmp_path):
    command = [*SIEVEMDA, "--data", str(tmp_path), "deliver", "alice"]
    done = subprocess.run(command, input=b"x", capture_output=True, timeout=60, check=False)
    assert done.returncode == 69
    assert b"no LMTP server at " in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.fixture
def scripted(tmp_path):
    """A server that says what it is told to, whatever it hears; a function that runs `deliver` against it."""
    path = tmp_path / "s"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    threads = []

    def run(*says, users=("a", "b")):
        def serve():
            connection, _ = listener.accept()
            with connection:
                for number, text in enumerate(says, 1):
                    connection.sendall(text.encode())
                    if number == len(says) or not connection.recv(65536):
                        break

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        command = [*SIEVEMDA, "--data", str(tmp_path), "--set", f"lmtpsocket={path}", "deliver", *users]
        return subprocess.run(command, input="x\n", capture_output=True, text=True, timeout=60, check=False)

    yield run
    for thread in threads:
        thread.join(60)
    listener.close()


HELLO = ("220 x\r\n", "250-x\r\n250 y\r\n")


def test_each_recipient_has_a_reply_of_its_own(scripted):
    done = scripted(
        *HELLO, "250 Ok\r\n250 Ok\r\n250 Ok\r\n", "354 go\r\n", "250 2.1.5 Ok\r\n550-5.7.1 no\r\n550 5.7.1 never\r\n"
    )
    assert (done.returncode, done.stdout) == (65, "b: no never\n")


@pytest.mark.parametrize(
    "says",
    [
        ("421 4.3.2 too many\r\n",),
        ("not LMTP\r\n",),
        ("",),
        (*HELLO, "451 4.3.0 later\r\n250 x\r\n250 x\r\n"),
        (*HELLO, "250 Ok\r\n250 Ok\r\n250 Ok\r\n", "451 4.3.0 no\r\n"),
        (*HELLO, "250 Ok\r\n250 Ok\r\n250 Ok\r\n", "354 go\r\n", "250 Ok\r\n"),  # and dies
    ],
    ids=["busy", "no LMTP", "silent end", "MAIL refused", "DATA refused", "dies after DATA"],
)
def test_a_server_that_does_not_play_its_part_is_75(scripted, says):
    done = scripted(*says)
    assert done.returncode == 75
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("size", [1, 2, 3, 5, 1000])
def test_blocks_of_any_size_go_out_as_the_same_message(size):
    text = b".\n..\r\n\r\n.x\n\n.\r\na\rb\n"
    blocks = [text[start : start + size] for start in range(0, len(text), size)]
    wanted = text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert unstuffed(b"".join(stuffed(blocks)), []) == (wanted, b"")


@pytest.mark.parametrize("text", [b"", b"a", b"a\r", b".", b"\n"])
def test_a_message_without_a_last_line_end_gets_one(text):
    content, rest = unstuffed(b"".join(stuffed([text])), [])
    assert rest == b""
    assert content.rstrip(b"\r\n") == text.rstrip(b"\r\n")
    assert not content or content.endswith(b"\r\n")
