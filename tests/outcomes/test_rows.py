"""Several scripts for one delivery, by a real server over LMTP: what each leaves to the next, and which one failed."""

import json
from dataclasses import dataclass

import pytest

from tests.outcomes.site import Site, message

SETTINGS = ("sieve_before=admin/{user}/before.sieve", "sieve_after=admin/{user}/after.sieve")
HEAD = 'require ["imap4flags", "editheader", "fileinto", "copy", "mailbox", "variables", "include", "duplicate"];\n'


@dataclass
class Row:
    """A user, with his own script and those that the administrator has for him."""

    site: Site
    user: str

    def deliver(self, id_="", **more):
        """Deliver a message to him; what the journal tells of it."""
        id_ = id_ or f"<{self.user}@x>"
        (reply,) = self.site.deliver(self.user, message(id_, **more))
        assert reply.startswith("250"), reply
        return json.loads(self.site.cli("why", "--json", id_).splitlines()[-1])

    def files(self, folder=""):
        return self.site.files(f"user/{self.user}{folder and '/' + folder}")

    def keywords(self, file):
        """The flags of a message by name, system flags as the letters of its file."""
        names = (self.site.folder(f"user/{self.user}") / "dovecot-keywords").read_text().splitlines()
        known = {chr(97 + int(number)): name for number, _, name in (line.partition(" ") for line in names)}
        return {known.get(letter, letter) for letter in file.name.partition(":2,")[2]}


@pytest.fixture
def row(site, name):
    """Makes a row of three scripts; None: no such file."""

    def make(before, own, after):
        made = Row(site, name)
        folder = site.data / "admin" / made.user
        folder.mkdir(parents=True)
        for script, text in (("before", before), ("after", after)):
            if text is not None:
                (folder / f"{script}.sieve").write_text(HEAD + text)
        site.cli("mailbox", "create", f"user/{made.user}")
        if own is not None:
            site.script(made.user, HEAD + own)
        return made

    return make


def test_flags_and_edits_of_all_reach_the_message(row):
    one = row(
        'setflag "one"; addheader "X-Before" "1";',
        'if exists "x-before" { addflag ["two", "\\\\Seen"]; addheader "X-Own" "2"; deleteheader "X-Before"; }',
        'if hasflag "two" { addheader :last "X-After" "3"; }',
    )
    told = one.deliver()
    (file,) = one.files()
    assert one.keywords(file) == {"one", "two", "S"}
    header = file.read_text().partition("\n\n")[0]
    assert ["X-Before" in header, "X-Own: 2" in header, "X-After: 3" in header] == [False, True, True]
    assert [script[0].rpartition("/")[2] for _, _, *script in told["edits"] if script] == [
        "before.sieve",
        "after.sieve",
    ]
    assert (told["failure"], told["result"]) == ("", "delivered")


@pytest.mark.parametrize("failing", ["before", "own", "after"])
def test_of_a_script_that_fails_nothing_is_done_and_the_message_is_kept(row, failing):
    wrong = 'setflag "never"; addheader "X-Never" "1"; fileinto :copy :create "Never"; redirect "not an ${address}";'
    good = {name: f'fileinto :copy :create "{name}";' for name in ("before", "own", "after")}
    one = row(*(good | {failing: wrong}).values())
    told = one.deliver()
    (file,) = one.files()
    assert "$SieveFailed" in one.keywords(file)
    assert "X-Never" not in file.read_text()
    ran = list(good)[: list(good).index(failing)]
    listed = one.site.cli("mailbox", "list", f"user/{one.user}/*").split()
    assert [name for name in (*good, "Never") if any(each.endswith(f"/{name}") for each in listed)] == ran
    assert "invalid address" in told["failure"]
    place = f"{failing}.sieve" if failing != "own" else "line 2"
    assert place in told["failure"]
    assert ("admin" in told["failure"]) is (failing != "own")
    assert told["failure"] in one.site.cli("why", f"<{one.user}@x>")


@pytest.mark.parametrize(("before", "after"), [(None, None), ("", None), (None, "")])
def test_files_that_are_not_there_are_passed_over(row, before, after):
    one = row(before, 'fileinto :create "Mine";', after)
    assert one.deliver()["failure"] == ""
    assert len(one.files("Mine")) == 1


def test_an_invalid_script_of_the_administrator_is_named_and_the_message_kept(row):
    one = row("nonsense;", "discard;", None)
    told = one.deliver()
    assert "before.sieve" in told["failure"]
    assert "nonsense" in told["failure"]
    assert len(one.files()) == 1


def test_a_script_that_discards_ends_the_row(row):
    one = row("discard;", 'fileinto :create "Mine";', 'fileinto :create "After";')
    told = one.deliver()
    assert one.files() == []
    assert [script["name"].rpartition("/")[2] for script in told["scripts"]] == ["before.sieve"]


def test_what_the_first_has_seen_is_a_duplicate_at_the_next_delivery_and_not_for_the_others(row):
    test = 'if duplicate :header "x-id" { fileinto :create "%s"; stop; }'
    one = row(test % "B", test % "M", test % "A")
    for number in (1, 2):
        one.deliver(f"<{one.user}.{number}@x>", extra="X-Id: same\r\n")
    assert len(one.files()) == 1
    assert len(one.files("B")) == 1


def test_why_says_which_script_did_what(row):
    one = row(
        'fileinto :copy :create "B";',
        'include "more"; if header :is "subject" "hello" { fileinto :copy :create "M"; }',
        'fileinto :create "A";',
    )
    one.site.cli("script", "put", one.user, "more", "-", stdin='if exists "from" { keep; }\n')
    told = one.deliver()
    assert [
        (done["mailbox"], done.get("script", "").rpartition("/")[2]) for done in told["done"] if "file" in done
    ] == [
        (f"user/{one.user}/B", "before.sieve"),
        (f"user/{one.user}/M", ""),
        (f"user/{one.user}/A", "after.sieve"),
    ]
    assert [(test["test"], test.get("script", "")) for test in told["tests"]] == [("exists", "more"), ("header", "")]
