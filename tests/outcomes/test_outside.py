"""What scripts reach outside of themselves, over a real server: programs, lists that change, calendars on disk."""

import sqlite3

import pytest

from tests.outcomes.site import Site, message

PROGRAMS = {
    "pipe/take": 'cat > "$DIR/taken"',
    "pipe/fail": "exit 3",
    "pipe/hang": "sleep 600",
    "filter/stamp": "echo 'X-Stamp: yes'; cat",
    "filter/rename": "sed 's/^Subject:.*/Subject: renamed/; s/^From:.*/From: Eve <eve@example.net>/'",
    "filter/empty": "exit 0",
    "filter/hang": "sleep 600",
    "filter/die": "cat; kill -9 $$",
    "filter/garbage": "head -c 3000 /dev/urandom",
    "execute/away": 'test "$1" = yes && echo gone fishing',
    "execute/hang": "sleep 600",
}
FRIENDS, MEMBERS, BASE = "tag:example.org,2026:friends", "tag:example.org,2026:members", "tag:example.org,2026:base"
INVITATION = """\
From: Bob <bob@example.net>
To: {to}@example.org
Subject: invited
Message-ID: {id}
MIME-Version: 1.0
Content-Type: text/calendar; charset=utf-8; method={method}

BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//a//b
METHOD:{method}
BEGIN:VEVENT
UID:1@example.net
DTSTAMP:2026010{n}T000000Z
SEQUENCE:{n}
DTSTART:20270301T100000Z
ORGANIZER:mailto:bob@example.net
ATTENDEE:mailto:{to}@example.org
{line}
END:VEVENT
END:VCALENDAR
"""


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    return tmp_path_factory.mktemp("outside")


@pytest.fixture(scope="module")
def site(outside):
    for name, text in PROGRAMS.items():
        path = outside / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\nDIR='{outside}'\n{text}\n")
        path.chmod(0o755)
    (outside / "friends").write_text("bob@example.net\n")
    (outside / "members").write_text("ann@example.com\ncarl@example.com\n")
    lists = (("friends", FRIENDS, "file"), ("members", MEMBERS, "file"), ("base", BASE, "sqlite"))
    with sqlite3.connect(outside / "base") as connection:
        connection.execute("CREATE TABLE t (a TEXT)")
    connection.close()
    site = Site(
        outside / "d",
        (
            "sieve_extensions=+vnd.dovecot.pipe +vnd.dovecot.filter +vnd.dovecot.execute +processcalendar",
            *(f"sieve_{kind}_bin_dir={outside / kind}" for kind in ("pipe", "filter", "execute")),
            *(f"sieve_{kind}_exec_timeout=5" for kind in ("pipe", "filter", "execute")),
            *(f"sieve_extlists.{label}.name={name}" for label, name, _ in lists),
            *(f"sieve_extlists.{label}.{kind}={outside / label}" for label, _, kind in lists),
            "sieve_extlists.base.statement=select a from t where a in ({values})",
        ),
    )
    site.start()
    yield site
    assert site.stop() == 0, site.words()
    assert "Traceback" not in site.words(), site.words()


def inbox(site, name):
    return [file.read_bytes() for file in site.files(f"user/{name}")]


def flagged(site, name):
    keywords = site.folder(f"user/{name}") / "dovecot-keywords"
    return keywords.exists() and "$SieveFailed" in keywords.read_text()


def delivered(site, name, data):
    assert site.deliver(f"{name}@example.org", data)[0].startswith("250")


# -- programs --------------------------------------------------------------------------------------------------


def test_a_filter_changes_what_is_stored_and_not_what_is_answered(site, name, fresh):
    site.user(name, script="""require ["vnd.dovecot.filter", "vacation"];
        filter "rename"; vacation :addresses "alice@example.org" "away";""")  # fmt: skip
    delivered(site, name, message(fresh, "as it came"))
    assert b"Subject: renamed" in inbox(site, name)[0]
    outgoing = [path.read_bytes() for path in site.data.rglob("*") if path.is_file() and "mail" not in path.parts]
    answer = next(text for text in outgoing if b"auto-replied (vacation)" in text and fresh.encode() in text)
    assert b"Subject: Auto: as it came" in answer
    assert b"renamed" not in answer


@pytest.mark.parametrize("program", ["empty", "hang", "die"])
def test_a_filter_that_fails_costs_no_message(site, name, fresh, program):
    site.user(name, script=f'require "vnd.dovecot.filter"; filter "{program}"; filter "stamp";')
    delivered(site, name, message(fresh))
    (stored,) = inbox(site, name)
    assert b"X-Stamp: yes" in stored
    assert fresh.encode() in stored
    assert not flagged(site, name)


def test_a_filter_that_writes_rubbish_still_gives_a_file(site, name, fresh):
    site.user(name, script='require "vnd.dovecot.filter"; filter "garbage"; if header "subject" "x" { discard; }')
    delivered(site, name, message(fresh))
    assert len(inbox(site, name)) == 1


