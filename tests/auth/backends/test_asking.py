"""Questions have an end, whatever they wait for."""

import threading

import pytest

from sievemda.auth.backends import asking
from sievemda.auth.backends.asking import Gate, Silence
from sievemda.errors import TemporaryTrouble


@pytest.fixture(autouse=True)
def no_grace(monkeypatch):
    monkeypatch.setattr(asking, "_GRACE", 0.0)


@pytest.fixture
def stuck():
    """Questions that nothing answers before the test is over."""
    stop = threading.Event()
    begun = []

    def question(_until):
        begun.append(threading.current_thread())
        assert stop.wait(60)

    question.begun, question.stop = begun, stop
    yield question
    stop.set()
    for thread in begun:
        thread.join()


def test_an_answer_is_passed_on_and_so_is_an_error():
    gate = Gate("it", 60)
    assert gate.ask(lambda until: until > 0) is True
    with pytest.raises(KeyError):
        gate.ask(lambda _until: {}["x"])
    with pytest.raises(TimeoutError, match="its own"):
        gate.ask(lambda _until: (_ for _ in ()).throw(TimeoutError("its own")))


def test_a_question_without_an_end_is_given_up_and_told_to_leave(stuck):
    left = []
    with pytest.raises(Silence, match="it: no answer in time"):
        Gate("it", 0.01).ask(stuck, lambda: left.append(1))
    assert left == [1]


def test_threads_that_are_lost_do_not_pile_up(stuck):
    gate = Gate("it", 0.001)
    for _ in range(30):
        with pytest.raises(TemporaryTrouble):
            gate.ask(stuck)
    assert len(stuck.begun) == asking._MOST_LOST


def test_when_they_have_come_to_an_end_it_is_asked_again(stuck):
    gate = Gate("it", 0.001)
    for _ in range(asking._MOST_LOST):
        with pytest.raises(Silence):
            gate.ask(stuck)
    with pytest.raises(TemporaryTrouble, match="not answered lately"):
        gate.ask(stuck)
    stuck.stop.set()
    for thread in stuck.begun:
        thread.join()
    gate._patience = 60.0
    assert gate.ask(lambda _until: "again") == "again"
