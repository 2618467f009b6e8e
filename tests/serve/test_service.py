import os
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from tests.lmtp.running import Client
from tests.ports import free_port
from tests.serve.service import Service, alive


def test_it_delivers_and_ends_cleanly(service):
    service.start()
    assert service.send()[0].startswith("250 2.1.5")
    assert len(service.inbox()) == 1
    children = service.children()
    assert service.stop() == 0
    assert not service.socket.exists()
    assert not any(map(alive, children))
    assert "Traceback" not in service.log.read_text()


def test_it_says_what_listens_where(service, tmp_path):
    service.start("--lmtp", f"unix:{tmp_path}/other", "--lmtp", f"inet:127.0.0.1:{free_port()}")
    assert f"listening: lmtp unix:{service.socket}\n" in service.log.read_text()
    assert f"listening: lmtp unix:{tmp_path}/other\n" in service.log.read_text()
    assert re.search(r"listening: lmtp inet:127\.0\.0\.1:\d+\n", service.log.read_text())
    with Client(str(tmp_path / "other")) as client:
        assert client.greeting.startswith("220 ")


def test_all_workers_take_part(service):
    service.start()
    clients = [service.client() for _ in range(30)]
    workers = {service.worker_of(client) for client in clients}
    for client in clients:
        client.close()
    assert len(workers) == 2
    assert workers <= service.children()


def test_sigterm_lets_a_transaction_finish(service):
    service.start()
    with service.client() as client:
        for command in ("MAIL FROM:<a@x>", "RCPT TO:<alice>", "DATA"):
            client.do(command)
        client.send("Subject: last\r\n")
        service.signal(signal.SIGTERM)
        service.wait(lambda: not service.socket.exists())
        client.send("\r\nbody\r\n.\r\n")
        assert client.reply().startswith("250 2.1.5")
        assert client.reply().startswith("421 4.3.2")
    assert service.process.wait(60) == 0
    assert len(service.inbox()) == 1


def test_sigterm_does_not_wait_for_a_client_that_has_nothing_to_say(service):
    service.start()
    with service.client() as client:
        service.signal(signal.SIGTERM)
        assert client.reply().startswith("421 4.3.2")
    assert service.process.wait(60) == 0


def test_a_worker_that_is_killed_is_replaced(service):
    service.start()
    with service.client() as client:
        victim = service.worker_of(client)
        os.kill(victim, signal.SIGKILL)
        assert client.reply() == ""
    service.wait(lambda: victim not in service.children() and len(service.children()) == 3)
    for _ in range(10):
        assert service.send()[0].startswith("250")


def test_a_worker_killed_in_data_leaves_nothing_and_the_retry_is_delivered(service):
    service.start()
    with service.client() as client:
        victim = service.worker_of(client)
        for command in ("MAIL FROM:<a@x>", "RCPT TO:<alice>", "DATA"):
            client.do(command)
        client.send("Subject: x\r\nMessage-ID: <once@x>\r\n\r\n" + "x" * 500_000)
        time.sleep(0.2)
        os.kill(victim, signal.SIGKILL)
        assert client.reply() == ""
    assert not service.inbox()
    assert service.send("Subject: x\r\nMessage-ID: <once@x>\r\n\r\nbody\r\n")[0].startswith("250")
    assert len(service.inbox()) == 1


def test_after_kill_9_of_the_parent_it_starts_again_at_once(service):
    service.start()
    children = service.children()
    service.signal(signal.SIGKILL)
    service.process.wait(60)
    assert service.socket.exists()  # nobody was left to remove it
    service.start()
    assert service.send()[0].startswith("250")
    service.wait(lambda: not any(map(alive, children)))
    assert service.stop() == 0


def test_a_second_server_at_the_same_place_is_refused_and_the_first_goes_on(service):
    service.start()
    first = service.process
    service.start()
    assert service.process.wait(60) == 73
    assert "listens there already" in service.log.read_text()
    service.process = first
    assert service.send()[0].startswith("250")


