"""A clock that tests put forward, so that what is said of times needs neither waiting nor a quick machine."""

import asyncio


class Ahead(asyncio.SelectorEventLoop):
    """An event loop in a thread of its own whose clock others may put forward."""

    _ahead = 0.0

    def time(self):
        return super().time() + self._ahead

    def put_forward(self, seconds):
        """At once, from any thread: what is due then is done."""
        self._ahead += seconds
        self.call_soon_threadsafe(lambda: None)
