"""External lists in delivery: where they lie, who may ask them, what happens when they cannot be read."""

import errno
import os
import sqlite3

import pytest

from sievemda.config import ExternalList
from sievemda.delivery.lists.files import MAX_FILE, Files, Members, cards, keys, plain
from sievemda.mail.result import Result
from tests.delivery.world import message, sender

FRIENDS = "tag:example.com,2026:friends"
IF_FRIEND = f'require ["extlists", "fileinto"]; if address :list "from" "{FRIENDS}" {{ fileinto "Friends"; }}'
IF_KNOWN = 'require ["extlists", "fileinto"]; if address :list "from" ":addrbook:default" { fileinto "Friends"; }'


@pytest.fixture
def listed(make_world):
    """A world with one list, and alice, whose script files what friends write."""

    def make(script=IF_FRIEND, **one):
        world = make_world(sieve_extlists={"friends": ExternalList(name=FRIENDS, **one)} if one else {})
        world.user("alice", "Friends", script=script)
        return world

    return make


def where(world, data=None, **more):
    """The folder that the message went to."""
    assert world.deliver("alice@mx.example.org", data or message(), **more) == [Result.DELIVERED]
    return "Friends" if world.files("user/alice/Friends") else "INBOX"


def home_of(world):
    return world.store.home("alice")


# -- files -----------------------------------------------------------------------------------------------------


def test_a_file_of_the_site_is_a_list(listed, tmp_path):
    file = tmp_path / "friends"
    file.write_text("# friends\n\n carol@example.net\nBob@Example.net\n")
    assert where(listed(file=str(file))) == "Friends"


def test_a_file_in_the_home_is_the_owners_list(listed):
    world = listed(file="lists/{local}.txt")
    (home_of(world) / "lists").mkdir()
    (home_of(world) / "lists" / "alice.txt").write_text("bob@example.net\n")
    assert where(world) == "Friends"


def test_a_list_that_the_owner_has_not_is_empty(listed):
    assert where(listed(file="friends.txt")) == "INBOX"


def test_a_list_of_the_site_that_is_missing_fails_the_script_and_keeps_the_message(listed, tmp_path):
    world = listed(file=str(tmp_path / "nothing"))
    assert where(world) == "INBOX"
    assert "$SieveFailed" in world.keywords("user/alice")


def test_where_case_counts_another_case_is_no_member(listed, tmp_path):
    file = tmp_path / "friends"
    file.write_text("Bob@Example.net\n")
    assert where(listed(file=str(file), exact=True)) == "INBOX"


def test_a_change_of_the_file_counts_at_once(listed, tmp_path):
    file = tmp_path / "friends"
    file.write_text("carol@example.net\n")
    world = listed(file=str(file))
    assert where(world) == "INBOX"
    file.write_text("bob@example.net\n")
    assert where(world, message("<2@example.net>")) == "Friends"


def test_a_link_out_of_the_home_is_not_followed(listed, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "friends.txt").write_text("bob@example.net\n")
    world = listed(file="lists/friends.txt")
    (home_of(world) / "lists").symlink_to(outside)
    assert where(world) == "INBOX"
    assert "$SieveFailed" in world.keywords("user/alice")


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/etc/passwd")])
def test_what_is_no_regular_file_is_no_list(tmp_path, make):
    make(tmp_path / "list")
    with pytest.raises(OSError):
        Files().get(tmp_path / "list", plain, exact=False)


def test_a_file_beyond_all_measure_is_not_read(tmp_path):
    with (tmp_path / "list").open("wb") as file:
        file.truncate(MAX_FILE + 1)
    with pytest.raises(OSError, match="too large for a list"):
        Files().get(tmp_path / "list", plain, exact=False)


def test_an_unchanged_file_is_read_once(tmp_path):
    reads = []
    (tmp_path / "list").write_text("a\n")
    files = Files()
    for _ in range(3):
        files.get(tmp_path / "list", lambda content: reads.append(content) or plain(content), exact=False)
    assert len(reads) == 1


def test_pigeonholes_lines_of_key_and_value_are_a_list():
    assert list(keys(b"priv/sieve/extlists/bob@example.net\nyes\npriv/other\nx\npriv/sieve/extlists/b\n\n")) == [
        "bob@example.net",
        "b",
    ]


def test_a_dict_file_is_a_list(listed, tmp_path):
    (tmp_path / "dict").write_text("priv/sieve/extlists/bob@example.net\n1\n")
    assert where(listed(dict=str(tmp_path / "dict"))) == "Friends"


def test_a_value_that_is_too_long_is_no_member(listed, tmp_path):
    (tmp_path / "list").write_text("bob@example.net\n")
    assert where(listed(file=str(tmp_path / "list"), max_lookup_size=5)) == "INBOX"


def test_of_two_members_that_differ_in_case_the_first_is_found():
    assert Members(("Bob", "bob")).find(["BOB"]) == "Bob"


