"""A small DNS server, which knows what a test tells it."""

import socket
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset


class Responder:
    """`records` are SRV values by name; a name that is None gets SERVFAIL. A context manager; the default resolver
    asks it meanwhile."""

    def __init__(self, records):
        self.asked = []
        self._records = records
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._before = dns.resolver.default_resolver
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = ["127.0.0.1"]
        resolver.port = self._socket.getsockname()[1]
        dns.resolver.default_resolver = resolver
        self._thread.start()
        return self

    def __exit__(self, *_):
        dns.resolver.default_resolver = self._before
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join(60)
        self._socket.close()

    def _serve(self):
        while True:
            wire, client = self._socket.recvfrom(4096)
            if not wire:
                return
            self._socket.sendto(self._answer(dns.message.from_wire(wire)).to_wire(), client)

    def _answer(self, query):
        question = query.question[0]
        name = question.name.to_text()
        self.asked.append(name)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if name not in self._records:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif self._records[name] is None:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif self._records[name]:
            answer.answer.append(dns.rrset.from_text_list(name, 60, "IN", "SRV", self._records[name]))
        return answer
