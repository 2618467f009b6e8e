"""One protocol server for tests that need no settings of their own."""

import asyncio

import pytest
import uvloop

from tests.lmtp.running import running
from tests.lmtp.sink import Sink


@pytest.fixture
def sink():
    return Sink()


@pytest.fixture(params=[uvloop.new_event_loop, asyncio.new_event_loop], ids=["uvloop", "asyncio"])
def server(request, tmp_path, sink):
    with running(tmp_path, sink, loop=request.param) as started:
        yield started


@pytest.fixture
def client(server):
    with server.client() as connected:
        yield connected
