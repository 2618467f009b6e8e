"""The server as a process, spoken to over standard input and output as an editor does."""

from __future__ import annotations

import asyncio
import json
import subprocess

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from tests.interop.processes import free_port, wait_until
from tests.lsp.editor import COMMAND, session
from tests.lsp.scripts import applied

URI = "file:///nowhere/mine.sieve"
HERE = lsp.TextDocumentIdentifier(URI)


def place(line, character):
    return lsp.TextDocumentPositionParams(HERE, lsp.Position(line, character))


def told(script, *arguments, **changes):
    """What a session leaves behind in a list; it must end well."""
    found = []

    async def run(editor):
        found.append(await script(editor))

    assert session(run, *arguments, **changes) == 0
    return found[0]


def test_a_session_from_the_first_error_to_the_layout():
    async def script(editor):
        editor.open(URI, "filei")
        problem, *_ = await editor.problems(URI, 1)
        found = await editor.text_document_completion_async(lsp.CompletionParams(HERE, lsp.Position(0, 5)))
        (item,) = (item for item in found.items if item.label == "fileinto")
        text = applied("filei", item.text_edit, *item.additional_text_edits)
        text += '   "A";\n'
        editor.change(URI, text, 2)
        assert await editor.problems(URI, 2) == ()
        edits = await editor.text_document_formatting_async(
            lsp.DocumentFormattingParams(HERE, lsp.FormattingOptions(8, insert_spaces=False))
        )
        return problem.message, applied(text, *edits)

    message, text = told(script, snippets=False)
    assert "unknown command 'filei'" in message
    assert text == 'require ["fileinto"];\n\nfileinto "A";\n'


def test_problems_carry_the_version_they_are_of_and_the_last_one_is_told():
    async def script(editor):
        editor.open(URI, "a;")
        await editor.problems(URI, 1)
        for version in range(2, 12):
            editor.change(URI, "a;" * version, version)
        found = await editor.problems(URI, 11)
        return len(found), [params.version for params in editor.published[URI]]

    count, versions = told(script)
    assert count >= 1
    assert versions[0] == 1
    assert versions == sorted(versions)
    assert len(versions) < 11


def test_problems_are_taken_back_when_the_script_is_closed():
    async def script(editor):
        editor.open(URI, "a;")
        await editor.problems(URI, 1)
        editor.text_document_did_close(lsp.DidCloseTextDocumentParams(HERE))
        return await editor.until(lambda: [one for one in editor.published[URI] if not one.diagnostics])

    assert told(script)


def test_a_client_that_asks_for_problems_is_told_them_once():
    async def script(editor):
        editor.open(URI, "a;")
        await editor.problems(URI, 1)
        report = await editor.text_document_diagnostic_async(lsp.DocumentDiagnosticParams(HERE))
        await editor.until(lambda: not editor.published[URI][-1].diagnostics)
        before = len(editor.published[URI])
        editor.change(URI, "a; b;", 2)
        again = await editor.text_document_diagnostic_async(lsp.DocumentDiagnosticParams(HERE))
        await asyncio.sleep(0.5)
        return report.kind, len(report.items), len(again.items), len(editor.published[URI]) - before

    assert told(script) == ("full", 1, 2, 0)


@pytest.mark.parametrize(
    ("encodings", "agreed", "column"),
    [
        (None, "utf-16", 17),
        (["utf-16"], "utf-16", 17),
        (["utf-8", "utf-16"], "utf-8", 19),
        (["utf-32"], "utf-32", 16),
    ],
)
def test_positions_are_in_the_encoding_that_was_agreed(encodings, agreed, column):
    async def script(editor):
        editor.open(URI, 'redirect "📫@x"; keeep;')
        found = await editor.problems(URI, 1)
        return editor.started.capabilities.position_encoding, found[-1].range.start.character

    assert told(script, encodings=encodings) == (agreed, column)


def test_every_question_is_answered_for_a_script_that_is_open():
    async def script(editor):
        editor.open(URI, 'require "variables";\nset "a" "${a}";\n# x\n# y\nif size :over 1K { keep; }\n')
        await editor.problems(URI, 1)
        at = lsp.Position(1, 5)
        return [
            await editor.text_document_hover_async(lsp.HoverParams(HERE, at)),
            await editor.text_document_signature_help_async(lsp.SignatureHelpParams(HERE, at)),
            await editor.text_document_definition_async(lsp.DefinitionParams(HERE, at)),
            await editor.text_document_references_async(lsp.ReferenceParams(lsp.ReferenceContext(True), HERE, at)),
            await editor.text_document_document_highlight_async(lsp.DocumentHighlightParams(HERE, at)),
            await editor.text_document_document_symbol_async(lsp.DocumentSymbolParams(HERE)),
            await editor.text_document_folding_range_async(lsp.FoldingRangeParams(HERE)),
            await editor.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(HERE)),
            await editor.text_document_range_formatting_async(
                lsp.DocumentRangeFormattingParams(HERE, lsp.Range(at, at), lsp.FormattingOptions(4, True))
            ) is not None,
        ]  # fmt: skip

    assert all(told(script))


