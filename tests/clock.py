"""A clock that tests put forward, so that what is said of times needs neither waiting nor a quick machine."""

import asyncio
import threading


class Ahead(asyncio.SelectorEventLoop):
    """An event loop in a thread of its own whose clock others may put forward."""

    _ahead = 0.0

    def time(self):
        return super().time() + self._ahead

    def put_forward(self, seconds):
        """From another thread, once the loop is through with what it does: what is due then is done."""
        done = threading.Event()
        self.call_soon_threadsafe(self._put_forward, seconds, done)
        assert done.wait(60)

    def _put_forward(self, seconds, done):
        """In the loop's own thread: a session that has just answered has noted since when it waits."""
        self._ahead += seconds
        done.set()
