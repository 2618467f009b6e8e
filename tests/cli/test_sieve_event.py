import json

import pytest

from sievemda.cli.main import run
from sievemda.config import Settings
from sievemda.store import messages
from sievemda.store.mailstore import MailStore
from sievemda.store.scripts import ScriptStore

SCRIPT = 'require ["imapsieve", "imap4flags", "environment", "fileinto"];\n'


@pytest.fixture
def site(tmp_path, capsys):
    store = MailStore(Settings(data=tmp_path))
    for name in ("user/alice", "user/alice/Lists"):
        store.create(store.namespace.parse_admin(name))
    lists = store.find(store.namespace.parse_admin("user/alice/Lists"))
    staged = store.stage("default", [b"From: bob@example.net\nSubject: x\nMessage-ID: <1@x>\n\nbody\n"])
    file = staged.deliver(lists, (), last=True)

    class Site:
        unique = messages.unique_part(file.name)

        def script(self, text):
            ScriptStore(store.home("alice")).put("on-lists", (SCRIPT + text).encode())
            store.annotations.set(lists, "alice", "/shared/imapsieve/script", "on-lists")

        def flags(self):
            return messages.flags_of(lists, messages.locate(lists, self.unique))

        def event(self, *arguments, user="alice", mailbox="Lists", message=None):
            given = ("--user", user, "--mailbox", mailbox, *arguments, message or self.unique)
            code = run(["--data", str(tmp_path), "sieve", "event", *given])
            captured = capsys.readouterr()
            return code, captured.out, captured.err

    return Site()


def test_the_script_of_the_mailbox_runs_on_the_message(site):
    site.script('if environment :is "imap.changedflags" "\\\\Flagged $Work" { addflag "seen-it"; }')
    code, out, _ = site.event("--cause", "flag", "--changed-flags", "\\Flagged $Work")
    assert (code, out) == (0, "script: on-lists\nflags: seen-it\n")
    assert site.flags() == ("seen-it",)


def test_without_a_script_nothing_is_done(site):
    assert site.event("--cause", "COPY") == (0, "no script for this event\n", "")


def test_as_json(site):
    site.script('fileinto "INBOX";')
    code, out, _ = site.event("--cause", "APPEND", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["script"] == "on-lists"
    assert [action["action"] for action in told["actions"]] == ["fileinto"]
    assert told["done"][0]["mailbox"] == "user/alice"
    assert told["flags"] == ["\\Deleted"]


def test_what_was_done_is_told(site):
    site.script('fileinto "INBOX";')
    out = site.event("--cause", "APPEND")[1]
    assert "done: fileinto mailbox=user/alice" in out


def test_a_script_that_fails_is_told(site):
    site.script("error_in_line_2;")
    code, out, _ = site.event("--cause", "COPY")
    assert code == 1
    assert "line 2: error: unknown command 'error_in_line_2'" in out
    site.script('fileinto "None";')
    code, out, _ = site.event("--cause", "COPY")
    assert code == 1
    assert "failed: line 2: fileinto" in out
    assert "not done: fileinto: there is no such mailbox" in out
    assert site.flags() == ()


@pytest.mark.parametrize(
    "changes", [{"user": "nobody"}, {"mailbox": "None"}, {"message": "1.M1P1.gone"}, {"user": "a b"}]
)
def test_who_is_not_there_is_code_2(site, changes):
    code, out, err = site.event("--cause", "COPY", **changes)
    assert (code, out) == (2, "")
    assert err.startswith("sievemda: ")


@pytest.mark.parametrize("arguments", [(), ("--cause", "DELETE")])
def test_wrong_usage_is_code_2(site, arguments):
    assert site.event(*arguments)[0] == 2
