"""A server that says what a test wants, whatever it hears; with TLS where a test wants that."""

import socket
import ssl
import threading

GREETING = b'"IMPLEMENTATION" "x"\r\n"SASL" "SCRAM-SHA-256 PLAIN"\r\n"SIEVE" "fileinto"\r\n"STARTTLS"\r\n"VERSION" "1.0"\r\nOK\r\n'


class Scripted:
    """`play` gets the connection; what it reads by `line` is in `heard`. A context manager."""

    def __init__(self, play, context=None, *, everywhere=False):
        self.heard = []
        self.listener = socket.create_server(("127.0.0.1", 0) if not everywhere else ("", 0))
        self.port = self.listener.getsockname()[1]
        self.context = context
        self._play = play
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self._thread.join(60)

    def _run(self):
        while True:
            try:
                self.socket, _ = self.listener.accept()
            except OSError:
                return
            with self.socket:
                self.socket.settimeout(60)
                try:
                    self._play(self)
                except OSError:
                    continue
                finally:
                    self.socket.close()

    def say(self, *texts):
        for text in texts:
            self.socket.sendall(text)

    def line(self):
        text = b""
        while not text.endswith(b"\n"):
            block = self.socket.recv(1)
            if not block:
                break
            text += block
        self.heard.append(text)
        return text

    def start_tls(self):
        self.socket = self.context.wrap_socket(self.socket, server_side=True)


def server_context(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
