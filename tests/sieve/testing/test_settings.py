"""Settings of test files: how values are written, what each comes to, and that nothing is in force before its reload."""

from pathlib import Path

import pytest

from sievemda.sieve.testing.settings import SETTINGS, Settings
from sievemda.sieve.testing.site import Dictionary, Folder
from sievemda.sieve.testing.values import (
    UNLIMITED,
    address,
    address_source,
    at_least,
    boolean,
    decimal,
    one_of,
    seconds,
    size,
    status,
    unsigned,
    words,
)

DAY = 86_400


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (boolean, "yes", True),
        (boolean, "No", False),
        (boolean, " YES ", True),
        (unsigned, "0", 0),
        (unsigned, " 18446744073709551615 ", UNLIMITED),
        (size, "0", 0),
        (size, "2048", 2048),
        (size, "4k", 4096),
        (size, "1M", 1 << 20),
        (size, "2 G", 2 << 30),
        (size, "1t", 1 << 40),
        (size, "16kB", 16384),
        (size, "unlimited", UNLIMITED),
        (seconds, "0", 0),
        (seconds, "90", 90),
        (seconds, "1s", 1),
        (seconds, "5m", 300),
        (seconds, "5 mins", 300),
        (seconds, "2h", 7200),
        (seconds, "7d", 7 * DAY),
        (seconds, "7 days", 7 * DAY),
        (seconds, "1 day", DAY),
        (seconds, "4 Weeks", 28 * DAY),
        (seconds, "100ms", 0.1),
        (address, "<Kim@Office.Example>", "Kim@office.example"),
        (address, "", ""),
        (address_source, " Sender ", "Sender"),
        (address_source, "default", ""),
        (address_source, "<>", "<>"),
        (address_source, "<a@b.example>", "<a@b.example>"),
        (words, " a  b,c ", ("a", "b", "c")),
        (status, "X-Spam: ([0-9]+)", "X-Spam: ([0-9]+)"),
        (decimal, " 7.5 ", "7.5"),
        (one_of("crlf", "lf"), "CRLF", "crlf"),
        (at_least(128, unsigned), "128", 128),
    ],
)
def test_values_are_read(read, text, value):
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (boolean, "maybe"),
        (unsigned, "-1"),
        (unsigned, "3.5"),
        (unsigned, ""),
        (unsigned, "\u0663"),
        (size, "4x"),
        (size, "k"),
        (size, "-1"),
        (seconds, "1 fortnight"),
        (seconds, "s"),
        (seconds, ""),
        (seconds, "-1d"),
        (seconds, "999999999999999999w"),
        (address, "kim"),
        (address, "a@b.example, c@d.example"),
        (address_source, "a@b.example"),
        (address_source, "somebody"),
        (status, "no name of a field"),
        (status, "X-Spam: ("),
        (decimal, "ten"),
        (one_of("crlf", "lf"), "cr"),
        (at_least(128, unsigned), "127"),
    ],
)
def test_other_values_are_refused(read, text):
    with pytest.raises(ValueError, match=r"not|no name|invalid"):
        read(text)