# -- vCards ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("EMAIL:bob@example.net", "bob@example.net"),
        ("email;TYPE=INTERNET;type=pref:bob@example.net", "bob@example.net"),
        ("item1.EMAIL;type=INTERNET:bob@example.net", "bob@example.net"),
        ('EMAIL;X="a:b;c";PREF=1:bob@example.net ', "bob@example.net"),
        ("EMAIL:mailto:bob@example.net", "bob@example.net"),
        ("EMAIL;TYPE=work:bob@exam\r\n ple.net", "bob@example.net"),
        (r"EMAIL:a\,b@example.net", "a,b@example.net"),
        ("EMAIL;TYPE=a\r\n b\r\n  c:bob@example.net", "bob@example.net"),
        ("NOTE:EMAIL:bob@example.net", None),
        ("X-EMAIL:bob@example.net", None),
        ("EMAIL;:", None),
        ("EMAIL", None),
    ],
)
def test_addresses_of_a_card(line, address):
    card = f"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:B\r\n{line}\r\nEND:VCARD\r\n".encode()
    assert list(cards(card)) == ([address] if address else [])


def test_a_hostile_card_is_read_in_one_pass():
    assert list(cards(b"EMAIL;" + b'"a"' * 200_000 + b"\n" + b"EMAIL;a" * 100_000)) == []


def test_the_default_address_book_is_the_folder_of_contacts(listed):
    world = listed(IF_KNOWN)
    book = home_of(world) / "contacts"
    book.mkdir()
    (book / "1.vcf").write_text("BEGIN:VCARD\nEMAIL:carol@example.net\nEND:VCARD\n")
    (book / "2.VCF").write_text("BEGIN:VCARD\nEMAIL:BOB@example.net\nEND:VCARD\n")
    assert where(world) == "Friends"


def test_without_contacts_the_default_address_book_is_empty(listed):
    world = listed(IF_KNOWN)
    assert where(world) == "INBOX"
    assert not (world.folder("user/alice") / "dovecot-keywords").exists()


def test_a_card_that_comes_later_counts(listed):
    world = listed(IF_KNOWN)
    (home_of(world) / "contacts").mkdir()
    assert where(world) == "INBOX"
    (home_of(world) / "contacts" / "b.vcf").write_text("EMAIL:bob@example.net\n")
    assert where(world, message("<2@example.net>")) == "Friends"


@pytest.mark.parametrize("place", ["contacts/Family/1.vcf", "contacts/Family.vcf"])
def test_other_address_books_are_folders_or_files_beside_it(listed, place):
    world = listed(IF_KNOWN.replace("default", "%46amily"))
    file = home_of(world) / place
    file.parent.mkdir(parents=True)
    file.write_text("EMAIL:bob@example.net\n")
    assert where(world) == "Friends"


@pytest.mark.parametrize("book", ["..", "%2e%2e", "a%2f..%2fb", "%00", "x" * 300, "default?x=y"])
def test_names_of_address_books_cannot_leave_the_folder(listed, book):
    script = f'require ["extlists", "fileinto"]; if valid_ext_list ":addrbook:{book}" {{ fileinto "Friends"; }}'
    assert where(listed(script)) == "INBOX"


# -- SQL -------------------------------------------------------------------------------------------------------


@pytest.fixture
def database(tmp_path):
    path = tmp_path / "lists.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE friends (owner TEXT, address TEXT COLLATE NOCASE)")
        rows = [("alice", "Bob@Example.net"), ("alice", "ann@example.net"), ("carol", "mallory@example.net")]
        connection.executemany("INSERT INTO friends VALUES (?, ?)", rows)
    connection.close()
    return path


ASK = "select address from friends where owner = {user} and address in ({values})"
ALL = "select address from friends where owner = {user}"


@pytest.mark.parametrize("statement", [ASK, ALL])
def test_a_statement_finds_the_member(listed, database, statement):
    assert where(listed(sqlite=str(database), statement=statement)) == "Friends"


def test_the_statement_is_about_the_owner(listed, database):
    world = listed(sqlite=str(database), statement=ASK)
    assert where(world, message(extra="").replace(b"bob@", b"mallory@")) == "INBOX"


def test_values_are_bound_and_never_part_of_the_statement(listed, database):
    world = listed(sqlite=str(database), statement=ASK)
    hostile = b"""From: "') or 1=1 or ('"@example.net\nMessage-ID: <9@x>\n\nx\n"""
    assert where(world, hostile) == "INBOX"
    assert not (world.folder("user/alice") / "dovecot-keywords").exists()


@pytest.mark.parametrize("statement", ["drop table friends", "select nothing from friends where x = {other}", "no sql"])
def test_a_statement_that_fails_keeps_the_message(listed, database, statement):
    world = listed(sqlite=str(database), statement=statement)
    assert where(world) == "INBOX"
    assert "$SieveFailed" in world.keywords("user/alice")
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM friends").fetchone() == (3,)
    connection.close()


