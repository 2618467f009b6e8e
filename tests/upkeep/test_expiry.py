"""Expiry by rules, in one process: which messages go, where to, and what happens to those that somebody renames."""

import errno
import os
import time
from email.utils import formatdate

import pytest

from sievemda.assembly import expiry_rules
from sievemda.errors import DataError
from sievemda.policy.quota import Limits
from sievemda.store import gathered, withdrawn
from sievemda.upkeep.expiry import folder
from sievemda.upkeep.expiry.expiry import Expiry
from sievemda.upkeep.expiry.folder import Options

DAY = 86400


@pytest.fixture
def put(store):
    """Puts a message into a mailbox: its Date, its arrival and its time in the folder so many days ago."""

    def call(box, days=0, *, subject="x", body="body", flags=(), date="", saved=None):
        when = time.time() - days * DAY
        sent = formatdate(when) if date == "" else date
        header = f"Subject: {subject}\nMessage-ID: <{subject}@x>\n" + (f"Date: {sent}\n" if sent else "")
        came = int(time.time() - (days if saved is None else saved) * DAY) - 5
        staged = store.stage(box.partition, [f"{header}\n{body}\n".encode()])
        file = staged.deliver(box, flags, last=True, unique=f"{came}.M{len(subject):06}P1Q{os.urandom(4).hex()}.host")
        os.utime(file, (when - 5, when - 5))
        return file

    return call


@pytest.fixture
def expire(store, tmp_path):
    """Runs the rules of a text over all mailboxes: the outcomes by name."""

    def call(text="", *, dry=False, keep=True, tell=None, annotations=True):
        file = tmp_path / "rules.toml"
        file.write_text(text or '[rules.none]\nmailboxes="nothing"\nage=1\n')
        rules = expiry_rules(store.settings, store, file)
        run = Expiry(store, rules, Options(dry=dry, keep=keep, tell=tell), annotations=annotations)
        return {outcome.mailbox: outcome for outcome in run.run(store.named())}

    return call


def subjects(box):
    found = [path for part in ("new", "cur") for path in (box.path / part).iterdir()]
    return sorted(path.read_text().split("\n")[0].removeprefix("Subject: ") for path in found)


def rule(criteria, mailboxes='["*"]'):
    return f"[rules.r]\nmailboxes = {mailboxes}\n{criteria}\n"


@pytest.mark.parametrize(
    ("criteria", "stays"),
    [
        ('age = "30d"', ["new", "seen"]),
        ("age = 30", ["new", "seen"]),
        ('arrived = "30d"', ["new", "seen"]),
        ('saved = "30d"', ["new", "seen"]),
        ("age = 42", ["big", "new", "old", "seen"]),
        ('larger = "10K"', ["new", "old", "seen"]),
        ('larger = "10K"\ngrace = "50d"', ["big", "new", "old", "seen"]),
        ("seen = true", ["big", "new", "old"]),
        ("seen = false\nage = 30", ["new", "seen"]),
        ("flagged = true", ["big", "new", "seen"]),
        ('keyword = "$Junk"', ["big", "new", "seen"]),
        ('keyword = ["$junk", "other"]', ["big", "new", "old", "seen"]),
        ('without = "$Junk"\nage = 30', ["new", "old", "seen"]),
        ("count = 1", ["new"]),
        ("count = 2", ["new", "seen"]),
        ("count = 9", ["big", "new", "old", "seen"]),
        ('folder_size = "10K"', ["new", "old", "seen"]),
        ("folder_size = 10", []),
        ('folder_size = "200"\nflagged = true', ["big", "new", "seen"]),
        ("count = 0\nlarger = 10000", ["new", "old", "seen"]),
        ('header = { field = "subject", is = "OLD" }', ["big", "new", "seen"]),
        ('header = { field = "subject", contains = ["l", "b"] }', ["new", "seen"]),
        ('header = { field = "subject", matches = "?e?" }', ["big", "old", "seen"]),
        ('header = { field = "subject", regex = "^(n|s)e" }', ["big", "old"]),
        ('header = [{ field = "subject", contains = "e" }, { field = "subject", is = "new", not = true }]',
         ["big", "new", "old"]),
        ('header = { field = "X-No", exists = true }', ["big", "new", "old", "seen"]),
        ('header = { field = "X-No", exists = false }', []),
        ("messagedays = 30", ["new", "seen"]),
        ("messagecount = 2\nfoldersizedays = 1", ["new", "seen"]),
    ],
)  # fmt: skip
def test_a_rule_takes_what_fits_all_it_says(criteria, stays, mailbox, put, expire):
    box = mailbox("user/alice/Lists")
    put(box, 40, subject="old", flags=("\\Flagged", "$Junk"))
    put(box, 41, subject="big", body="x" * 20_000)
    put(box, 20, subject="seen", flags=("\\Seen",))
    put(box, 0, subject="new")
    expire(rule(criteria))
    assert subjects(box) == stays