def test_questions_about_a_script_that_is_not_open_have_no_answer():
    async def script(editor):
        return [
            await editor.text_document_hover_async(lsp.HoverParams(HERE, lsp.Position(0, 0))),
            (await editor.text_document_completion_async(lsp.CompletionParams(HERE, lsp.Position(0, 0)))).items,
            await editor.text_document_formatting_async(
                lsp.DocumentFormattingParams(HERE, lsp.FormattingOptions(4, True))
            ),
            await editor.text_document_code_action_async(
                lsp.CodeActionParams(HERE, lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0)), lsp.CodeActionContext([]))
            ),
        ]

    assert not any(told(script))


def test_other_kinds_of_code_actions_are_not_offered():
    async def script(editor):
        editor.open(URI, "keeep;")
        await editor.problems(URI, 1)
        where = lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0))
        return [
            len(
                await editor.text_document_code_action_async(
                    lsp.CodeActionParams(HERE, where, lsp.CodeActionContext([], only=only))
                )
            )
            for only in (None, ["quickfix"], [""], ["refactor"], ["source.organizeImports"])
        ]

    assert told(script) == [1, 1, 1, 0, 0]


def test_a_request_can_be_cancelled_and_the_server_goes_on():
    async def script(editor):
        editor.open(URI, "if true { keep; }\n" * 2_000)
        future = editor.protocol.send_request(
            lsp.TEXT_DOCUMENT_DIAGNOSTIC, lsp.DocumentDiagnosticParams(HERE), msg_id="slow"
        )
        editor.cancel_request(lsp.CancelParams("slow"))
        try:
            await asyncio.wrap_future(future)
            cancelled = False
        except JsonRpcException as e:
            cancelled = e.code == lsp.LSPErrorCodes.RequestCancelled
        hover = await editor.text_document_hover_async(lsp.HoverParams(HERE, lsp.Position(0, 1)))
        return cancelled, hover is not None

    assert told(script) == (True, True)


def test_a_script_from_a_stranger_does_not_hang_the_server():
    async def script(editor):
        for number, text in enumerate(
            ("{" * 10_000, "not " * 10_000, '"' * 99_999, "(" * 10_000, "a,[" * 5_000, "x" * (2 << 20))
        ):
            uri = f"file:///nowhere/{number}.sieve"
            here = lsp.TextDocumentIdentifier(uri)
            editor.open(uri, text)
            end = lsp.Position(0, len(text))
            await editor.text_document_completion_async(lsp.CompletionParams(here, end))
            await editor.text_document_hover_async(lsp.HoverParams(here, end))
            await editor.text_document_document_symbol_async(lsp.DocumentSymbolParams(here))
            await editor.text_document_folding_range_async(lsp.FoldingRangeParams(here))
            await editor.text_document_semantic_tokens_full_async(lsp.SemanticTokensParams(here))
            assert await editor.problems(uri, 1)
        return True

    assert told(script)


# -- settings --------------------------------------------------------------------------------------------------


def test_a_client_may_say_what_its_server_allows():
    async def script(editor):
        editor.open(URI, 'require ["fileinto", "vacation"];\n')
        first = await editor.problems(URI, 1)
        editor.workspace_did_change_configuration(
            lsp.DidChangeConfigurationParams({"sievemda": {"extensions": ["+vacation"]}})
        )
        await editor.until(lambda: len(editor.published[URI]) > 1)
        return [one.message for one in first], editor.published[URI][-1].diagnostics

    before, after = told(script, options={"extensions": ["fileinto"]})
    assert any("vacation" in message for message in before)
    assert not any("not allowed" in one.message for one in after)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ([1], "must be an object"),
        ({"extensions": "fileinto"}, "extensions must be a list of strings"),
        ({"mailboxes": [1]}, "mailboxes must be a list of strings"),
        ({"extensions": ["nothing"]}, "there is no capability 'nothing'"),
        ({"wrong": []}, "unknown setting 'wrong'"),
    ],
)
def test_a_setting_that_means_nothing_is_said(options, complaint):
    async def script(editor):
        return await editor.until(lambda: [message for message in editor.messages if complaint in message])

    assert told(script, options=options)


def test_mailboxes_and_folders_come_from_the_command_line_too(tmp_path):
    (tmp_path / "lists.sieve").write_text("keep;")

    async def script(editor):
        editor.open(URI, 'include "l";\nfileinto "";')
        first = await editor.text_document_definition_async(lsp.DefinitionParams(HERE, lsp.Position(0, 9)))
        editor.change(URI, 'include "lists";\nfileinto "";', 2)
        second = await editor.text_document_definition_async(lsp.DefinitionParams(HERE, lsp.Position(0, 9)))
        offers = await editor.text_document_completion_async(lsp.CompletionParams(HERE, lsp.Position(1, 10)))
        return first, second.uri, [item.label for item in offers.items]

    first, second, offers = told(script, "--include", str(tmp_path), "--mailbox", "Lists/Dev")
    assert first is None
    assert second == (tmp_path / "lists.sieve").as_uri()
    assert "Lists/Dev" in offers


