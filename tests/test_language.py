"""What language a site offers, by its settings."""

import pytest

from sievemda.config import Settings, Sieve, Site
from sievemda.errors import ConfigurationError
from sievemda.language import language_extensions, language_limits, language_programs, trusted_extensions
from sievemda.sieve import ScriptError


def site(**sieve):
    return Settings(sieve=Sieve(**sieve))


def test_capabilities_can_be_added_taken_away_and_named():
    assert "fileinto" in language_extensions(site())
    assert "fileinto" not in language_extensions(site(sieve_extensions=("-fileinto",)))
    assert "vnd.dovecot.pipe" in language_extensions(site(sieve_extensions=("+vnd.dovecot.pipe",)))
    assert language_extensions(site(sieve_extensions=("copy", "fileinto"))) == {"copy", "fileinto"}


def test_what_is_reserved_is_for_the_administrators_scripts_alone():
    settings = site(sieve_global_extensions=("vnd.dovecot.pipe", "copy"))
    assert trusted_extensions(settings) - language_extensions(settings) == {"vnd.dovecot.pipe", "copy"}
    programs = language_programs(settings)
    script = b'require "copy"; keep;'
    assert programs.trusted.get(script)
    with pytest.raises(ScriptError, match="not allowed here"):
        programs.users.get(script)


def test_what_is_taken_away_does_not_come_back_under_another_name():
    allowed = language_extensions(site(sieve_extensions=("-duplicate", "-vacation")))
    assert not allowed & {"duplicate", "vnd.dovecot.duplicate", "vacation", "vacation-seconds"}


@pytest.mark.parametrize("setting", ["sieve_extensions", "sieve_global_extensions"])
def test_an_unknown_capability_is_named_with_its_setting(setting):
    with pytest.raises(ConfigurationError, match=rf"sieve\.{setting}: unknown capability frob"):
        language_programs(site(**{setting: ("frob",)}))


def test_bounds_come_from_the_settings():
    limits = language_limits(
        site(
            sieve_include_max_includes=7,
            sieve_include_max_nesting_depth=3,
            sieve_duplicate_default_period=60,
            sieve_duplicate_max_expiration=120,
        )
    )
    assert (limits.includes, limits.include_depth) == (7, 3)
    assert (limits.duplicate_default, limits.duplicate_maximum) == (60, 120)


@pytest.mark.parametrize(
    "setting", ["sieve_redirect_envelope_from", "sieve_notify_mailto_envelope_from", "sieve_report_from"]
)
def test_an_address_source_is_an_address_or_stands_for_one(setting):
    for good in ("", "sender", " User_Email ", "<>", "<a@example.org>"):
        language_limits(site(**{setting: good}))
    for bad in ("nobody", "a@example.org", "<a@example.org, b@example.org>", "<x>y"):
        with pytest.raises(ConfigurationError, match=rf"sieve\.{setting}: neither an address"):
            language_limits(site(**{setting: bad}))


def test_what_single_extensions_do_comes_from_the_settings():
    settings = Settings(
        sieve=Sieve(sieve_notify_max_notifications=3, sieve_notify_https_hosts=("h.example",)),
        site=Site(postmaster="pm", servername="mx.example.org"),
    )
    limits = language_limits(settings)
    assert limits.notifications == 3
    assert limits.options.notify_https_hosts == ("h.example",)
    assert limits.options.postmaster == "pm@mx.example.org"


def test_any_field_may_hold_addresses_where_the_standard_is_not_kept_to():
    script = b'if address "subject" "x" { stop; }'
    with pytest.raises(ScriptError):
        language_programs(site()).users.get(script)
    assert language_programs(site(rfc3028_strict=False)).users.get(script)
