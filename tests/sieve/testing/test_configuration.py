"""Settings seen from a test file: what scripts that are compiled and run after a reload do."""

import pytest

RUN = 'if not test_script_compile "s.sieve" { test_fail "compile"; } if not test_script_run { test_fail "run"; }'


def config(**settings):
    """The commands that record these settings; `__` stands for a slash, as `___` does for `/_`."""
    return "".join(f'test_config_set "{name.replace("__", "/")}" "{value}"; ' for name, value in settings.items())


def reload(extension=""):
    return f'test_config_reload :extension "{extension}"; ' if extension else "test_config_reload; "


@pytest.mark.parametrize(
    ("script", "settings", "extension", "error"),
    [
        ("keep; " + "#" * 100, {"sieve_max_script_size": "100"}, "", "too large"),
        ('require "fileinto"; fileinto "x";', {"sieve_extensions": "reject"}, "", "not allowed"),
        ('require "fileinto"; fileinto "x";', {"sieve_global_extensions": "fileinto"}, "", "not allowed"),
        (
            'require "enotify"; notify "mailto:a@b.example";',
            {"sieve_notify_max_notifications": "0"},
            "enotify",
            "local policy prohibits the use of a notify action",
        ),
        (
            'redirect "a@b.example";',
            {"sieve_max_redirects": "0"},
            "",
            "local policy prohibits the use of a redirect action",
        ),
        ('require "include"; include "x";', {"sieve_include_max_includes": "0"}, "include", "include"),
        ('require "include"; include "x";', {"sieve_include_max_nesting_depth": "0"}, "include", "include"),
        (
            'require "editheader"; addheader "X-A" "' + "x" * 1100 + '";',
            {"sieve_editheader_max_header_size": "1024"},
            "editheader",
            "too large",
        ),
        (
            'require "variables";' + "".join(f'set "v{n}" "";' for n in range(129)),
            {"sieve_variables_max_scope_count": "128"},
            "variables",
            "too many variables",
        ),
    ],
)
def test_a_script_that_was_valid_is_not_after_the_reload_and_is_again_without_the_setting(
    files, script, settings, extension, error
):
    files.write("s.sieve", script)
    files.write("included/x.sieve", "keep;")
    unset = "".join(f'test_config_unset "{name}"; ' for name in settings)
    files.passes(f"""test "a" {{
        {config(**settings)}
        if not test_script_compile "s.sieve" {{ test_fail "before the reload"; }}
        {reload(extension)}
        if test_script_compile "s.sieve" {{ test_fail "after the reload"; }}
        if not test_error :contains "{error}" {{ test_fail "error"; }}
        {unset}
        if test_script_compile "s.sieve" {{ test_fail "before the second reload"; }}
        {reload(extension)}
        if not test_script_compile "s.sieve" {{ test_fail "in the end"; }}
    }}""")


@pytest.mark.parametrize(
    ("script", "settings", "extension", "error"),
    [
        (
            'require "fileinto"; fileinto "a"; fileinto "b";',
            {"sieve_max_actions": "1"},
            "",
            "total number of actions exceeds policy limit",
        ),
        (
            'redirect "a@b.example"; redirect "c@b.example";',
            {"sieve_max_redirects": "1"},
            "",
            "number of redirect actions exceeds policy limit",
        ),
        (
            'require "enotify"; notify "mailto:a@b.example"; notify "mailto:c@b.example";',
            {"sieve_notify_max_notifications": "1"},
            "enotify",
            "number of notify actions exceeds policy limit",
        ),
    ],
)
def test_a_run_of_a_script_that_was_compiled_before_goes_over_the_limit_after_the_reload(
    files, script, settings, extension, error
):
    files.write("s.sieve", script)
    files.passes(f"""test "a" {{
        {RUN}
        {config(**settings)}
        if not test_script_run {{ test_fail "before the reload"; }}
        {reload(extension)}
        if test_script_run {{ test_fail "after the reload"; }}
        if not test_error :contains "{error}" {{ test_fail "error"; }}
    }}""")


def test_the_size_of_a_variable_is_that_of_the_reload(files):
    files.write("s.sieve", 'require ["variables", "fileinto"]; set "v" "' + "x" * 5000 + '";'
                'set :length "n" "${v}"; fileinto "${n}";')  # fmt: skip
    files.write("result.sieve", "keep;")
    files.passes(f"""test "a" {{
        set "v" "{"x" * 5000}"; set :length "n" "${{v}}";
        if not string "${{n}}" "4096" {{ test_fail "default: ${{n}}"; }}
        {config(sieve_variables_max_value_size="4500")}{reload("variables")}
        set "v" "{"x" * 5000}"; set :length "n" "${{v}}";
        if not string "${{n}}" "4500" {{ test_fail "after: ${{n}}"; }}
    }}""")