@pytest.mark.parametrize(
    ("arguments", "sets", "code", "text"),
    [
        (("--lmtp", "tcp:24"), (), 78, "cannot listen at 'tcp:24'"),
        (("--managesieve", "tcp:1"), (), 78, "cannot listen at"),
        (("--workers", "0"), (), 64, "--workers"),
        (("--lmtp", "inet:127.0.0.1:25"), (), 78, "port 25"),
        ((), ("tls_server_cert=/nonexistent", "tls_server_key=/nonexistent"), 78, "tls_server_cert"),
        ((), ("lmtp_socket_group=no-such-group",), 78, "no-such-group"),
    ],
)
def test_what_cannot_be_served_ends_with_a_sentence_and_a_code(tmp_path, arguments, sets, code, text):
    service = Service(tmp_path, *arguments, sets=sets)
    service.start()
    assert service.process.wait(60) == code
    assert text in service.log.read_text()
    assert "Traceback" not in service.log.read_text()
    assert not service.socket.exists()


def test_sighup_brings_new_settings_without_losing_a_session(service):
    service.config.write_text('[site]\nservername = "old.test"\n')
    service.start()
    old = service.children()
    with service.client() as client:
        assert "old.test" in client.greeting
        client.do("MAIL FROM:<a@x>")
        service.config.write_text('[site]\nservername = "new.test"\n')
        service.signal(signal.SIGHUP)
        service.wait(lambda: service.log.read_text().count("serving ") == 2)
        # The old workers are told to go when the new ones serve: a client may meet one that is on its way.
        service.wait(lambda: all("new.test" in service.greeting() for _ in range(10)))
        client.do("RCPT TO:<alice>")
        client.do("DATA")
        client.send(".\r\n")
        assert client.reply().startswith("250")
        assert client.message(".\r\n", ["alice"])[0].startswith("250")  # and its session goes on
        assert client.do("QUIT").startswith("221")
    service.wait(lambda: not any(map(alive, old)))
    assert service.stop() == 0


def test_sighup_without_a_client_loses_nothing_under_load(service):
    service.start()
    over, failures = threading.Event(), []

    def load():
        while not over.is_set():
            try:
                reply = service.send()[0]
                if not reply.startswith("250"):
                    failures.append(reply)
            except OSError as e:
                failures.append(repr(e))

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    for count in range(2, 5):
        service.signal(signal.SIGHUP)
        service.wait(lambda count=count: service.log.read_text().count("serving ") == count)
    over.set()
    for thread in threads:
        thread.join()
    assert not failures


def test_sighup_with_broken_settings_changes_nothing(service):
    service.start()
    children = service.children()
    service.config.write_text("[lmtp]\nno_such_setting = 1\n")
    service.signal(signal.SIGHUP)
    service.wait(lambda: "going on with the former settings" in service.log.read_text())
    assert "no_such_setting" in service.log.read_text()
    assert service.children() == children
    assert service.send()[0].startswith("250")


def test_sighup_with_a_certificate_that_is_gone_changes_nothing(service, tmp_path):
    service.start()
    children = service.children()
    service.config.write_text('[lmtp]\ntls_server_cert = "/nonexistent"\ntls_server_key = "/nonexistent"\n')
    service.signal(signal.SIGHUP)
    service.wait(lambda: "going on with the former settings" in service.log.read_text())
    service.wait(lambda: service.children() == children)
    assert service.send()[0].startswith("250")


def test_sighup_moves_listeners(service, tmp_path):
    service.config.write_text(f'[lmtp]\nlmtp_listen = ["unix:{tmp_path}/a"]\n')
    service.start()
    service.config.write_text(f'[lmtp]\nlmtp_listen = ["unix:{tmp_path}/b"]\n')
    service.signal(signal.SIGHUP)
    service.wait(lambda: (tmp_path / "b").exists() and not (tmp_path / "a").exists())
    with Client(str(tmp_path / "b")) as client:
        assert client.greeting.startswith("220")


def test_the_service_manager_hears_of_beginning_and_end(service, tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        service.start()
        assert manager.recv(100) == b"READY=1"
        service.stop()
        assert manager.recv(100) == b"STOPPING=1"


def test_a_log_that_nobody_reads_does_not_stop_the_mail(service):
    command = [*service.base, "serve", "--workers", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True) as process:
        service.process = process
        while b"serving " not in process.stderr.readline():
            pass
        with service.client(timeout=30) as client:
            client.do("MAIL FROM:<a@x>")
            client.send("RCPT TO:<nobody@x>\r\n" * 2000)
            assert all(reply.startswith("550") for reply in client.replies(2000))
        assert service.send()[0].startswith("250")
        service.stop()
        process.stderr.close()
