"""What names in `fileinto` and `mailboxexists` mean, with every separator and namespace (semantics, section 1)."""

from __future__ import annotations

import pytest

from tests.delivery.world import message

UNIX = {}
UNIX_PLAIN = {"altnamespace": False}
DOTS = {"unixhierarchysep": False}
DOTS_PLAIN = {"unixhierarchysep": False, "altnamespace": False}
OWN_WORDS = {"userprefix": "Leute", "sharedprefix": "Tafeln", "altprefix": "Sonst"}
VIRTUAL = {"virtdomains": "userid", "defaultdomain": "example.com"}
VIRTUAL_PLAIN = {**VIRTUAL, "altnamespace": False}
FAILED = "INBOX $SieveFailed"

# Folders of alice as the settings spell them, beside which bob has opened `Open` and there are the boards news, news/sub.
FOLDERS = (
    "Lists",
    "Lists/Sub",
    "a.b",
    "INBOX/x",
    "Other Users/bob",
    "Shared Folders",
    "Alt Folders/q",
    "user/bob",
    "Grün",
)


def written(world, name):
    """A name with slashes as this site writes it."""
    return world.store.namespace.parse_admin(name)


@pytest.fixture
def site(make_world):
    def make(settings, user="alice"):
        world = make_world(**settings)
        namespace = world.store.namespace
        world.store.create(namespace.parse_admin(f"user/{user}"))
        _, at, domain = user.partition("@")
        for folder in FOLDERS:
            world.store.create(namespace.parse_admin(f"user/{user}").child(*folder.split("/")))
        for name in (
            f"user/bob{at}{domain}",
            f"user/bob/Open{at}{domain}",
            f"news{at}{domain}",
            f"news/sub{at}{domain}",
        ):
            world.mailbox(name, ("anyone", "lrsp"))
        return world

    return make


def filed(world, script, user="alice"):
    """Where the message is, as an administrator writes it, and the keyword of a failure."""
    world.script(user, script)
    to = user if "@" in user else f"{user}@example.com"
    world.deliver(to, message())
    for mailbox in world.store.list():
        if any(list((mailbox.path / part).iterdir()) for part in ("new", "cur")):
            shown = "/".join(mailbox.name.path) or "INBOX"
            owner = mailbox.name.owner or "shared"
            failed = f" {' '.join(world.keywords(world.store.namespace.format_admin(mailbox.name)))}".rstrip()
            return (shown if owner == user else f"{owner}:{shown}") + failed
    return ""


CASES = [
    (UNIX, "INBOX", "INBOX"),
    (UNIX, "inbox", "INBOX"),
    (UNIX, "Lists", "Lists"),
    (UNIX, "lists", FAILED),
    (UNIX, "Lists/Sub", "Lists/Sub"),
    (UNIX, "Lists.Sub", FAILED),
    (UNIX, "a.b", "a.b"),
    (UNIX, "INBOX/x", "INBOX/x"),
    (UNIX, "INBOX/Lists", FAILED),
    (UNIX, "INBOX.Lists", FAILED),
    (UNIX, "x", FAILED),
    (UNIX, "Other Users/bob", "bob:INBOX"),
    (UNIX, "Other Users/bob/Open", "bob:Open"),
    (UNIX, "Other Users/alice/Lists", "Lists"),
    (UNIX, "Other Users/nobody", FAILED),
    (UNIX, "Shared Folders/news", "shared:news"),
    (UNIX, "Shared Folders/news/sub", "shared:news/sub"),
    (UNIX, "Shared Folders", FAILED),
    (UNIX, "Alt Folders/Shared Folders", "Shared Folders"),
    (UNIX, "Alt Folders/Other Users/bob", "Other Users/bob"),
    (UNIX, "Alt Folders/Alt Folders/q", "Alt Folders/q"),
    (UNIX, "Alt Folders/q", FAILED),
    (UNIX, "user/bob", "user/bob"),
    (UNIX, "news", FAILED),
    (UNIX, "Grün", "Grün"),
    (UNIX, "Gr&APw-n", "Grün"),
    (UNIX, "../bob", FAILED),
    (UNIX, "Lists/", FAILED),
    (UNIX_PLAIN, "INBOX", "INBOX"),
    (UNIX_PLAIN, "INBOX/Lists", "Lists"),
    (UNIX_PLAIN, "inbox/Lists/Sub", "Lists/Sub"),
    (UNIX_PLAIN, "INBOX/INBOX/x", "INBOX/x"),
    (UNIX_PLAIN, "Lists", FAILED),
    (UNIX_PLAIN, "news/sub", "shared:news/sub"),
    (UNIX_PLAIN, "user/bob/Open", "bob:Open"),
    (UNIX_PLAIN, "user/alice/Lists", "Lists"),
    (UNIX_PLAIN, "INBOX/user/bob", "user/bob"),
    (UNIX_PLAIN, "Other Users/bob", FAILED),
    (UNIX_PLAIN, "Shared Folders/news", FAILED),
    (DOTS, "Lists.Sub", "Lists/Sub"),
    (DOTS, "Lists/Sub", FAILED),
    (DOTS, "a^b", "a.b"),
    (DOTS, "a.b", FAILED),
    (DOTS, "INBOX.x", "INBOX/x"),
    (DOTS, "INBOX.Lists", FAILED),
    (DOTS, "Other Users.bob.Open", "bob:Open"),
    (DOTS, "Shared Folders.news.sub", "shared:news/sub"),
    (DOTS, "Alt Folders.Shared Folders", "Shared Folders"),
    (DOTS_PLAIN, "INBOX.Lists.Sub", "Lists/Sub"),
    (DOTS_PLAIN, "INBOX.a^b", "a.b"),
    (DOTS_PLAIN, "INBOX.INBOX.x", "INBOX/x"),
    (DOTS_PLAIN, "Lists", FAILED),
    (DOTS_PLAIN, "news.sub", "shared:news/sub"),
    (DOTS_PLAIN, "user.bob.Open", "bob:Open"),
    (DOTS_PLAIN, "user.alice", "INBOX"),
    (OWN_WORDS, "Leute/bob/Open", "bob:Open"),
    (OWN_WORDS, "Tafeln/news", "shared:news"),
    (OWN_WORDS, "Shared Folders", "Shared Folders"),
    (OWN_WORDS, "Alt Folders/q", "Alt Folders/q"),
    (OWN_WORDS, "Sonst/Lists", "Lists"),
]


