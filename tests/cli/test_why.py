"""`sievemda why` after real deliveries."""

import hashlib
import json
import subprocess
import sys

import pytest

from sievemda.cli import main
from sievemda.cli.why import _done, explained
from sievemda.delivery.tried import unpack
from sievemda.scripts.opening import keeper_of, open_versions
from sievemda.state.versions import Actor
from sievemda.store.scripts import ScriptStore
from tests.delivery.world import World, message, sender

SCRIPT = """\
require ["fileinto", "vacation", "copy"];
# invoices
if header :contains "subject" ["bill", "invoice"] {
    fileinto "Invoices";
    redirect :copy "accounts@example.net";
}
vacation "away";
"""


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path / "data")
    world.user("alice", "Invoices", script=SCRIPT)
    yield world
    world.close()


@pytest.fixture
def why(world, capsys):
    def run(*arguments, code=0):
        assert main.run(["--data", str(world.settings.data), "why", *arguments]) == code
        return capsys.readouterr().out

    return run


def test_it_tells_from_whom_to_whom_and_which_script(world, why):
    world.deliver("alice@x", message("<1@x>"))
    told = why("<1@x>")
    assert "bob@example.net -> alice@x" in told
    assert "<1@x>" in told
    assert "script    main" in told


def test_it_shows_each_test_with_its_line_and_what_it_saw(world, why):
    world.deliver("alice@x", message("<1@x>", "Your invoice 17"))
    told = why("1@x")
    assert 'line 3: if header :contains "subject" ["bill", "invoice"] {' in told
    assert 'line 3: header is true: "Your invoice 17" against "bill", "invoice"' in told


def test_it_shows_what_was_done_and_where_the_message_lies(world, why):
    world.deliver("alice@x", message("<1@x>", "invoice"))
    told = why("<1@x>")
    (file,) = world.files("user/alice/Invoices")
    assert f"done      line 4: fileinto: stored in user/alice/Invoices, as {file}" in told
    assert "done      line 5: redirect to accounts@example.net, by the outbox" in told
    assert "result    delivered" in told


def test_it_says_what_was_not_done_and_why(world, why):
    world.deliver("alice@x", message("<1@x>"), sender(""))
    assert "not done  line 7: vacation: " in why("<1@x>")


def test_it_explains_a_duplicate(world, why):
    for _ in range(2):
        world.deliver("alice@x", message("<1@x>"))
    assert "duplicate: user/alice has it already" in why("<1@x>")


def test_it_explains_a_failure(world, why):
    world.script("alice", 'require "fileinto";\nfileinto "Nowhere";')
    world.deliver("alice@x", message("<1@x>"))
    told = why("<1@x>")
    assert 'failed    line 2: fileinto "Nowhere": there is no such mailbox' in told
    assert "stored in user/alice with $SieveFailed" in told


def test_it_explains_a_broken_script(world, why):
    world.script("alice", "if {")
    world.deliver("alice@x", message("<1@x>"))
    assert "failed    the script cannot be used: 1:" in why("<1@x>")


def test_it_explains_a_refusal(world, why):
    world.script("alice", 'require "reject"; reject "no thanks";')
    world.deliver("alice@x", message("<1@x>"))
    assert "result    rejected (no thanks)" in why("<1@x>")


def test_it_explains_plain_delivery_and_a_folder_that_was_not_open(world, why):
    world.user("bob", "F", acl=None)
    world.deliver("bob+F@x", message("<1@x>"))
    told = why("<1@x>")
    assert "script    none" in told
    assert "not done  delivery to the folder of bob+F@x: anonymous has no right 'p' there" in told
    assert "stored in user/bob" in told


def test_it_says_that_the_folder_of_an_address_does_not_exist(world, why):
    world.user("bob")
    world.deliver("bob+nope@x", message("<1@x>"))
    assert "not done  delivery to the folder of bob+nope@x: there is no such folder" in why("<1@x>")


@pytest.mark.parametrize("script", ["discard;", 'redirect "a@b.example";'])
def test_it_does_not_call_delivered_what_was_not_stored(world, why, script):
    world.script("alice", script)
    world.deliver("alice@x", message("<1@x>"))
    assert "result    accepted, and nothing was stored" in why("<1@x>")


def test_it_explains_who_was_refused_at_rcpt(world, why):
    world.user("full")
    world.quota("user/full", messages=0)
    world.deliver("full@x", message("<0@x>"))
    world.deliver(["alice@x", "full@x", "nobody@x"], message("<1@x>"))
    told = why("<1@x>").split("\n\n")
    assert len([part for part in told if part.strip()]) == 3
    assert "-> full@x" in told[1]
    assert "refused at RCPT" in told[1]
    assert "result    over quota" in told[1]
    assert "result    no such user" in told[2]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"Message-ID: <1@x>\nno field\n\nx\n", "a header line is malformed"),
        (b"Message-ID: <1@x>\n\nx\0\n", "NUL"),
        (b"Subject: \0\nMessage-ID: <1@x>\n\nMessage-ID: <2@x>\n", "NUL"),
    ],
)
def test_it_finds_a_message_that_was_not_acceptable(world, why, data, reason):
    world.deliver("alice@x", data)
    told = why("<1@x>")
    assert "result    content refused" in told
    assert reason in told
    assert "script" not in told


