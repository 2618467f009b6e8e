"""A client of the language server over standard input and output, that keeps what it is told."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.lsp.client import BaseLanguageClient

COMMAND = (sys.executable, "-m", "sievemda", "sieve", "lsp")


class Editor(BaseLanguageClient):
    def __init__(self) -> None:
        super().__init__("editor", "1")
        self.published: dict[str, list[lsp.PublishDiagnosticsParams]] = {}
        self.messages: list[str] = []
        self._news = asyncio.Event()

        @self.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def told(params: lsp.PublishDiagnosticsParams) -> None:
            self.published.setdefault(params.uri, []).append(params)
            self._news.set()

        @self.feature(lsp.WINDOW_LOG_MESSAGE)
        def said(params: lsp.LogMessageParams) -> None:
            self.messages.append(params.message)
            self._news.set()

    async def until(self, condition: Callable[[], Any]) -> Any:
        """What a condition comes to, once that is true; it is asked again whenever the server has said something."""

        async def wait() -> Any:
            while not (found := condition()):
                self._news.clear()
                await self._news.wait()
            return found

        return await asyncio.wait_for(wait(), 90)

    def open(self, uri: str, text: str, language: str = "sieve", version: int = 1) -> None:
        self.text_document_did_open(lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(uri, language, version, text)))

    def change(self, uri: str, text: str, version: int) -> None:
        self.text_document_did_change(
            lsp.DidChangeTextDocumentParams(
                lsp.VersionedTextDocumentIdentifier(version, uri), [lsp.TextDocumentContentChangeWholeDocument(text)]
            )
        )

    async def problems(self, uri: str, version: int) -> list[lsp.Diagnostic]:
        """Those that were published for a version."""
        return await self.until(
            lambda: next(
                ([params.diagnostics] for params in self.published.get(uri, ()) if params.version == version), None
            )
        ) and next(params.diagnostics for params in self.published[uri] if params.version == version)


def capabilities(**changes: Any) -> lsp.ClientCapabilities:
    """Those of an editor of today, with changes."""
    completion = lsp.CompletionClientCapabilities(
        completion_item=lsp.ClientCompletionItemOptions(snippet_support=changes.get("snippets", True))
    )
    general = lsp.GeneralClientCapabilities(position_encodings=changes.get("encodings"))
    return lsp.ClientCapabilities(
        text_document=lsp.TextDocumentClientCapabilities(completion=completion), general=general
    )


def session(
    script: Callable[[Editor], Awaitable[None]],
    *arguments: str,
    options: Any = None,
    cwd: Path | None = None,
    **changes: Any,
) -> int:
    """Start the server, initialize it, let a script talk to it, end it: the exit code."""

    async def run() -> int:
        editor = Editor()
        await editor.start_io(*COMMAND, *arguments, cwd=cwd)
        editor.started = await editor.initialize_async(
            lsp.InitializeParams(
                capabilities=capabilities(**changes), initialization_options=options, process_id=None, root_uri=None
            )
        )
        editor.initialized(lsp.InitializedParams())
        await script(editor)
        await editor.shutdown_async(None)
        editor.exit(None)
        server = editor._server
        code = await asyncio.wait_for(server.wait(), 90)
        await editor.stop()
        return code

    return asyncio.run(run())