@pytest.mark.parametrize(("settings", "name", "place"), CASES)
def test_fileinto_means_what_its_owner_sees(site, settings, name, place):
    assert filed(site(settings), f'require "fileinto"; fileinto "{name}";') == place


@pytest.mark.parametrize(("settings", "name", "place"), CASES[::3])
def test_mailboxexists_and_fileinto_agree(site, settings, name, place):
    script = f'require ["fileinto", "mailbox"]; if mailboxexists "{name}" {{ discard; }}'
    assert (filed(site(settings), script) == "") is (place != FAILED)


@pytest.mark.parametrize(
    ("settings", "name", "place"),
    [
        (VIRTUAL, "Lists", "Lists"),
        (VIRTUAL, "Other Users/bob/Open", "bob@example.org:Open"),
        (VIRTUAL, "Other Users/bob@example.org/Open", "bob@example.org:Open"),
        (VIRTUAL, "Other Users/bob@example.com", FAILED),
        (VIRTUAL, "Shared Folders/news", "shared:news"),
        (VIRTUAL_PLAIN, "user/bob/Open", "bob@example.org:Open"),
        (VIRTUAL_PLAIN, "news/sub", "shared:news/sub"),
        (VIRTUAL_PLAIN, "INBOX/Lists", "Lists"),
    ],
)
def test_in_a_domain_names_are_those_of_the_domain(site, settings, name, place):
    user = "alice@example.org"
    assert filed(site(settings, user), f'require "fileinto"; fileinto "{name}";', user) == place


@pytest.mark.parametrize(
    ("settings", "name", "place"),
    [
        (UNIX, "New", "New"),
        (UNIX, "Lists/New/Deep", "Lists/New/Deep"),
        (UNIX, "Gr&APw-ner", "Grüner"),
        (UNIX, "Alt Folders/Other Users/carol", "Other Users/carol"),
        (UNIX, "a^c", FAILED),
        (UNIX, "a%c", FAILED),
        (UNIX, "Alt Folders/INBOX", FAILED),
        (UNIX, "Shared Folders/new", FAILED),
        (UNIX, "Shared Folders/news/new", FAILED),
        (UNIX, "Other Users/bob/new", FAILED),
        (UNIX, "Other Users/carol", FAILED),
        (UNIX, "#calendars/x", FAILED),
        (UNIX, "x.", FAILED),
        (UNIX, "~x", "~x"),
        (UNIX_PLAIN, "INBOX/New", "New"),
        (UNIX_PLAIN, "New", FAILED),
        (UNIX_PLAIN, "user/carol", FAILED),
        (DOTS, "Lists.a^c", "Lists/a.c"),
        (DOTS, "a/c", FAILED),
        (DOTS_PLAIN, "INBOX.New.x", "New/x"),
    ],
)
def test_what_a_script_makes_has_the_name_that_its_owner_sees(site, settings, name, place):
    script = f'require ["fileinto", "mailbox"]; fileinto :create "{name}";'
    assert filed(site(settings), script) == place


@pytest.mark.parametrize("use", ["\\\\Junk", "\\\\junk", "\\\\JUNK"])
def test_a_special_use_is_a_name(site, use):
    world = site(UNIX)
    world.store.find(world.store.namespace.parse_admin("user/alice/Lists")).set_special_use("\\Junk")
    assert filed(world, f'require "fileinto"; fileinto "{use}";') == "Lists"


@pytest.mark.parametrize("use", ["\\\\Archive", "\\\\Nonsense", "\\\\"])
def test_a_special_use_that_nobody_has_is_a_folder_that_is_missing(site, use):
    world = site(UNIX)
    assert filed(world, f'require ["fileinto", "mailbox"]; fileinto :create "{use}";') == FAILED


def test_an_administrator_s_script_has_the_names_of_a_user(site):
    world = site({"admins": ("alice",)})
    assert filed(world, 'require "fileinto"; fileinto "Shared Folders/news";') == "shared:news"