@pytest.mark.parametrize("date", ["", "soon", "Thu, 31 Feb 2020 10:00:00 +0000", None])
def test_without_a_valid_date_the_arrival_counts(date, mailbox, put, expire):
    box = mailbox("user/alice")
    put(box, 40, subject="old", date=date)
    put(box, 10, subject="young", date=date)
    expire(rule("age = 30"))
    assert subjects(box) == ["young"]


def test_a_message_from_the_future_is_not_old(mailbox, put, expire):
    box = mailbox("user/alice")
    put(box, 40, date=formatdate(time.time() + 3 * DAY))
    expire(rule("age = 0"))
    assert subjects(box) == ["x"]


def test_what_is_exactly_as_large_stays(mailbox, put, expire):
    box = mailbox("user/alice")
    size = put(box, 1).stat().st_size
    expire(rule(f"larger = {size}"))
    assert subjects(box) == ["x"]
    expire(rule(f"larger = {size - 1}"))
    assert subjects(box) == []


def test_what_came_into_the_folder_after_the_beginning_is_not_touched(mailbox, put, expire):
    box = mailbox("user/alice")
    put(box, 40, saved=-1)
    file = next((box.path / "new").iterdir())
    file.rename(file.with_name("x" + file.name))  # no time in its name: that of its inode counts
    expire(rule("saved = 1"))
    assert subjects(box) == ["x"]


def test_an_expired_message_can_be_brought_back_as_it_was(store, mailbox, put, expire):
    box = mailbox("user/alice/Lists")
    before = put(box, 40, subject="old", flags=("\\Flagged", "$Junk"))
    came = before.stat().st_mtime_ns
    expire(rule("age = 30"))
    (entry,) = withdrawn.entries(box.tree)
    assert (entry.why, entry.mailbox, entry.message_id, entry.subject) == (
        "expire", "user/alice/Lists", "<old@x>", "old",
    )  # fmt: skip
    _, file = withdrawn.restore(store, box.tree, entry)
    assert file.parent.parent == box.path
    assert file.name.endswith(":2,Fa")
    assert file.stat().st_mtime_ns == came


@pytest.mark.parametrize("mode", ["immediate", "semidelayed"])
def test_where_nothing_can_be_brought_back_it_is_gone(mode, mailbox, put, expire):
    box = mailbox("user/alice")
    put(box, 40)
    expire(rule("age = 30"), keep=mode == "delayed")
    assert subjects(box) == []
    assert list(withdrawn.entries(box.tree)) == []


def test_a_dry_run_changes_nothing_and_says_the_same(mailbox, put, expire):
    box = mailbox("user/alice")
    for days in (50, 40, 10):
        put(box, days, subject=str(days))
    text = '[rules.a]\nmailboxes="*"\nage=45\n[rules.b]\nmailboxes="*"\ncount=1\n'
    would = expire(text, dry=True)["user/alice"]
    assert subjects(box) == ["10", "40", "50"]
    did = expire(text)["user/alice"]
    assert would == did
    assert [(tally.rule, tally.messages) for tally in did.tallies.values()] == [("a", 1), ("b", 1)]
    assert subjects(box) == ["10"]


def test_a_rule_moves_into_a_folder_of_the_same_user(store, mailbox, put, expire):
    box = mailbox("user/alice")
    came = put(box, 40, flags=("\\Seen",)).stat().st_mtime_ns
    text = rule('age = 30\naction = "fileinto"\nmailbox = "Old/Mail"')
    assert expire(text)["user/alice"].failures == ["r: there is no folder Old/Mail: say create = true, or make it"]
    assert subjects(box) == ["x"]
    expire(text + "create = true\n")
    old = mailbox("user/alice/Old/Mail")
    (file,) = (old.path / "cur").iterdir()
    assert file.name.endswith(":2,S")
    assert file.stat().st_mtime_ns == came
    assert subjects(box) == []