@pytest.mark.parametrize("what", ["forbid_add", "forbid_delete"])
def test_a_field_is_protected_after_the_reload(files, what):
    files.passes(f"""
    test_set "message" "X-Mark: here\r\nSubject: s\r\n\r\nx";
    test "a" {{
        {config(sieve_editheader_header="mark subject", sieve_editheader_header__mark__name="X-Mark")}
        test_config_set "sieve_editheader_header/mark/{what}" "yes";
        test_config_set "sieve_editheader_header/subject/{what}" "yes";
        {reload("editheader")}
        addheader "X-Mark" "two"; deleteheader :is "X-Mark" "here";
        addheader "Subject" "two"; deleteheader :is "Subject" "s";
        if not header "X-Mark" "{"here" if what == "forbid_delete" else "x"}" {{
            if not string "{what}" "forbid_add" {{ test_fail "deleted"; }}
        }}
        if allof(string "{what}" "forbid_add", header "X-Mark" "two") {{ test_fail "added"; }}
        if anyof(not header "Subject" "two", header "Subject" "s") {{ test_fail "subject"; }}
    }}""")


@pytest.mark.parametrize(
    ("settings", "field", "expected", "percent"),
    [
        ({"sieve_spamtest_status_header": "X-S: ([0-9.]+)", "sieve_spamtest_score_max_value": "10"}, "7.5", "7", "75"),
        (
            {"sieve_spamtest_status_header": "X-S:([0-9]+)/", "sieve_spamtest_score_max_header": "X-S:/([0-9]+)"},
            "5/20",
            "3",
            "25",
        ),
        (
            {
                "sieve_spamtest_status_header": "X-S",
                "sieve_spamtest_status_type": "strlen",
                "sieve_spamtest_score_max_value": "4",
            },
            "****",
            "10",
            "100",
        ),
        (
            {
                "sieve_spamtest_status_header": "X-S",
                "sieve_spamtest_status_type": "text",
                "sieve_spamtest_text_value__0": "clean",
                "sieve_spamtest_text_value__10": "spam",
            },
            "spam",
            "10",
            "100",
        ),
        (
            {
                "sieve_spamtest_status_header": "X-S",
                "sieve_spamtest_status_type": "text",
                "sieve_spamtest_text_value__0": "clean",
            },
            "clean",
            "1",
            "0",
        ),
        ({"sieve_spamtest_status_header": "X-S", "sieve_spamtest_score_max_value": "10"}, "none", "0", "0"),
        ({"sieve_spamtest_status_header": "X-Other", "sieve_spamtest_score_max_value": "10"}, "5", "0", "0"),
        ({"sieve_spamtest_status_header": "X-S", "sieve_spamtest_score_max_value": "10"}, "99", "10", "100"),
        ({"sieve_spamtest_status_header": "X-S", "sieve_spamtest_score_max_value": "10"}, "-3", "1", "0"),
    ],
)
def test_the_verdict_of_a_spam_filter_is_read_after_the_reload(files, settings, field, expected, percent):
    files.write("s.sieve", "keep;")
    found = files.run(f"""require "spamtestplus";
    test_set "message" "X-S: {field}\r\n\r\nx";
    test "a" {{
        {config(**settings)}
        if not spamtest "0" {{ test_fail "before the reload"; }}
        {reload("spamtest")}
        if not spamtest "{expected}" {{ test_fail "value"; }}
        if not spamtest :percent "{percent}" {{ test_fail "percent"; }}
    }}""")
    assert (found.error, [case.message for case in found.cases]) == (None, [None])


def test_the_verdict_on_viruses_has_a_scale_of_its_own(files):
    settings = {
        "sieve_virustest_status_header": "X-V",
        "sieve_virustest_status_type": "text",
        "sieve_virustest_text_value__5": "found",
    }
    files.passes(f"""require "virustest";
    test_set "message" "X-V: found\r\n\r\nx";
    test "a" {{
        {config(**settings)}{reload("virustest")}
        if not virustest "5" {{ test_fail "value"; }}
    }}""")


def test_each_character_of_the_delimiter_parts_user_and_detail(files):
    files.passes(f"""
    test_set "envelope.to" "kim-a+b@office.example";
    test "a" {{
        if not envelope :detail "to" "b" {{ test_fail "default"; }}
        {config(recipient_delimiter="-+")}{reload("subaddress")}
        if not allof(envelope :user "to" "kim", envelope :detail "to" "a+b") {{ test_fail "after"; }}
    }}""")


def test_an_external_list_has_the_entries_of_its_file(files):
    files.write("friends.dict", "priv/sieve/extlists/kim@office.example\nyes\npriv/sieve/extlists/a\n\nother/b\nx\n")
    files.passes(f"""require "extlists";
    test_set "message" "From: kim@office.example\r\nTo: b\r\n\r\nx";
    test "a" {{
        {config(sieve_extlists_list="friends nobody", sieve_extlists_list__friends__name="tag:x.example,2026:friends")}
        {config(sieve_extlists_list__nobody__name="tag:x.example,2026:nobody")}
        {config(sieve_extlists_list__friends__dict="file", sieve_extlists_list__friends__dict__file__driver="file")}
        test_config_set "sieve_extlists_list/friends/dict/file/path" "${{tst.path}}/friends.dict";
        if valid_ext_list "tag:x.example,2026:friends" {{ test_fail "before the reload"; }}
        {reload("extlists")}
        if not valid_ext_list ["tag:x.example,2026:friends", ":addrbook:default"] {{ test_fail "unknown"; }}
        if valid_ext_list "tag:x.example,2026:strangers" {{ test_fail "known"; }}
        if not address :list "from" "tag:x.example,2026:friends" {{ test_fail "not in it"; }}
        if header :list "to" "tag:x.example,2026:friends" {{ test_fail "in it"; }}
        if address :list "from" "tag:x.example,2026:nobody" {{ test_fail "in an empty one"; }}
    }}""")


