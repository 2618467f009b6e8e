"""Which request of the protocol asks which question. LSP 3.17, "Language Features".

Handlers are asynchronous so that a request can be cancelled while its answer is worked out.
"""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types as lsp

from sievemda.lsp.completion import TRIGGERS, completion
from sievemda.lsp.hovering import hover, signature_help
from sievemda.lsp.layout import formatting
from sievemda.lsp.mending import code_actions
from sievemda.lsp.navigation import definition, folding, highlights, references, symbols
from sievemda.lsp.server import SieveServer
from sievemda.lsp.tokens import LEGEND, semantic_tokens


def register(server: SieveServer) -> None:
    """Teach the server everything that it can do."""
    _lifecycle(server)
    _writing(server)
    _reading(server)
    _layout(server)


def _lifecycle(server: SieveServer) -> None:
    @server.feature(lsp.INITIALIZE)
    def initialize(params: lsp.InitializeParams) -> None:
        server.learn(params)

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        server.take(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        server.take(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: lsp.DidSaveTextDocumentParams) -> None:
        server.take(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        server.drop(params.text_document.uri)

    @server.feature(lsp.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def configured(params: lsp.DidChangeConfigurationParams) -> None:
        server.wish(params.settings)

    @server.feature(
        lsp.TEXT_DOCUMENT_DIAGNOSTIC,
        lsp.DiagnosticOptions(inter_file_dependencies=True, workspace_diagnostics=False, identifier="sievemda"),
    )
    async def pulled(params: lsp.DocumentDiagnosticParams) -> lsp.DocumentDiagnosticReport:
        return await server.pull(params.text_document.uri)


def _writing(server: SieveServer) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=list(TRIGGERS)))
    async def complete(params: lsp.CompletionParams) -> lsp.CompletionList:
        nothing: list[lsp.CompletionItem] = []
        found = await server.ask(
            params.text_document.uri, lambda document: completion(document, params.position, server.taste), nothing
        )
        return lsp.CompletionList(is_incomplete=False, items=found)

    @server.feature(
        lsp.TEXT_DOCUMENT_SIGNATURE_HELP,
        lsp.SignatureHelpOptions(trigger_characters=[" ", ":", '"'], retrigger_characters=[","]),
    )
    async def signatures(params: lsp.SignatureHelpParams) -> lsp.SignatureHelp | None:
        return await server.ask(
            params.text_document.uri, lambda document: signature_help(document, params.position), None
        )

    @server.feature(
        lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix])
    )
    async def actions(params: lsp.CodeActionParams) -> Sequence[lsp.CodeAction]:
        only = params.context.only
        if only is not None and not any(lsp.CodeActionKind.QuickFix.startswith(kind) for kind in only):
            return []
        nothing: list[lsp.CodeAction] = []
        given = params.context.diagnostics
        return await server.ask(
            params.text_document.uri, lambda document: code_actions(document, params.range, given), nothing
        )


def _reading(server: SieveServer) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    async def hovered(params: lsp.HoverParams) -> lsp.Hover | None:
        markdown = server.taste.hover_markdown
        return await server.ask(
            params.text_document.uri, lambda document: hover(document, params.position, markdown=markdown), None
        )

    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    async def defined(params: lsp.DefinitionParams) -> lsp.Location | None:
        return await server.ask(params.text_document.uri, lambda document: definition(document, params.position), None)

    @server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
    async def referred(params: lsp.ReferenceParams) -> list[lsp.Location]:
        uri = params.text_document.uri
        nothing: list[lsp.Range] = []
        places = await server.ask(uri, lambda document: references(document, params.position), nothing)
        return [lsp.Location(uri, place) for place in places]

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    async def highlighted(params: lsp.DocumentHighlightParams) -> list[lsp.DocumentHighlight]:
        nothing: list[lsp.DocumentHighlight] = []
        return await server.ask(
            params.text_document.uri, lambda document: highlights(document, params.position), nothing
        )

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    async def outlined(params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        nothing: list[lsp.DocumentSymbol] = []
        return await server.ask(params.text_document.uri, symbols, nothing)

    @server.feature(lsp.TEXT_DOCUMENT_FOLDING_RANGE)
    async def folded(params: lsp.FoldingRangeParams) -> list[lsp.FoldingRange]:
        nothing: list[lsp.FoldingRange] = []
        return await server.ask(params.text_document.uri, folding, nothing)

    @server.feature(
        lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, lsp.SemanticTokensRegistrationOptions(legend=LEGEND, full=True)
    )
    async def coloured(params: lsp.SemanticTokensParams) -> lsp.SemanticTokens:
        return await server.ask(params.text_document.uri, semantic_tokens, lsp.SemanticTokens([]))


def _layout(server: SieveServer) -> None:
    @server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    async def laid_out(params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit] | None:
        return await server.ask(params.text_document.uri, formatting, None)

    @server.feature(lsp.TEXT_DOCUMENT_RANGE_FORMATTING)
    async def partly_laid_out(params: lsp.DocumentRangeFormattingParams) -> list[lsp.TextEdit] | None:
        return await server.ask(params.text_document.uri, lambda document: formatting(document, params.range), None)
