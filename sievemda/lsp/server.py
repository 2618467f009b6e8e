"""The language server itself: the protocol on one side, questions about documents on the other.

Why the whole text comes with every change: a script is a few kilobytes, and an edit that client and server count
differently (the lines of pygls end at more characters than those of the protocol) would spoil all that follows.

Why work is done in threads: a script of the largest size takes seconds, in which requests, cancellations and later
versions must still be read. One check at a time runs for a document; what it was started for may be gone by then, and
then nobody is told.

Why problems are published until the client asks for them: a client that asks (pull diagnostics) would show them twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any, BinaryIO, TypeVar

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from sievemda import __version__
from sievemda.lsp.checking import diagnostics
from sievemda.lsp.completion import Taste
from sievemda.lsp.document import Document, World
from sievemda.lsp.lines import whole
from sievemda.lsp.protocol import Protocol
from sievemda.lsp.wishes import wished

T = TypeVar("T")
PAUSE = 0.2  # seconds without a change before a script is checked


class SieveServer(LanguageServer):
    """Knows the documents that are open, and sees that their problems are told."""

    protocol: Protocol

    def __init__(self, world: World, pause: float = PAUSE) -> None:
        super().__init__(
            "sievemda", __version__, text_document_sync_kind=lsp.TextDocumentSyncKind.Full, protocol_cls=Protocol
        )
        self.world = world
        self.taste = Taste()
        self._pause = pause
        self._documents: dict[str, Document] = {}
        self._changed: set[str] = set()
        self._checks: dict[str, asyncio.Task[None]] = {}
        self._pulled: set[str] = set()

    # -- documents ---------------------------------------------------------------------------------------------

    def document(self, uri: str) -> Document | None:
        """The newest version of a document that is open."""
        return self._documents.get(uri)

    def take(self, uri: str) -> None:
        """A document was opened or has changed."""
        opened = uri not in self._documents
        known = self.workspace.text_documents.get(uri)
        if known is None:
            return
        encoding = self.workspace.position_encoding
        testing = known.language_id == "svtest" or uri.lower().endswith(".svtest")
        self._documents[uri] = Document(
            uri, whole(known.source), self.world, known.version, str(getattr(encoding, "value", encoding)), testing
        )
        self.check(uri, at_once=opened)

    def drop(self, uri: str) -> None:
        """A document was closed: its problems are no longer of interest."""
        self._documents.pop(uri, None)
        if uri not in self._pulled:
            self._publish(uri, None, [])
        self._pulled.discard(uri)

    def use(self, world: World) -> None:
        """Look at every document anew, in another world."""
        self.world = world
        for uri, document in list(self._documents.items()):
            self._documents[uri] = replace(document, world=world)
            self.check(uri)

    # -- problems ----------------------------------------------------------------------------------------------

    def check(self, uri: str, *, at_once: bool = False) -> None:
        """See that the problems of the newest version are published, once nothing has changed for a moment."""
        if uri in self._pulled:
            return
        self._changed.add(uri)
        if uri not in self._checks:
            self._checks[uri] = asyncio.get_running_loop().create_task(self._check(uri, 0 if at_once else self._pause))

    async def _check(self, uri: str, pause: float) -> None:
        try:
            while uri in self._changed:
                self._changed.discard(uri)
                await asyncio.sleep(pause)
                pause = self._pause
                document = self._documents.get(uri)
                if document is None or uri in self._changed or uri in self._pulled:
                    continue
                await self._tell(uri, document)
        finally:
            del self._checks[uri]

    async def _tell(self, uri: str, document: Document) -> None:
        """Publish the problems of a version, unless there is a newer one by then."""
        try:
            found = await asyncio.to_thread(diagnostics, document)
        except Exception as e:  # noqa: BLE001 - the next version may be one that can be checked
            self.report_server_error(e, type(e))
            return
        if self._documents.get(uri) is document and uri not in self._pulled:
            self._publish(uri, document.version, found)

    def _publish(self, uri: str, version: int | None, found: list[lsp.Diagnostic]) -> None:
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, found, version))

    async def pull(self, uri: str) -> lsp.DocumentDiagnosticReport:
        """The problems for a client that asks for them; what was published of this document is taken back."""
        if uri not in self._pulled:
            self._pulled.add(uri)
            self._publish(uri, None, [])
        document = self._documents.get(uri)
        found = await asyncio.to_thread(diagnostics, document) if document else []
        return lsp.RelatedFullDocumentDiagnosticReport(found)

    # -- questions ---------------------------------------------------------------------------------------------

    async def ask(self, uri: str, question: Callable[[Document], T], otherwise: T) -> T:
        """What a question says of a document, asked in a thread; `otherwise` when no such document is open."""
        document = self._documents.get(uri)
        return otherwise if document is None else await asyncio.to_thread(question, document)

    def report_server_error(self, error: Exception, source: Any) -> None:  # noqa: ARG002 - as pygls calls it
        """Say on standard error what went wrong; answer what was no JSON."""
        if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | RecursionError):
            self.protocol.refuse(None, lsp.ErrorCodes.ParseError, f"not JSON: {error}")
        else:
            sys.stderr.write(f"sievemda: {type(error).__name__}: {error}"[:400] + "\n")

    def learn(self, params: lsp.InitializeParams) -> None:
        """What the client can take, and what it wishes."""
        text = params.capabilities.text_document
        item = text.completion.completion_item if text and text.completion else None
        hover = text.hover.content_format if text and text.hover else None
        markdown = lsp.MarkupKind.Markdown
        self.taste = Taste(
            snippets=bool(item and item.snippet_support),
            markdown=markdown in ((item.documentation_format if item else None) or ()),
            hover_markdown=hover is None or markdown in hover,
        )
        self.wish(params.initialization_options)

    def wish(self, options: object) -> None:
        """Take over the settings that a client gives; what cannot be understood is said and passed over."""
        world, complaints = wished(self.world, options)
        for complaint in complaints:
            self.window_log_message(lsp.LogMessageParams(lsp.MessageType.Warning, f"sievemda: {complaint}"))
        if world != self.world:
            self.use(world)


def _own_output() -> BinaryIO:
    """Standard output for the protocol alone: whatever else is printed goes to standard error."""
    mine = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return mine


def serve(world: World, address: tuple[str, int] | None = None) -> int:
    """Serve one client over standard input and output, or the first that connects to an address, until it leaves.

    The exit code: 0 when the client said `shutdown` before, 1 when it just went.
    """
    from sievemda.lsp.features import register  # noqa: PLC0415 - knows this class

    logging.getLogger("pygls").setLevel(logging.CRITICAL + 1)  # it logs what is wrong with a client, with tracebacks
    server = SieveServer(world)
    register(server)
    with contextlib.suppress(SystemExit, KeyboardInterrupt):
        if address:
            server.start_tcp(*address)
        else:
            server.start_io(stdout=_own_output())
    return 0 if server.protocol.ended_well else 1
