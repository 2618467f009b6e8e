"""Where the ManageSieve server of a domain is: a real look-up at a small DNS server."""

import pytest

from sievemda.errors import DataError, Unavailable
from sievemda.managesieve.client.discovery import Endpoint, endpoints, parse_host
from tests.managesieve.client.dns_responder import Responder

NAME = "_sieve._tcp.example.org."


def found(records, host="example.org"):
    with Responder({NAME: records}):
        return endpoints(host)


def test_records_are_tried_by_priority():
    assert found(["20 0 4190 b.example.org.", "10 0 4191 a.example.org."]) == [
        Endpoint("a.example.org", 4191),
        Endpoint("b.example.org", 4190),
    ]


def test_of_one_priority_the_weight_decides_how_often_one_comes_first():
    with Responder({NAME: ["1 1 1 a.example.org.", "1 60000 1 b.example.org."]}):
        first = [endpoints("example.org")[0].host for _ in range(20)]
    assert first.count("b.example.org") >= 18


def test_a_dot_says_that_there_is_none():
    with pytest.raises(Unavailable, match="has no ManageSieve server"):
        found(["0 0 0 ."])


def test_a_host_of_another_domain_is_foreign():
    assert found(["0 0 4190 sieve.example.net.", "1 0 4190 Sieve.Example.ORG.", "2 0 4190 badexample.org."]) == [
        Endpoint("sieve.example.net", 4190, foreign=True),
        Endpoint("sieve.example.org", 4190),
        Endpoint("badexample.org", 4190, foreign=True),
    ]


@pytest.mark.parametrize("records", [[], None])
def test_without_an_answer_it_is_the_host_itself_and_then_the_port_of_old(records):
    assert found(records) == [Endpoint("example.org", 4190), Endpoint("example.org", 2000)]


def test_a_domain_that_is_not_there_is_as_one_without_records():
    with Responder({}) as responder:
        assert endpoints("example.org")[0] == Endpoint("example.org", 4190)
        assert responder.asked == [NAME]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_addresses_and_short_names_are_not_looked_up(host):
    with Responder({}) as responder:
        assert endpoints(host)[0] == Endpoint(host, 4190)
        assert not responder.asked


def test_who_names_a_port_means_that_one():
    with Responder({NAME: ["0 0 1 a.example.org."]}) as responder:
        assert endpoints("example.org", 4190) == [Endpoint("example.org", 4190)]
        assert not responder.asked


def test_so_many_records_are_tried_and_no_more():
    assert len(found([f"0 0 {port} a.example.org." for port in range(1, 30)])) == 20


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("example.org", ("example.org", None)),
        ("example.org:1", ("example.org", 1)),
        ("[::1]", ("::1", None)),
        ("[::1]:65535", ("::1", 65535)),
        ("::1", ("::1", None)),
        ("127.0.0.1:4190", ("127.0.0.1", 4190)),
        ("bücher.example", ("xn--bcher-kva.example", None)),
    ],
)
def test_hosts_as_people_write_them(text, host):
    assert parse_host(text) == host


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":1",
        "a:b:c",
        "a:0",
        "a:65536",
        "a:x",
        "[x]",
        "[::1",
        "a:1:2",
        "a:٣",
        "a..b",
        f"{'a' * 64}.b:1",
        "a b",
        "a\nb",
        "a\0",
    ],
)
def test_what_is_no_host(text):
    with pytest.raises(DataError):
        parse_host(text)


def test_an_address_is_shown_so_that_it_can_be_typed():
    assert str(Endpoint("::1", 4190)) == "[::1]:4190"