def test_a_value_that_is_too_long_for_a_list_is_not_in_it(files):
    files.write("l.dict", "priv/sieve/extlists/abcdef\n1\n")
    files.passes(f"""require "extlists";
    test "a" {{
        {config(sieve_extlists_list="l", sieve_extlists_list__l__name="tag:x.example,2026:l")}
        {config(sieve_extlists_list__l__dict__file__path="l.dict")}{reload("extlists")}
        if not string :list "abcdef" "tag:x.example,2026:l" {{ test_fail "in it"; }}
        {config(sieve_extlists_list__l__max_lookup_size="5")}{reload("extlists")}
        if string :list "abcdef" "tag:x.example,2026:l" {{ test_fail "too long"; }}
    }}""")


def test_items_of_the_environment_come_from_settings(files):
    files.passes(f"""require "vnd.dovecot.environment";
    test "a" {{
        {config(sieve_environment__Colour="blue")}
        if environment :contains "vnd.dovecot.config.colour" "" {{ test_fail "before the reload"; }}
        {reload("vnd.dovecot.environment")}
        if not environment "vnd.dovecot.config.Colour" "blue" {{ test_fail "item"; }}
        if not string "${{env.vnd.dovecot.config.colour}}" "blue" {{ test_fail "variable"; }}
    }}""")


@pytest.mark.parametrize("extension", ["", "include"])
def test_scripts_to_include_may_be_in_a_file_of_lines(files, extension):
    files.write("s.dict", 'priv/sieve/name/x\n7\npriv/sieve/data/7\nrequire "fileinto"; fileinto "from dict";\n')
    files.write("s.sieve", 'require "include"; include "x";')
    files.passes(f"""
    test_config_set "sieve_script/included/sieve_script_driver" "dict";
    test_config_set "sieve_script/included/sieve_script_dict/file/path" "${{tst.path}}/s.dict";
    test "a" {{
        if test_script_compile "s.sieve" {{ test_fail "before the reload"; }}
        {reload(extension)}
        {RUN}
        if not test_result_action "store" {{ test_fail "action"; }}
    }}""")


def test_an_extension_may_be_there_without_require(files):
    files.write("s.sieve", 'fileinto "x";')
    files.passes(f"""test "a" {{
        {config(sieve_implicit_extensions="fileinto frobnicate")}
        if test_script_compile "s.sieve" {{ test_fail "before the reload"; }}
        {reload()}
        if not test_script_compile "s.sieve" {{ test_fail "after the reload"; }}
    }}""")


def test_what_only_global_scripts_may_require_is_for_them(files):
    files.write("s.sieve", 'require "include"; include :global "x";')
    files.write("included-global/x.sieve", 'require "fileinto"; fileinto "x";')
    files.write("p.sieve", 'require "include"; include "x";')
    files.write("included/x.sieve", 'require "fileinto"; fileinto "x";')
    files.passes(f"""test "a" {{
        {config(sieve_global_extensions="fileinto")}{reload()}
        {RUN}
        if not test_result_action "store" {{ test_fail "action"; }}
        if test_script_compile "p.sieve" {{ test_fail "personal"; }}
    }}""")


def test_settings_from_the_command_line_are_in_force_from_the_start(files):
    text = 'test "a" { if not envelope :detail "to" "b" { test_fail "no"; } }'
    files.passes(
        f'test_set "envelope.to" "a=b@c.example"; {text}',
        settings=(("recipient_delimiter", "="), ("sieve_max_actions", "1")),
    )


def test_a_path_in_a_setting_of_the_command_line_is_beside_the_file(files):
    files.write("other/x.sieve", "keep;")
    files.passes('include "x"; test "a" { }', settings=(("sieve_script/included/sieve_script_path", "other"),))


@pytest.mark.parametrize(
    "command",
    [
        'test_config_set "a";',
        'test_config_set "a" "b" "c";',
        "test_config_set 1 2;",
        "test_config_unset;",
        'test_config_unset ["a", "b"];',
        'test_config_reload "x";',
        "test_config_reload :extension;",
        'test_config_reload :extension "a" :extension "b";',
        "test_config_reload :core;",
        'if test_config_set "a" "b" { }',
    ],
)
def test_a_wrong_use_does_not_compile(files, command):
    assert files.run(f'test "a" {{ {command} }}').trouble == "invalid"