# setting, its scope, a value, where it comes to something, what it is without the setting, and what with it
EFFECTS = [
    ("sieve_max_script_size", "", "2k", "limits.script_size", 1 << 20, 2048),
    ("sieve_max_script_size", "", "0", "limits.script_size", 1 << 20, UNLIMITED),
    ("sieve_max_actions", "", "0", "limits.actions", 32, 0),
    ("sieve_max_redirects", "", "0", "limits.redirects", 4, 0),
    ("sieve_max_cpu_time", "", "2s", "processor_time", 30, 2),
    ("sieve_redirect_envelope_from", "", "<a@b.example>", "limits.options.redirect_envelope_from", "", "<a@b.example>"),
    ("sieve_user_email", "", "kim@b.example", "limits.options.user_email", "", "kim@b.example"),
    ("sieve_variables_max_scope_count", "variables", "128", "limits.variables", 255, 128),
    ("sieve_variables_max_value_size", "variables", "8k", "limits.variable_size", 4096, 8192),
    ("sieve_variables_max_variable_size", "variables", "5000", "limits.variable_size", 4096, 5000),
    ("sieve_include_max_includes", "include", "3", "limits.includes", 255, 3),
    ("sieve_include_max_nesting_depth", "include", "2", "limits.include_depth", 10, 2),
    ("sieve_editheader_max_header_size", "editheader", "1024", "limits.options.header_size", 2048, 1024),
    ("sieve_vacation_min_period", "vacation", "0", "limits.vacation_minimum", DAY, 0),
    ("sieve_vacation_max_period", "vacation", "30d", "limits.vacation_maximum", 60 * DAY, 30 * DAY),
    ("sieve_vacation_default_period", "vacation", "2d", "limits.vacation_default", 7 * DAY, 2 * DAY),
    ("sieve_vacation_default_subject", "vacation", "Away", "limits.options.vacation_default_subject", "", "Away"),
    (
        "sieve_vacation_default_subject_template",
        "vacation",
        "Re: %{subject}",
        "limits.options.vacation_subject_template",
        "",
        "Re: %{subject}",
    ),
    (
        "sieve_vacation_use_original_recipient",
        "vacation",
        "yes",
        "limits.options.vacation_use_original_recipient",
        False,
        True,
    ),
    ("sieve_vacation_check_recipient", "vacation", "no", "limits.options.vacation_check_recipient", True, False),
    (
        "sieve_vacation_send_from_recipient",
        "vacation",
        "yes",
        "limits.options.vacation_send_from_recipient",
        False,
        True,
    ),
    (
        "sieve_vacation_to_header_ignore_envelope",
        "vacation",
        "yes",
        "limits.options.vacation_to_header_ignore_envelope",
        False,
        True,
    ),
    ("sieve_notify_max_notifications", "enotify", "1", "limits.notifications", 10, 1),
    ("sieve_notify_mailto_envelope_from", "enotify", "<>", "limits.options.notify_mailto_envelope_from", "", "<>"),
    ("sieve_notify_mailto_max_recipients", "enotify", "1", "limits.options.notify_mailto_recipients", 8, 1),
    ("sieve_notify_mailto_max_headers", "enotify", "1", "limits.options.notify_mailto_headers", 16, 1),
    ("recipient_delimiter", "subaddress", "+-", "limits.recipient_delimiter", "+", "+-"),
    ("sieve_duplicate_default_period", "duplicate", "1h", "limits.duplicate_default", DAY // 2, 3600),
    ("sieve_duplicate_max_period", "duplicate", "1d", "limits.duplicate_maximum", 2 * DAY, DAY),
    ("sieve_report_from", "vnd.dovecot.report", "recipient", "limits.options.report_from", "", "recipient"),
]


def value_at(site, path):
    for name in path.split("."):
        site = getattr(site, name)
    return site


@pytest.mark.parametrize(("name", "scope", "text", "path", "default", "value"), EFFECTS)
def test_a_setting_counts_from_the_reload_of_its_scope_until_it_is_unset_and_reloaded(
    name, scope, text, path, default, value
):
    settings = Settings(Path("/d"))
    settings.set(name, text)
    assert value_at(settings.site, path) == default
    settings.reload("" if scope else "fileinto")
    assert value_at(settings.site, path) == default
    settings.reload(scope)
    assert value_at(settings.site, path) == value
    settings.unset(name)
    assert value_at(settings.site, path) == value
    settings.reload(scope)
    assert value_at(settings.site, path) == default


WRONG = {
    "sieve_variables_max_scope_count": "127",
    "sieve_variables_max_value_size": "3999",
    "sieve_editheader_max_header_size": "1023",
    "sieve_vacation_max_period": "0",
    "sieve_max_script_size": "big",
    "sieve_max_actions": "-1",
    "sieve_max_cpu_time": "long",
    "sieve_redirect_envelope_from": "me@here.example",
    "sieve_user_email": "me",
    "sieve_vacation_check_recipient": "perhaps",
    "sieve_notify_mailto_envelope_from": "nobody",
    "sieve_spamtest_status_header": "X-Spam: (",
    "sieve_spamtest_status_type": "words",
    "sieve_spamtest_score_max_value": "ten",
    "sieve_report_from": "nobody",
    "sieve_pipe_input_eol": "cr",
    "sieve_editheader_header/x/forbid_add": "perhaps",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_value_that_cannot_be_read_is_told_of_by_the_name_of_the_setting(name):
    settings = Settings(Path("/d"))
    settings.set(name, WRONG[name])
    scope = SETTINGS[name].scopes[0] if name in SETTINGS else "editheader"
    with pytest.raises(ValueError, match=name):
        settings.reload(scope)


@pytest.mark.parametrize("scope", ["", "vacation"])
def test_an_unknown_setting_is_told_of_at_any_reload(scope):
    settings = Settings(Path("/d"))
    settings.set("sieve_vacation_min_periods", "1d")
    with pytest.raises(ValueError, match=r"sieve_vacation_min_periods.*did you mean 'sieve_vacation_min_period'"):
        settings.reload(scope)


@pytest.mark.parametrize("name", ["frobnicate", "", "fileinto "])
def test_an_unknown_extension_cannot_be_reloaded(name):
    settings = Settings(Path("/d"))
    if name == "":
        settings.reload(name)  # the engine
    else:
        with pytest.raises(ValueError, match="unknown extension"):
            settings.reload(name)


@pytest.mark.parametrize("periods", [("2d", "1d", "9d"), ("1d", "10d", "9d"), ("9d", "9d", "8d")])
def test_the_periods_of_vacation_must_be_in_order(periods):
    settings = Settings(Path("/d"))
    for which, text in zip(("min", "default", "max"), periods, strict=True):
        settings.set(f"sieve_vacation_{which}_period", text)
    with pytest.raises(ValueError, match="sieve_vacation_default_period"):
        settings.reload("vacation")


def test_extensions_that_share_settings_are_reloaded_by_either_name():
    settings = Settings(Path("/d"))
    settings.set("sieve_vacation_min_period", "1s")
    settings.reload("vacation-seconds")
    assert settings.site.limits.vacation_minimum == 1


@pytest.mark.parametrize("prefix", ["", "sieve_editheader_header_"])
def test_a_field_of_a_keyed_setting_may_be_written_with_its_group(prefix):
    settings = Settings(Path("/d"))
    settings.set("sieve_editheader_header", "a")
    settings.set(f"sieve_editheader_header/a/{prefix}forbid_add", "yes")
    settings.reload("editheader")
    assert settings.site.limits.options.forbid_add == {"a"}
    settings.unset(f"sieve_editheader_header/a/{prefix}forbid_add")
    settings.reload("editheader")
    assert settings.site.limits.options.forbid_add == frozenset()


def test_a_protected_field_is_one_whose_key_is_listed():
    settings = Settings(Path("/d"))
    settings.set("sieve_editheader_header", "a b")
    for key, name in (("a", "X-A"), ("c", "X-C")):
        settings.set(f"sieve_editheader_header/{key}/name", name)
        settings.set(f"sieve_editheader_header/{key}/forbid_add", "yes")
    settings.set("sieve_editheader_header/b/forbid_delete", "yes")
    settings.reload("editheader")
    options = settings.site.limits.options
    assert (options.forbid_add, options.forbid_delete) == ({"x-a"}, {"b"})


@pytest.mark.parametrize(
    ("text", "has", "lacks"),
    [
        ("", "editheader", "none"),
        ("fileinto reject", "fileinto", "vacation"),
        ("-vacation", "fileinto", "vacation"),
        ("+editheader", "vacation", "none"),
        ("fileinto frobnicate", "fileinto", "frobnicate"),
    ],
)
def test_scripts_under_test_may_require_what_sieve_extensions_says(text, has, lacks):
    settings = Settings(Path("/d"))
    settings.set("sieve_extensions", text)
    settings.reload()
    assert has in settings.site.available
    assert lacks not in settings.site.available


@pytest.mark.parametrize(
    ("given", "personal"),
    [
        ({}, Folder(Path("/d/included"))),
        ({"sieve_script_driver": "file"}, Folder(Path("/d/included"))),
        ({"sieve_script_path": "other"}, Folder(Path("/d/other"))),
        ({"sieve_script_driver": "dict", "sieve_script_dict/file/path": "s.dict"}, Dictionary(Path("/d/s.dict"))),
        ({"sieve_script_driver": "dict", "sieve_script_dict/file/driver": "file"}, Dictionary(None)),
    ],
)
def test_scripts_to_include_come_from_where_the_settings_say(given, personal):
    settings = Settings(Path("/d"))
    settings.set("sieve_script/included/sieve_script_type", "personal")
    for field, text in given.items():
        settings.set(f"sieve_script/included/{field}", text)
    settings.reload("include")
    assert settings.site.library.personal == personal
    assert settings.site.library.common == Folder(Path("/d/included-global"))


def test_programs_come_from_the_directory_of_their_kind():
    settings = Settings(Path("/d"))
    settings.set("sieve_filter_bin_dir", "/bin")
    settings.set("sieve_filter_exec_timeout", "0")
    settings.set("sieve_filter_input_eol", "lf")
    settings.reload("vnd.dovecot.pipe")
    assert settings.site.programs["filter"].directory is None
    settings.reload("vnd.dovecot.filter")
    found = settings.site.programs["filter"]
    assert (found.directory, found.timeout, found.line_end) == (Path("/bin"), 0, "lf")


@pytest.mark.parametrize("name", ["sieve_trace_dir", "sieve_user_log_path", "sieve_plugins", "sieve_plugin_dir"])
def test_settings_without_a_meaning_here_are_accepted(name):
    settings = Settings(Path("/d"))
    settings.set(name, "anything")
    before = settings.site
    settings.reload()
    assert settings.site == before