def test_every_recipient_has_his_part(world, why):
    world.user("bob")
    world.deliver(["alice@x", "bob@x"], message("<1@x>"))
    told = why("<1@x>")
    assert "-> alice@x" in told
    assert "-> bob@x" in told


def test_the_lines_of_a_script_that_has_changed_since_are_not_shown(world, why):
    world.deliver("alice@x", message("<1@x>"))
    world.script("alice", SCRIPT.replace("invoices", "changed"))
    told = why("<1@x>")
    assert "if header" not in told
    assert "line 3: header is false" in told


def test_json_is_one_object_per_recipient(world, why):
    world.user("bob")
    receipts = world.receipts(["alice@x", "bob@x"], message("<1@x>", "invoice"))
    lines = [json.loads(line) for line in why("--json", "<1@x>").splitlines()]
    assert [line["to"] for line in lines] == ["alice@x", "bob@x"]
    assert lines[0]["tests"] == [
        {
            "line": 3,
            "test": "header",
            "result": True,
            "compared": [{"values": ["invoice"], "keys": ["bill", "invoice"]}],
        }
    ]
    assert [line["id"] for line in lines] == [receipt.journal_id for receipt in receipts]


def test_the_id_of_a_reply_is_enough(world, why):
    (receipt,) = world.receipts("alice@x", message("<1@x>"))
    assert "<1@x>" in why(receipt.journal_id)


def test_nothing_known_is_67(world, why, capsys):
    assert why("<never@x>", code=67) == ""


def test_nothing_is_made_by_asking(tmp_path):
    assert main.run(["--data", str(tmp_path / "none"), "why", "<1@x>"]) == 67
    assert not (tmp_path / "none").exists()


def test_what_strangers_wrote_cannot_move_the_cursor(world, why):
    world.script("alice", 'if header "subject" "x" { stop; }')
    world.deliver("alice@x", message("<1@x>", "=?utf-8?q?a=1B=5B2Jb?="))
    told = why("<1@x>")
    assert "\x1b" not in told
    assert "[2Jb" in told


def test_a_giant_script_run_is_cut_and_says_so(world, why):
    world.script("alice", "".join(f'if header :is "subject" "{n}" {{ stop; }}\n' for n in range(900)))
    world.deliver("alice@x", message("<1@x>", "s" * 5000))
    told = why("<1@x>")
    assert "more tests" in told
    assert len(told) < 400_000


def test_it_is_quick_to_start(world):
    world.deliver("alice@x", message("<1@x>"))
    code = "import sys; from sievemda.cli import main; main.run(sys.argv[1:]); print([m for m in sys.modules if m.startswith(('lark', 'aiosmtpd', 'email'))])"
    done = subprocess.run(
        [sys.executable, "-c", code, "--data", str(world.settings.data), "why", "<1@x>"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_it_tells_of_included_scripts_of_the_log_and_of_edits(world, why):
    ScriptStore(world.store.home("alice")).put(
        "other", b'require ["vnd.dovecot.debug", "editheader"];\nif true { debug_log "hi"; addheader "X-A" "1"; }'
    )
    world.script("alice", 'require "include";\ninclude "other";')
    world.deliver("alice@x", message("<1@x>"))
    told = why("<1@x>")
    assert "also      other, sha256 " in told
    assert "    other, line 2: true is true\n" in told
    assert "log       other, line 2: hi\n" in told
    assert "edited    other, line 2: " in told


def test_an_entry_of_an_older_version_can_be_read(world, why):
    world.deliver("alice@x", message("<1@x>"))
    (entry,) = world.journal.find("<1@x>")
    for key in ("scripts", "notes", "edits"):
        del entry[key]
    entry["tests"] = unpack(entry["tests"])
    assert "result    delivered" in explained(entry, [])


def test_what_was_told_to_others_is_told(world, why):
    world.script(
        "alice",
        'require ["enotify", "vnd.dovecot.report"]; notify "mailto:phone@example.net"; report "abuse" "x" "abuse@example.net";',
    )
    world.deliver("alice@x", message("<7@example.net>"), notify=("SUCCESS",))
    told = why("<7@example.net>")
    assert "notify to phone@example.net, by the outbox" in told
    assert "report to abuse@example.net, by the outbox" in told
    assert "notice of success to bob@example.net, by the outbox" in told


def test_every_kind_of_deed_can_be_told():
    entry = {"action": "pipe", "line": 3, "program": "tickets", "arguments": ["a"]}
    assert _done(entry) == "pipe: tickets, ['a']"
    assert _done({"action": "discard", "line": 1}) == "discard"


def test_it_names_the_version_that_ran_and_shows_its_lines_though_the_script_has_changed(world, why):
    keeper = keeper_of(
        world.settings, world.store, open_versions(world.settings), "alice", Actor("alice", "::1", "test")
    )
    keeper.look()
    world.deliver("alice@x", message("<1@x>", "invoice"))
    keeper.put("main", b"keep;")
    told = why("<1@x>")
    digest = hashlib.sha256(SCRIPT.encode()).hexdigest()
    assert f"script    main, sha256 {digest[:12]}, version 1" in told
    assert 'line 3: if header :contains "subject" ["bill", "invoice"] {' in told
    assert json.loads(why("--json", "<1@x>"))["script"] == {"name": "main", "sha256": digest, "version": 1}