# -- clients that do not keep to the protocol ------------------------------------------------------------------


def framed(*messages):
    octets = b""
    for message in messages:
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        octets += b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    return octets


def spoken(*messages):
    """The exit code, the answers and what stands on standard error, when a client sends this and goes away."""
    done = subprocess.run([*COMMAND], input=framed(*messages), capture_output=True, timeout=60, check=False)
    answers_, rest = [], done.stdout
    while rest:
        head, _, rest = rest.partition(b"\r\n\r\n")
        length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
        answers_.append(json.loads(rest[:length]))
        rest = rest[length:]
    return done.returncode, answers_, done.stderr.decode()


def request(number, method, params=None):
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def notice(method, params=None):
    return {"jsonrpc": "2.0", "method": method, "params": params}


START = request(1, "initialize", {"processId": None, "rootUri": None, "capabilities": {}})
END = (request(9, "shutdown"), notice("exit"))


def test_exit_after_shutdown_is_well():
    code, found, errors = spoken(START, *END)
    assert code == 0
    assert [one["id"] for one in found] == [1, 9]
    assert errors == ""


@pytest.mark.parametrize("messages", [(START, notice("exit")), (START,), (), (notice("exit"),)])
def test_exit_without_shutdown_is_not(messages):
    assert spoken(*messages)[0] == 1


@pytest.mark.parametrize(
    ("message", "number", "code"),
    [
        (b"{nonsense", None, -32700),
        (b"\xff\xfe", None, -32700),
        (b"[" * 100_000, None, -32700),
        ([], None, -32600),
        (b"17", None, -32600),
        ({"id": 5}, 5, -32600),
        (request(5, "textDocument/hover", {"textDocument": {}}), 5, -32602),
        (
            request(5, "textDocument/hover", {"textDocument": {"uri": URI}, "position": {"line": -1, "character": 0}}),
            5,
            -32602,
        ),
        (request(5, "textDocument/hover", "text"), 5, -32602),
        (request("a", "no/such/method"), "a", -32601),
        (START, 1, -32600),
    ],
)
def test_a_message_that_makes_no_sense_is_answered_with_an_error_and_the_server_goes_on(message, number, code):
    status, found, errors = spoken(START, message, *END)
    refused = [one for one in found if "error" in one]
    assert [(one.get("id"), one["error"]["code"]) for one in refused] == [(number, code)]
    assert found[-1]["id"] == 9
    assert status == 0
    assert "Traceback" not in errors


def test_nothing_is_answered_before_initialize_but_that_it_comes_first():
    _, found, _ = spoken(request(5, "textDocument/hover", {}), START, *END)
    assert found[0]["id"] == 5
    assert found[0]["error"]["code"] in {-32002, -32602}


def test_a_request_before_initialize_is_refused():
    good = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 0}}
    _, found, _ = spoken(request(5, "textDocument/hover", good), START, *END)
    assert found[0]["error"]["code"] == -32002


def test_a_request_after_shutdown_is_refused():
    good = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 0}}
    code, found, _ = spoken(START, request(9, "shutdown"), request(5, "textDocument/hover", good), notice("exit"))
    assert found[-1]["error"]["code"] == -32600
    assert code == 0


def test_a_change_of_a_script_that_is_not_open_is_survived():
    change = {"textDocument": {"uri": URI, "version": 2}, "contentChanges": [{"text": "keep;"}]}
    code, found, errors = spoken(START, notice("textDocument/didChange", change), *END)
    assert code == 0
    assert found[-1]["id"] == 9
    assert "Traceback" not in errors


# -- the command -----------------------------------------------------------------------------------------------


def command(*arguments):
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, input="", check=False)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--tcp", "nonsense"), "not HOST:PORT"),
        (("--tcp", "127.0.0.1:99999"), "not HOST:PORT"),
        (("--tcp", "0.0.0.0:4000"), "this machine alone"),
        (("--tcp", "example.org:4000"), "this machine alone"),
        (("--stdio", "--tcp", "127.0.0.1:4000"), "exclude each other"),
    ],
)
def test_wrong_usage_is_told(arguments, complaint):
    done = command(*arguments)
    assert done.returncode == 2
    assert complaint in done.stderr


def test_stdio_may_be_said():
    assert command("--stdio").returncode == 1  # nobody spoke


def test_help_has_an_example():
    assert "Example: " in command("--help").stdout


def test_one_client_is_served_over_tcp():
    port = free_port()
    server = subprocess.Popen([*COMMAND, "--tcp", f"127.0.0.1:{port}"], stderr=subprocess.PIPE)
    try:
        import socket

        def connected():
            try:
                return socket.create_connection(("127.0.0.1", port), timeout=60)
            except OSError:
                return None

        found = []
        wait_until(lambda: found or found.extend(filter(None, [connected()])), "the server listens")
        with found[0] as client:
            client.sendall(framed(START, *END))
            octets = b""
            while piece := client.recv(65536):
                octets += piece
        assert b'"id": 9' in octets
        assert server.wait(60) == 0
    finally:
        server.kill()
        server.communicate()