def test_what_was_moved_before_the_folder_was_full_is_told(store, mailbox, put, expire):
    box, old = mailbox("user/alice"), mailbox("user/alice/Old")
    size = {put(box, 40, subject=str(number)).stat().st_size for number in range(3)}.pop()
    store.make_root(old).set_limits(Limits(storage=2 * size))
    outcome = expire(rule('age = 30\naction = "fileinto"\nmailbox = "Old"', '"user/alice"'))["user/alice"]
    assert outcome.failures == ["r: the folder it is to go to is over quota"]
    assert (len(subjects(box)), len(subjects(old)), outcome.taken[0]) == (1, 2, 2)


def test_what_is_in_the_folder_it_is_to_go_to_stays_there(mailbox, put, expire):
    box = mailbox("user/alice/Old")
    name = put(box, 40).name
    outcome = expire(rule('age = 30\naction = "fileinto"\nmailbox = "Old"'))["user/alice/Old"]
    assert outcome.taken == (0, 0)
    assert [file.name for file in (box.path / "new").iterdir()] == [name]


def test_a_folder_of_somebody_else_takes_nothing(mailbox, put, expire):
    mailbox("user/bob")
    box = mailbox("user/alice")
    put(box, 40)
    text = rule('age = 30\naction = "fileinto"\nmailbox = "Other Users/bob"\ncreate = true')
    assert expire(text)["user/alice"].failures == ["r: Other Users/bob is not a folder of the same owner"]
    assert subjects(box) == ["x"]


def test_a_report_only_tells(mailbox, put, expire):
    told = []
    box = mailbox("user/alice")
    put(box, 40)
    outcome = expire(rule('age = 30\naction = "report"'), tell=lambda *args: told.append(args))["user/alice"]
    assert subjects(box) == ["x"]
    assert [tally.messages for tally in outcome.tallies.values()] == [1]
    assert [entry.sent < time.time() - 30 * DAY for _, _, _, entry in told] == [True]


def test_behind_an_exclusive_rule_no_other_holds_for_its_mailboxes(mailbox, put, expire):
    kept, other = mailbox("user/alice/Kept"), mailbox("user/alice/Other")
    put(kept, 40)
    put(other, 40)
    expire('[rules.a]\nmailboxes="user/*/Kept"\nage=90\nexclusive=true\n[rules.b]\nmailboxes="*"\nage=30\n')
    assert (subjects(kept), subjects(other)) == (["x"], [])


@pytest.mark.parametrize(
    ("scope", "gone"),
    [
        ('mailboxes = ["user/alice/*"]', ["user/alice/Junk"]),
        ('mailboxes = ["user/%/Junk"]', ["user/alice/Junk"]),
        ('mailboxes = "*"\nexclude = ["user/alice*"]', ["board", "user/bob"]),
        ('users = "alice"', ["user/alice", "user/alice/Junk"]),
        ('users = ["*"]\nexclude_users = "al*"', ["user/bob"]),
        ('special_use = "\\\\Junk"', ["user/alice/Junk"]),
        ('partitions = "two"', ["user/bob"]),
        ('mailboxes = "board"', ["board"]),
    ],
)
def test_a_rule_is_for_the_mailboxes_that_it_names(scope, gone, store, mailbox, put, expire):
    boxes = {name: mailbox(name) for name in ("user/alice", "user/alice/Junk", "board")}
    boxes["user/alice/Junk"].set_special_use("\\Junk")
    boxes["user/bob"] = store.create(store.namespace.parse_admin("user/bob"), partition="two")
    for box in boxes.values():
        put(box, 40)
    expire(f"[rules.r]\n{scope}\nage = 30\n")
    assert sorted(name for name, box in boxes.items() if not subjects(box)) == gone


def test_what_the_file_excludes_no_rule_touches(mailbox, put, expire):
    box, other = mailbox("user/alice"), mailbox("user/bob")
    put(box, 40)
    put(other, 40)
    expire('[general]\nexclude_users = ["alice"]\n' + rule("age = 30"))
    assert (subjects(box), subjects(other)) == (["x"], [])


def test_a_script_decides(store, mailbox, put, expire, tmp_path):
    (tmp_path / "old.sieve").write_text(
        'require ["body", "fileinto", "imap4flags"];\n'
        'if hasflag "\\\\Flagged" { stop; }\n'
        'if body :contains "offer" { discard; } elsif header :contains "subject" "list" { fileinto "Lists"; }\n'
    )
    box, lists = mailbox("user/alice"), mailbox("user/alice/Lists")
    put(box, 40, subject="a", body="an offer")
    put(box, 40, subject="b", body="an offer", flags=("\\Flagged",))
    put(box, 40, subject="list")
    put(box, 40, subject="c")
    put(box, 10, subject="d", body="an offer")
    expire(rule('age = 30\nsieve = "old.sieve"', '"user/alice"'))
    assert (subjects(box), subjects(lists)) == (["b", "c", "d"], ["list"])
    assert [entry.subject for entry in withdrawn.entries(box.tree)] == ["a"]


