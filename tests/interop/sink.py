"""The rest of the world: an SMTP (or LMTP) server that takes everything and keeps it in memory."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from pathlib import Path

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.interop.processes import free_port, wait_until


@dataclass
class Sink:
    """Listens on a loopback port for SMTP or, given a path, on a UNIX socket for LMTP."""

    path: Path | None = None
    port: int = field(default_factory=free_port)
    received: list[Envelope] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        self.received.append(envelope)
        return "250 2.0.0 kept"

    def start(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(60)

    async def _listen(self) -> asyncio.Server:
        options = {"enable_SMTPUTF8": True, "loop": asyncio.get_running_loop()}
        if self.path is not None:
            return await asyncio.get_running_loop().create_unix_server(lambda: LMTP(self, **options), str(self.path))
        return await asyncio.get_running_loop().create_server(lambda: SMTP(self, **options), "127.0.0.1", self.port)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(60)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.sleep(0.1)

    def wait_for(self, recipient: str, seconds: float = 30.0) -> Envelope:
        """The first message that came for a recipient."""

        def found() -> list[Envelope]:
            return [one for one in self.received if recipient in one.rcpt_tos]

        wait_until(found, f"mail for {recipient} in the sink", seconds)
        return found()[0]
