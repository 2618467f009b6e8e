import pytest

from sievemda.sieve import Limits
from sievemda.sieve.check import check_script

LIMITS = Limits(redirects=2, actions=3)


def warned(script):
    found = check_script(f'require ["fileinto", "copy", "variables", "include"];\n{script}'.encode(), LIMITS)
    assert all(problem.severity == "warning" for problem in found)
    return [(p.line, p.text.partition(":")[0]) for p in found if p.code == "always-exceeded"]


def redirects(*names):
    return "".join(f'redirect "{name}@example.com";\n' for name in names)


def test_a_redirect_that_is_always_one_too_many_is_told_of():
    assert warned(redirects("a", "b", "c")) == [(4, "number of redirect actions exceeds policy limit (3 > 2)")]


def test_so_is_an_action():
    script = "".join(f'fileinto "{name}";\n' for name in "abcde")
    assert warned(script) == [(5, "total number of actions exceeds policy limit (4 > 3)")]


@pytest.mark.parametrize(
    "script",
    [
        redirects("a", "b"),
        redirects("a", "b", "a", "b"),
        'redirect "a@x.example"; redirect "a@X.example"; redirect "b@x.example";',
        redirects("a", "b") + "stop; " + redirects("c"),
        redirects("a", "b") + "if size :over 1 { stop; } " + redirects("c"),
        redirects("a", "b") + 'include :optional "x"; ' + redirects("c"),
        "if size :over 1 { " + redirects("a", "b", "c") + "}",
        'fileinto "inbox"; fileinto "INBOX"; fileinto "a"; fileinto "b";',
    ],
)
def test_what_may_go_well_is_not(script):
    assert warned(script) == []