def test_a_script_that_decides_on_more_leaves_the_message(mailbox, put, expire, tmp_path):
    (tmp_path / "old.sieve").write_text('redirect "a@example.org";')
    box = mailbox("user/alice")
    put(box, 40)
    outcome = expire(rule('sieve = "old.sieve"'))["user/alice"]
    assert "redirect cannot be done to what expires" in outcome.failures[0]
    assert subjects(box) == ["x"]


def annotate(store, box, entry, value):
    store.annotations.set(box, None, f"/shared/vendor/cmu/cyrus-imapd/{entry}", value)


@pytest.mark.parametrize(
    ("inbox", "folder", "gone"),
    [("20", None, True), ("20", "0", False), (None, None, False), (None, "20d", True), ("20", "50", False)],
)
def test_the_annotation_is_inherited_and_zero_is_never(inbox, folder, gone, store, mailbox, put, expire):
    box, below = mailbox("user/alice"), mailbox("user/alice/Lists/Deep")
    mailbox("user/alice/Lists")
    annotate(store, box, "expire", inbox)
    annotate(store, mailbox("user/alice/Lists"), "expire", folder)
    put(below, 40)
    expire()
    assert (subjects(below) == []) == gone


@pytest.mark.parametrize(
    ("until", "gone"), [("0", False), ("9999999999", False), ("soon", False), ("1000000000", True)]
)
def test_noexpire_until_keeps_everything_of_its_user(until, gone, store, mailbox, put, expire):
    box, below = mailbox("user/alice"), mailbox("user/alice/Lists")
    annotate(store, box, "expire", "20")
    annotate(store, box, "noexpire_until", until)
    put(below, 40)
    outcomes = expire(rule("age = 30"))
    assert (subjects(below) == []) == gone
    assert outcomes["user/alice/Lists"].held != gone


def test_a_message_that_a_reader_renames_goes_if_it_is_still_to_go(mailbox, put, expire):
    box = mailbox("user/alice")
    for subject in ("read", "flagged", "gone"):
        put(box, 40, subject=subject)

    def read(_mailbox, _rule, _target, entry):
        """What a reader does between the look and the deed."""
        subject = entry.header.values("subject")[0]
        old = box.path / entry.part / entry.name
        if subject == "gone":
            old.unlink(missing_ok=True)
        elif old.exists():
            old.rename(box.path / "cur" / f"{entry.name}:2,{'FS' if subject == 'flagged' else 'S'}")

    outcome = expire(rule("age = 30\nflagged = false"), tell=read)["user/alice"]
    assert subjects(box) == ["flagged"]
    assert outcome.taken[0] == 1
    assert [entry.subject for entry in withdrawn.entries(box.tree)] == ["read"]


def test_what_stops_on_its_way_leaves_each_message_in_one_place(mailbox, put, expire, monkeypatch):
    box = mailbox("user/alice")
    for number in range(3):
        put(box, 40, subject=str(number))
    real, calls = gathered.rename_new, []

    def rename(*args, **more):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(*args, **more)

    with monkeypatch.context() as killed, pytest.raises(KeyboardInterrupt):
        killed.setattr(gathered, "rename_new", rename)
        expire(rule("age = 30"))
    away = [entry.subject for entry in withdrawn.entries(box.tree)]
    assert (len(away), sorted(subjects(box) + away)) == (1, ["0", "1", "2"])
    expire(rule("age = 30"))
    assert sorted(entry.subject for entry in withdrawn.entries(box.tree)) == ["0", "1", "2"]


def test_the_quota_is_told(mailbox, put, expire):
    box = mailbox("user/alice")
    mailbox("user/alice/Lists")
    box.quota_root()
    put(mailbox("user/alice/Lists"), 40)
    root = box.store.roots.at(box.name, box.tree)
    root.set_limits(Limits(storage=1000))
    assert root.usage().messages == 1
    expire(rule("age = 30"))
    assert root.usage().messages == 0


