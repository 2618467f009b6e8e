import pytest

from sievemda.errors import DataError
from sievemda.policy.quota import Limits, Usage, exceeded


@pytest.mark.parametrize(
    ("limits", "usage", "delta", "refused"),
    [
        (Limits(), Usage(10**12, 10**6), Usage(10**9, 1), ""),
        (Limits(storage=1000), Usage(999), Usage(), ""),
        (Limits(storage=1000), Usage(1000), Usage(), ""),
        (Limits(storage=1000), Usage(1001), Usage(), "STORAGE"),
        (Limits(storage=1000), Usage(900), Usage(100, 1), ""),
        (Limits(storage=1000), Usage(900), Usage(101, 1), "STORAGE"),
        (Limits(messages=10), Usage(0, 10), Usage(), ""),
        (Limits(messages=10), Usage(0, 11), Usage(), "MESSAGE"),
        (Limits(messages=10), Usage(0, 10), Usage(0, 1), "MESSAGE"),
        (Limits(storage=0), Usage(0), Usage(), ""),
        (Limits(storage=0), Usage(1), Usage(), "STORAGE"),
        (Limits(messages=0), Usage(0, 0), Usage(5, 1), "MESSAGE"),
        (Limits(mailboxes=3), Usage(mailboxes=4), Usage(), "MAILBOX"),
        (Limits(storage=1, messages=1), Usage(0, 2), Usage(), "MESSAGE"),
    ],
)
def test_a_limit_refuses_when_usage_and_delta_pass_it(limits, usage, delta, refused):
    assert exceeded(limits, usage, delta) == refused


@pytest.mark.parametrize(
    ("words", "limits"),
    [
        ((), Limits()),
        (("STORAGE", "10"), Limits(storage=10240)),
        (("storage", "10", "Message", "50"), Limits(storage=10240, messages=50)),
        (("STORAGE", "0"), Limits(storage=0)),
        (("STORAGE", "-1"), Limits()),
        (("X-NUM-FOLDERS", "5", "X-ANNOTATION-STORAGE", "1"), Limits(mailboxes=5, annotation=1024)),
        (("MAILBOX", "5", "ANNOTATION-STORAGE", "1"), Limits(mailboxes=5, annotation=1024)),
    ],
)
def test_limits_are_given_as_pairs_sizes_in_kib(words, limits):
    assert Limits.parse(words) == limits


@pytest.mark.parametrize(
    "words",
    [
        ("STORAGE",),
        ("STORAGE", "x"),
        ("STORAGE", "1.5"),
        ("STORAGE", "-2"),
        ("STORAGE", ""),
        ("STORAGE", "٣"),
        ("STORAGE", "9" * 30),
        ("STORAGE", str(2**60)),
        ("FOO", "1"),
        ("STORAGE", "1", "storage", "2"),
        ("MAILBOX", "1", "X-NUM-FOLDERS", "2"),
    ],
)
def test_limits_that_cannot_be_are_refused(words):
    with pytest.raises(DataError):
        Limits.parse(words)
