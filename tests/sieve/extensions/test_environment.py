from datetime import UTC, datetime

import pytest

from sievemda import __version__
from sievemda.sieve import Limits, compile_script, run
from sievemda.sieve.rehearsal import Imagined, message_of
from sievemda.sieve.surroundings import client, domain_of, standard
from tests.sieve.trying import COYOTE, actions, envelope, filed, holds, problems

ITEMS = {
    "remote-host": "",
    "vnd.dovecot.username": "alice",
    "vnd.dovecot.config.my_key": "one",
    "vnd.dovecot.config.a-b": "two",
}


def true(test, require="environment"):
    names = ", ".join(f'"{name}"' for name in require.split())
    program = compile_script(f"require [{names}]; if {test} {{ discard; }}", Limits())
    facts = Imagined(datetime(2026, 3, 1, tzinfo=UTC), items=ITEMS)
    found = run(program, message_of(COYOTE), envelope(), facts, Limits())
    assert found.failure is None
    return not found.implicit_keep


@pytest.mark.parametrize(
    ("item", "value"),
    [("name", "sievemda"), ("version", __version__), ("location", "MDA"), ("phase", "during"), ("NAME", "SieveMDA")],
)
def test_an_item_is_compared(item, value):
    assert holds(f'environment "{item}" "{value}"', require="environment")


@pytest.mark.parametrize("item", ["remote-ip", "imap.cause", "vnd.acme.rocket-sled-status", "no such item", ""])
@pytest.mark.parametrize(
    "match", [':contains "{}" ""', ':is "{}" ""', ':matches "{}" "*"', ':count "eq" "{}" "0"', ':value "lt" "{}" "x"']
)
def test_an_unknown_item_matches_nothing(item, match):
    assert not true(f"environment {match.format(item)}", "environment relational")


def test_an_item_that_is_known_and_empty_counts_nothing_and_contains_the_empty_string():
    assert true('environment :count "eq" "remote-host" "0"', "environment relational")
    assert true('environment :contains "remote-host" ""')


def test_any_other_item_counts_one():
    assert true('environment :count "eq" "name" "1"', "environment relational")


def test_the_name_may_be_a_variable():
    assert actions(
        'require ["environment", "variables"]; set "n" "phase"; if environment "${n}" "during" { discard; }'
    ) == [{"action": "discard"}]


def test_several_keys_may_match():
    assert true('environment "location" ["MTA", "MDA"]')
    assert true('environment :matches "version" "*.*"')


@pytest.mark.parametrize(
    ("test", "problem"),
    [
        ('environment ["name"] "x"', "expects a string for argument 1 (name), but a string list"),
        ('environment "name"', "requires 2 positional arguments"),
        ('environment :all "name" "x"', "unknown tagged argument ':all'"),
    ],
)
def test_wrong_use_is_refused(test, problem):
    (found,) = problems(f'require "environment"; if {test} {{ stop; }}')
    assert problem in found


# -- vnd.dovecot.environment -----------------------------------------------------------------------------------------

VENDOR = "vnd.dovecot.environment"


def test_items_of_the_vendor_need_its_capability():
    assert true('environment "vnd.dovecot.username" "alice"', VENDOR)
    assert not true('environment "vnd.dovecot.username" "alice"')
    assert true('environment "vnd.dovecot.config.my_key" "one"', VENDOR)
    assert true('environment "vnd.dovecot.default-mailbox" "INBOX"', VENDOR)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("env.vnd.dovecot.username", "alice"), ("env.vnd.dovecot.default_mailbox", "INBOX"), ("env.location", "MDA"), ("ENV.Location", "MDA"),
        ("env.vnd.dovecot.config.my_key", "one"), ("env.vnd.dovecot.config.a_b", "two"), ("env.remote_host", ""), ("env.unknown", ""),
    ],
)  # fmt: skip
def test_items_are_variables_too(variable, value):
    assert true(f'string "-${{{variable}}}" "-{value}"', f"variables {VENDOR}")


def test_the_namespace_needs_its_capability():
    assert (
        "unknown namespace 'env'"
        in problems('require ["variables", "environment", "fileinto"]; fileinto "${env.host}";')[0]
    )


def test_an_item_cannot_be_set():
    assert "cannot be set" in problems(f'require ["variables", "{VENDOR}"]; set "env.host" "x";')[0]


def test_example_of_section_4():
    script = """require ["variables", "fileinto", "mailbox"];
        require "vnd.dovecot.environment";
        fileinto :create "User\\${env.vnd.dovecot.default_mailbox}";"""
    assert actions(script) == [filed("UserINBOX", create=True)]


# -- what a world says of itself ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "domain"),
    [("mail.example.org", "example.org"), ("example.org", "example.org"), ("localhost", "localhost")],
)
def test_the_domain_is_part_of_the_host(host, domain):
    assert domain_of(host) == domain
    assert standard(host)["domain"] == domain
    assert standard(host, "example.net")["domain"] == "example.net"


@pytest.mark.parametrize(
    ("name", "address", "items"),
    [
        ("mx.example.org", "192.0.2.1", {"remote-host": "mx.example.org", "remote-ip": "192.0.2.1"}),
        ("mx.example.org", "2001:db8::1", {"remote-host": "mx.example.org", "remote-ip": "IPv6:2001:db8::1"}),
        ("localhost", "", {"remote-host": ""}), ("[192.0.2.1]", "", {"remote-host": ""}), ("192.0.2.1", "", {"remote-host": ""}),
    ],
)  # fmt: skip
def test_a_client_has_a_name_when_it_gives_one_and_an_address_when_there_is_one(name, address, items):
    assert client(name, address) == items
