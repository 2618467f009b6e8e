import pytest

from tests.sieve.trying import KEEP, actions, filed, problems

R = 'require ["copy", "fileinto"];\n'
REDIRECTED = {"action": "redirect", "address": "a@b"}


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ('fileinto :copy "A";', [filed("A", copy=True), KEEP]),
        ('redirect :copy "a@b";', [REDIRECTED | {"copy": True}, KEEP]),
        ('fileinto :copy "A"; discard;', [filed("A", copy=True), {"action": "discard"}]),
        ('fileinto :copy "A"; fileinto "B";', [filed("A", copy=True), filed("B")]),
        ('redirect :copy "a@b"; fileinto "A";', [REDIRECTED | {"copy": True}, filed("A")]),
    ],
)
def test_copy_does_not_cancel_the_implicit_keep(script, expected):
    assert actions(R + script) == expected


def test_the_same_mailbox_without_copy_cancels_it():
    assert KEEP not in actions(R + 'fileinto :copy "A"; fileinto "A";')


def test_copy_is_no_tag_of_keep_or_discard():
    assert len(problems(R + "keep :copy; discard :copy;")) == 2
    assert len(problems('require "copy"; fileinto :copy "A";')) == 1