def test_a_link_in_the_place_of_messages_leads_nowhere(mailbox, put, expire, tmp_path):
    box, other = mailbox("user/alice"), mailbox("user/bob")
    file = put(other, 40)
    (box.path / "cur").rmdir()
    (box.path / "cur").symlink_to(other.path / "new")
    (box.path / "new" / "1000000000.M1P1.host").symlink_to(file)
    expire(rule("age = 30", '"user/alice"'))
    assert file.exists()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[rules", "rules.toml: Expected"),
        ("", "there is no rule: write a table"),
        ("[rule.x]\nage=1", "rule: there are only [general] and [rules.NAME]"),
        ("[rules.x]\nage=1", "rules.x.mailboxes: of which mailboxes?"),
        ('[rules.x]\nmailboxes="*"', "rules.x.age: which messages?"),
        ('[rules.x]\nmailboxes="*"\nage="soon"', "rules.x.age: 'soon' is not a time"),
        ('[rules.x]\nmailboxes="*"\nage=true', "rules.x.age: True is not a time"),
        ('[rules.x]\nmailboxes="*"\nage=-1', "rules.x.age: '-1' is not a time"),
        ('[rules.x]\nmailboxes="*"\nages=1', "rules.x.ages: there is no such key; there are mailboxes"),
        ('[rules.x]\nmailboxes="*"\nage=1\naction="delete"', "'delete' is not one of discard, fileinto, report"),
        ('[rules.x]\nmailboxes="*"\nage=1\naction="fileinto"', "rules.x.mailbox: where are they to go?"),
        ('[rules.x]\nmailboxes="*"\nage=1\nmailbox="y"', 'it goes with action = "fileinto"'),
        ('[rules.x]\nmailboxes="*"\nage=1\ngrace=1', "it goes with larger, count or folder_size"),
        ('[rules.x]\nmailboxes="*"\ncount=-1', "-1 is not a number of messages"),
        ('[rules.x]\nmailboxes="*"\nseen="and"', "'and' is not yes or no"),
        ('[rules.x]\nmailboxes="*"\nmessagedays=1\narrived=2', "arrived has been said already"),
        ('[rules.x]\nmailboxes="*"\nkeyword="a b"', "'a b' is no keyword"),
        ('[rules.x]\nmailboxes="*"\nheader={field="x",regex="("}', "rules.x.header:"),
        ('[rules.x]\nmailboxes="*"\nheader={field="x",is="a",contains="b"}', "say one of exists, is"),
        ('[rules.x]\npartitions="no"\nage=1', "there is no partition 'no'"),
        ('[rules.x]\nspecial_use="\\\\No"\nage=1', "rules.x.special_use:"),
        ('[rules.x]\nmailboxes="*"\nsieve="bad.sieve"', "bad.sieve:1:1:"),
        ('[general]\nage=1\n[rules.x]\nmailboxes="*"\nage=1', "general.age: there is no such key"),
        ("[rules]\nx=1", "rules.x: write a table [rules.x]"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_by_its_place_and_nothing_expires(text, error, mailbox, put, expire, tmp_path):
    (tmp_path / "bad.sieve").write_text("discrad;")
    box = mailbox("user/alice")
    put(box, 40)
    with pytest.raises(DataError) as found:
        expire(text or "[general]\n")
    assert error in str(found.value)
    assert "\n" not in str(found.value)
    assert subjects(box) == ["x"]


def test_two_names_of_one_file_in_a_folder_are_two_messages(mailbox, put, expire, monkeypatch):
    box = mailbox("user/alice")
    file = put(box, 40)
    for number in range(3):  # as an IMAP server copies within a folder
        os.link(file, box.path / "cur" / f"1{number}00000000.M1P1.host,S=1:2,S")
    monkeypatch.setattr(folder, "BATCH", 1)
    expire(rule("age = 30"))
    assert subjects(box) == []
    assert len(list(withdrawn.entries(box.tree))) == 4


def test_from_another_file_system_the_message_is_copied_with_the_time_it_came(store, mailbox, put, expire, monkeypatch):
    box = mailbox("user/alice")
    file = put(box, 40, body="x" * 3_000_000, flags=("\\Seen",))
    content, came = file.read_bytes(), file.stat().st_mtime_ns
    real = gathered.rename_new

    def rename(old, new, **fds):
        if old == file.name:
            raise OSError(errno.EXDEV, "another file system")
        real(old, new, **fds)

    monkeypatch.setattr(gathered, "rename_new", rename)
    assert expire(rule("age = 30"))["user/alice"].taken == (1, len(content))
    assert subjects(box) == []
    (entry,) = withdrawn.entries(box.tree)
    assert len([path for path in withdrawn.area(box.tree).rglob("*") if path.is_file()]) == 2
    _, file = withdrawn.restore(store, box.tree, entry)
    assert (file.read_bytes(), file.stat().st_mtime_ns) == (content, came)
