"""What a client gets that does not keep to the protocol: an answer, whatever it asked. JSON-RPC 2.0 §5.1, LSP 3.17.

pygls drops what it cannot read and what comes out of turn, and a client then waits for ever.
"""

from __future__ import annotations

from typing import Any

from lsprotocol.types import EXIT, INITIALIZE, ErrorCodes, ResponseError
from pygls.exceptions import JsonRpcException
from pygls.protocol import LanguageServerProtocol

_MOST = 200  # characters of what is told of a fault


class Protocol(LanguageServerProtocol):
    """Answers what is malformed, comes before `initialize` or comes after `shutdown`."""

    @property
    def ended_well(self) -> bool:
        """Whether the client has said that it is done, before it left."""
        return self._shutdown

    def structure_message(self, data: dict[str, Any]) -> Any:
        """A message as a value; `None` for one that cannot be read, which is answered at once."""
        try:
            return super().structure_message(data)
        except JsonRpcException as e:
            if "method" in data and "id" in data:
                self.refuse(data["id"], ErrorCodes.InvalidParams, f"{data['method']}: {e.message or 'invalid'}")
            return None

    def handle_message(self, message: Any) -> None:
        """Hand a message to whoever answers it."""
        if message is None:
            return
        if isinstance(message, dict | list | str | int | float) or not hasattr(message, "jsonrpc"):
            told = message.get("id") if isinstance(message, dict) else None
            self.refuse(told, ErrorCodes.InvalidRequest, "not a message of JSON-RPC 2.0")
            return
        method, number = getattr(message, "method", ""), getattr(message, "id", None)
        if method and number is not None:
            started = self._workspace is not None
            if self._shutdown:
                self.refuse(number, ErrorCodes.InvalidRequest, "the server was shut down")
                return
            if started == (method == INITIALIZE):
                code = ErrorCodes.InvalidRequest if started else ErrorCodes.ServerNotInitialized
                self.refuse(number, code, "initialize comes first, and once")
                return
        elif method and method != EXIT and self._workspace is None:
            return  # notifications before initialize are dropped
        super().handle_message(message)

    def refuse(self, number: Any, code: int, text: str) -> None:
        """Answer with an error; without a number when it is not known what to."""
        known = number if isinstance(number, str | int) and not isinstance(number, bool) else None
        error = ResponseError(code=code, message=text[:_MOST])
        self._send_response(known, error=error)  # type: ignore[arg-type]  # null is what JSON-RPC wants here
