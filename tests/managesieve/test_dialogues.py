import pytest

from tests.managesieve.conversation import DIALOGUES, Direct, Wire, hold, running, settings_of

FILES = sorted(DIALOGUES.glob("*.txt"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_a_session_keeps_to_the_dialogue(file, make_service):
    text = file.read_text()
    hold(text, Direct(make_service("allowplaintext=yes", *settings_of(text))))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_a_server_keeps_to_the_dialogue(file, make_service):
    text = file.read_text()
    with running(make_service("allowplaintext=yes", *settings_of(text))) as (address, _):
        peer = Wire(address)
        try:
            hold(text, peer)
        finally:
            peer.close()


def test_there_are_dialogues():
    assert len(FILES) > 10
