"""Phrases of errors that tests of other implementations match."""

import re

import pytest

from sievemda.sieve import Limits, ScriptError, compile_script

R = 'require ["editheader", "fileinto", "enotify"];\n'


@pytest.mark.parametrize(
    ("script", "wording"),
    [
        ("keep :foo;", r"unknown tagged argument ':foo' for the keep command .+"),
        ('if header :foo "a" "b" {}', r"unknown tagged argument ':foo' for the header test .+"),
        ('if header 5 "b" {}', r"the header test expects a string list for argument 1 \(header names\), but a number was found.*"),
        ('if header "a" 5 {}', r"the header test expects a string list for argument 2 \(key list\), but a number was found.*"),
        ('if address 5 "b" {}', r"the address test expects a string list for argument 1 \(header list\), but a number was found.*"),
        ('if address "from" 5 {}', r"the address test expects a string list for argument 2 \(key list\), but a number was found.*"),
        ("redirect 5;", r"the redirect command expects a string for argument 1 .*, but a number was found.*"),
        ('if size :over "1" {}', r"the size test expects a number for argument 1 .*, but a string was found.*"),
        ('if header "a" {}', r"the header test requires 2 positional arguments, but 1 are specified"),
        ('keep "a";', r"the keep command requires 0 positional arguments, but 1 are specified"),
        ('if header "a" :is "b" {}', r"unexpected tag ':is' among the arguments of the header test"),
        ("keep true;", r"the keep command accepts no sub-tests, yet some are specified"),
        ("header;", r"cannot use test 'header' as a command"),
        ("if keep {}", r"cannot use command 'keep' as a test"),
        ("keep discard;", r"missing semicolon after the keep command"),
        ('if true "a" keep {}', r"the true test requires 0 positional arguments, but 1 are specified"),
        ("if size over 5 {}", r"missing colon in front of the over tag of the size test"),
        ('if address "subject" "b" {}', r"header field 'subject' is not allowed for the address test"),
        (R + 'addheader "X Y" "b";', r".*field name.*X Y.*invalid.*"),
        (R + 'addheader "X" "a\x01b";', r".*value.*invalid.*"),
        (R + 'deleteheader :last "X";', r".*:last tag .*cannot be specified without the :index tag.*"),
    ],
)  # fmt: skip
def test_an_error_is_worded_as_it_is_matched(script, wording):
    with pytest.raises(ScriptError) as caught:
        compile_script(script, Limits())
    assert any(re.fullmatch(wording, problem.text, re.DOTALL) for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("script", "limits", "wording"),
    [
        ('redirect "a@b.example";', Limits(redirects=0), "local policy prohibits the use of a redirect action"),
        (
            R + 'notify "mailto:a@b.example";',
            Limits(notifications=0),
            "local policy prohibits the use of a notify action",
        ),
    ],
)
def test_what_is_forbidden_is_worded_as_it_is_matched(script, limits, wording):
    with pytest.raises(ScriptError) as caught:
        compile_script(script, limits)
    assert [problem.text for problem in caught.value.problems] == [wording]