def test_a_statement_without_end_is_cut_short(database):
    from sievemda.errors import DataError
    from sievemda.state.listing import rows

    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"
    with pytest.raises(DataError, match="interrupted"):
        rows(database, endless, (), {}, 0.2)


REDIRECT = f'require ["extlists", "copy"]; redirect :copy "ann@example.org"; redirect :list "{FRIENDS}";'


@pytest.mark.parametrize("script", [IF_FRIEND, REDIRECT])
def test_a_database_that_somebody_holds_delays_the_message_and_nothing_is_done_by_then(
    listed, database, monkeypatch, script
):
    monkeypatch.setattr("sievemda.delivery.lists.catalogue._PATIENCE", 0.1)
    world = listed(script, sqlite=str(database), statement=ALL)
    writer = sqlite3.connect(database, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    assert world.deliver("alice@mx.example.org", message()) == [Result.MEMORY_TROUBLE]
    assert not world.files("user/alice")
    assert not world.outgoing()
    writer.execute("COMMIT")
    writer.close()
    assert world.deliver("alice@mx.example.org", message()) == [Result.DELIVERED]
    assert bool(world.outgoing()) is (script == REDIRECT)


@pytest.mark.parametrize(("number", "receipt"), [(errno.EIO, Result.MEMORY_TROUBLE), (errno.EACCES, Result.DELIVERED)])
def test_a_file_that_the_disk_does_not_give_now_delays_the_message(listed, tmp_path, monkeypatch, number, receipt):
    (tmp_path / "list").write_text("bob@example.net\n")
    world = listed(file=str(tmp_path / "list"))

    def failing(*_, **__):
        raise OSError(number, "the disk says no")

    monkeypatch.setattr(Files, "get", failing)
    assert world.deliver("alice@mx.example.org", message()) == [receipt]


def test_one_recipient_whose_list_is_held_delays_no_other(listed, database, monkeypatch):
    monkeypatch.setattr("sievemda.delivery.lists.catalogue._PATIENCE", 0.1)
    world = listed(sqlite=str(database), statement=ALL)
    world.user("carol")
    writer = sqlite3.connect(database, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    both = world.deliver(["alice@mx.example.org", "carol@mx.example.org"], message())
    writer.close()
    assert both == [Result.MEMORY_TROUBLE, Result.DELIVERED]


# -- who may ask -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("users", "folder"), [(("alice",), "Friends"), (("bob", "@example.org"), "INBOX")])
def test_a_list_is_there_only_for_those_who_may_ask(listed, tmp_path, users, folder):
    (tmp_path / "list").write_text("bob@example.net\n")
    script = f'require ["extlists", "fileinto"]; if valid_ext_list "{FRIENDS}" {{ fileinto "Friends"; }}'
    assert where(listed(script, file=str(tmp_path / "list"), users=users)) == folder


# -- redirect --------------------------------------------------------------------------------------------------


def test_a_redirect_to_a_list_leaves_for_every_member_once(listed, tmp_path):
    (tmp_path / "list").write_text("ann@example.net\ncarol@Example.net\nann@example.net\n")
    script = f'require ["extlists", "copy"]; redirect :copy "carol@example.net"; redirect :list "{FRIENDS}";'
    world = listed(script, file=str(tmp_path / "list"))
    world.deliver("alice@mx.example.org", message())
    recipients = [head["to"] for head, _ in world.outgoing()]
    assert sorted(recipients) == ["ann@example.net", "carol@example.net"]
    assert not world.files("user/alice")


def test_a_list_that_can_only_be_asked_cannot_be_redirected_to(listed, database):
    world = listed(f'require "extlists"; redirect :list "{FRIENDS}";', sqlite=str(database), statement=ASK)
    assert where(world) == "INBOX"
    assert "$SieveFailed" in world.keywords("user/alice")


def test_a_statement_for_members_makes_it_possible(listed, database):
    script = f'require "extlists"; redirect :list "{FRIENDS}";'
    world = listed(script, sqlite=str(database), statement=ASK, members=ALL)
    world.deliver("alice@mx.example.org", message(), sender())
    assert len(world.outgoing()) == 2


def test_all_questions_of_a_run_share_one_time(database, make_world, monkeypatch):
    from sievemda.delivery.lists import catalogue
    from sievemda.sieve.problems import RunError

    monkeypatch.setattr(catalogue, "_PATIENCE", 0.2)
    endless = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"
    one = ExternalList(name=FRIENDS, sqlite=str(database), statement=endless)
    world = make_world(sieve_extlists={"friends": one})
    world.user("alice")
    lists = catalogue.Lists(world.settings).of("alice", home_of(world))
    for _ in range(2):
        with pytest.raises(RunError, match="interrupted"):
            lists.find(FRIENDS, ["bob@example.net"])
    assert lists._left == 0