@pytest.mark.parametrize(("tag", "failed"), [("", True), (":try", False)])
@pytest.mark.parametrize("program", ["fail", "hang", "nosuch"])
def test_a_pipe_that_fails_costs_no_message(site, name, fresh, program, tag, failed):
    site.user(name, script=f'require "vnd.dovecot.pipe"; pipe {tag} "{program}";')
    delivered(site, name, message(fresh))
    assert len(inbox(site, name)) == 1
    assert flagged(site, name) is failed


def test_a_program_gets_the_message_as_it_was_then(site, outside, name, fresh):
    site.user(name, script="""require ["vnd.dovecot.pipe", "vnd.dovecot.filter", "copy", "editheader"];
        filter "stamp"; pipe :copy "take"; addheader "X-Later" "1";""")  # fmt: skip
    delivered(site, name, message(fresh))
    taken = (outside / "taken").read_bytes()
    assert b"X-Stamp: yes\r\n" in taken
    assert b"X-Later" not in taken
    assert b"X-Later: 1" in inbox(site, name)[0]


def test_execute_answers_and_a_time_out_is_false(site, name, fresh):
    site.user(name, "Yes", script="""require ["vnd.dovecot.execute", "variables", "fileinto", "editheader"];
        if execute "hang" { discard; stop; }
        if execute :output "o" "away" ["yes"] { addheader "X-Out" "${o}"; fileinto "Yes"; }""")  # fmt: skip
    delivered(site, name, message(fresh))
    assert b"X-Out: gone fishing" in site.files(f"user/{name}/Yes")[0].read_bytes()


# -- lists -----------------------------------------------------------------------------------------------------


def test_a_list_that_changes_counts_from_the_next_message_on(site, outside, name, fresh):
    site.user(name, "F", script=f'require ["extlists", "fileinto"]; if address :list "from" "{FRIENDS}" {{ fileinto "F"; }}')  # fmt: skip
    delivered(site, name, message(fresh))
    (outside / "new").write_text("carol@example.net\n")
    (outside / "new").rename(outside / "friends")
    delivered(site, name, message(f"<2{fresh[1:]}"))
    (outside / "friends").unlink()
    delivered(site, name, message(f"<3{fresh[1:]}"))
    assert len(site.files(f"user/{name}/F")) == 1
    assert len(inbox(site, name)) == 2
    assert flagged(site, name)
    (outside / "friends").write_text("bob@example.net\n")
    delivered(site, name, message(f"<4{fresh[1:]}"))
    assert len(site.files(f"user/{name}/F")) == 2


def test_a_list_that_is_held_delays_and_then_delivers_once(site, outside, name, fresh):
    site.user(name, "F", script=f"""require ["extlists", "fileinto", "copy"]; fileinto :copy "F";
        if address :list "from" "{BASE}" {{ discard; }}""")  # fmt: skip
    writer = sqlite3.connect(outside / "base", isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    assert site.deliver(f"{name}@example.org", message(fresh))[0].startswith("451 4.3.0")
    assert not site.files(f"user/{name}/F")
    writer.execute("COMMIT")
    writer.close()
    delivered(site, name, message(fresh))
    assert len(site.files(f"user/{name}/F")) == len(inbox(site, name)) == 1


# -- calendars -------------------------------------------------------------------------------------------------


def invitation(name, fresh, n=1, method="REQUEST", line="SUMMARY:one"):
    return (
        INVITATION.format(to=name, id=f"<{n}{fresh[1:]}", method=method, n=n, line=line).replace("\n", "\r\n").encode()
    )


def objects(site):
    return {path: path.read_text() for path in site.data.rglob("*.ics")}


def test_an_invitation_is_added_updated_and_removed_on_disk(site, name, fresh):
    before = set(objects(site))
    site.user(name, script='require "processcalendar"; processcalendar :deletecancelled;')
    delivered(site, name, invitation(name, fresh))
    (path,) = set(objects(site)) - before
    assert "SUMMARY:one" in path.read_text()
    delivered(site, name, invitation(name, fresh, 2, line="SUMMARY:two"))
    assert "SUMMARY:two" in path.read_text()
    delivered(site, name, invitation(name, fresh, 3, "CANCEL"))
    assert not path.exists()
    assert len(inbox(site, name)) == 3


@pytest.mark.parametrize(
    "line", ["DTSTART:20270302T100000Z", "RECURRENCE-ID:x", "DTEND;VALUE=DATE:20270302", "END:VEVENT"]
)
def test_a_broken_invitation_is_mail_like_any_other(site, name, fresh, line):
    site.user(name, script='require "processcalendar"; processcalendar :allowpublic;')
    delivered(site, name, invitation(name, fresh, line=line))
    assert len(inbox(site, name)) == 1
    assert not flagged(site, name)
