"""Quota roots of every kind, by a real server over LMTP: who is refused, where, and what is counted."""

import json

import pytest

from tests.outcomes.site import message

SETTINGS = ("virtdomains=userid", "defaultdomain=example.org", "servername=mx.example.org")


@pytest.fixture
def domain(name):
    return f"{name}.example"


def fill(site, address, count):
    for number in range(count):
        assert site.deliver(address, message(f"<fill{number}.{address}>"))[0].startswith("250")


def code(site, address, id_, **more):
    return site.deliver(address, message(id_), **more)[0].split("\n")[-1][:9]


def used(site, root):
    """Octets and messages, as counted afresh."""
    found = json.loads(site.cli("quota", "list", "--json", root))[root]
    return found["STORAGE"]["used"], found["MESSAGE"]["used"]


def written(site, folder):
    """What the file of a root adds up to."""
    lines = (folder / "maildirsize").read_text().splitlines()[1:]
    return sum(int(line.split()[0]) for line in lines), sum(int(line.split()[1]) for line in lines)


def test_a_full_domain_refuses_its_users_and_boards_but_nobody_with_a_root_of_his_own(site, domain, fresh):
    for name in (f"user/a@{domain}", f"user/b@{domain}", f"user/own@{domain}", f"board@{domain}"):
        site.cli("mailbox", "create", name)
    site.cli("acl", "set", f"board@{domain}", "anyone", "lrsp")
    site.cli("quota", "set", f"user/own@{domain}", "MESSAGE", "5")
    site.cli("quota", "set", f"@{domain}", "MESSAGE", "1")
    fill(site, f"a@{domain}", 1)
    fill(site, f"b@{domain}", 1)
    replies = [code(site, address, fresh) for address in (f"a@{domain}", f"b@{domain}", f"own@{domain}")]
    assert replies == ["452 4.2.2", "452 4.2.2", "250 2.1.5"]
    assert code(site, f"+board@{domain}", fresh) == "452 4.2.2"
    assert code(site, f"<a@{domain}> IGNOREQUOTA", fresh) == "250 2.1.5"
    assert used(site, f"@{domain}")[1] == 3


def test_a_domain_has_room_again_when_one_of_its_users_has_gone(site, domain, fresh):
    for user in "ab":
        site.cli("mailbox", "create", f"user/{user}@{domain}")
    site.cli("quota", "set", f"@{domain}", "MESSAGE", "1")
    fill(site, f"a@{domain}", 2)
    assert code(site, f"b@{domain}", fresh) == "452 4.2.2"
    site.cli("mailbox", "delete", "--yes", f"user/a@{domain}")
    assert code(site, f"b@{domain}", fresh) == "250 2.1.5"


def test_other_domains_have_nothing_to_do_with_it(site, domain, name, fresh):
    site.cli("mailbox", "create", f"user/a@{domain}")
    site.user(name)
    site.cli("quota", "set", f"@{domain}", "MESSAGE", "0")
    fill(site, f"a@{domain}", 1)
    assert code(site, f"{name}@example.org", fresh) == "250 2.1.5"


def test_a_full_inbox_refuses_even_where_the_folder_has_room(site, name, fresh):
    site.user(name, "F")
    site.cli("quota", "set", f"user/{name}", "MESSAGE", "0")
    site.cli("quota", "set", f"user/{name}/F", "MESSAGE", "100")
    fill(site, f"{name}@example.org", 1)
    assert code(site, f"{name}+F@example.org", fresh) == "452 4.2.2"


def test_what_is_in_a_nested_root_does_not_fill_the_outer_one(site, name, fresh):
    site.user(name, "F", "F/sub")
    site.cli("quota", "set", f"user/{name}", "MESSAGE", "1")
    site.cli("quota", "set", f"user/{name}/F", "MESSAGE", "100")
    fill(site, f"{name}+F/sub@example.org", 3)
    assert code(site, f"{name}@example.org", fresh) == "250 2.1.5"
    assert (used(site, f"user/{name}")[1], used(site, f"user/{name}/F")[1]) == (1, 3)


def test_a_root_above_folders_that_is_no_mailbox_itself_limits_them(site, name, fresh):
    site.user(name)
    (site.folder(f"user/{name}") / ".A.B" / "cur").mkdir(parents=True)
    site.cli("acl", "set", f"user/{name}/A/B", "anyone", "p")
    site.cli("quota", "set", f"user/{name}/A", "MESSAGE", "0")
    fill(site, f"{name}+A/B@example.org", 1)
    assert code(site, f"{name}+A/B@example.org", fresh) == "250 2.1.5"
    assert (len(site.files(f"user/{name}/A/B")), len(site.files(f"user/{name}"))) == (1, 1)


def test_annotations_beyond_their_limit_refuse_mail(site, name, fresh):
    site.user(name)
    site.cli("mailbox", "metadata", f"user/{name}", "/shared/comment", "x" * 1025)
    site.cli("quota", "set", f"user/{name}", "ANNOTATION-STORAGE", "1")
    assert code(site, f"{name}@example.org", fresh) == "452 4.2.2"
    site.cli("mailbox", "metadata", f"user/{name}", "/shared/comment", "short")
    assert code(site, f"{name}@example.org", fresh) == "250 2.1.5"
    site.cli("mailbox", "metadata", f"user/{name}", "/shared/other", "x" * 1024, code=75)


def test_a_script_cannot_make_more_folders_than_allowed_and_the_mail_is_not_lost(site, name, fresh):
    site.user(name, "A", script='require ["fileinto", "mailbox"]; fileinto :create "B"; fileinto "A";')
    site.cli("quota", "set", f"user/{name}", "MAILBOX", "2")
    assert code(site, f"{name}@example.org", fresh) == "250 2.1.5"
    assert site.cli("mailbox", "list", f"user/{name}*") == f"user/{name}\nuser/{name}/A\n"
    assert site.files(f"user/{name}") or site.files(f"user/{name}/A")


@pytest.mark.parametrize(("over", "reply"), [(0, "250 2.1.5"), (1, "452 4.2.2")])
def test_storage_is_full_with_the_first_octet_beyond_the_limit(site, name, fresh, over, reply):
    site.user(name)
    site.cli("quota", "set", f"user/{name}", "STORAGE", "2")
    (site.folder(f"user/{name}") / "cur" / "1.host:2,S").write_bytes(b"x" * (2048 + over))
    site.cli("quota", "fix", "-q", "-u", name)
    assert code(site, f"{name}@example.org", fresh) == reply


def test_a_duplicate_into_a_full_domain_is_refused(site, domain):
    site.cli("mailbox", "create", f"user/a@{domain}")
    site.cli("quota", "set", f"@{domain}", "MESSAGE", "0")
    fill(site, f"a@{domain}", 1)
    assert code(site, f"a@{domain}", f"<fill0.a@{domain}>") == "452 4.2.2"


def test_one_message_to_many_counts_in_full_for_each(site, name, fresh):
    names = [f"{name}{letter}" for letter in "abc"]
    for each in names:
        site.user(each)
        site.cli("quota", "set", f"user/{each}", "MESSAGE", "5")
    replies = site.deliver([f"{each}@example.org" for each in names], message(fresh))
    assert [reply[:3] for reply in replies] == ["250"] * 3
    for each in names:
        (file,) = site.files(f"user/{each}")
        assert used(site, f"user/{each}") == written(site, site.folder(f"user/{each}")) == (file.stat().st_size, 1)


def test_the_file_of_a_domain_is_kept_up_delivery_by_delivery(site, domain):
    site.cli("mailbox", "create", f"user/a@{domain}")
    site.cli("quota", "set", f"@{domain}", "STORAGE", "1000")
    fill(site, f"a@{domain}", 3)
    files = site.files(f"user/a@{domain}")
    folder = site.data / "mail" / "domain" / domain
    assert written(site, folder) == (sum(file.stat().st_size for file in files), 3)


def test_limits_may_be_huge(site, name, fresh):
    site.user(name)
    site.cli("quota", "set", f"user/{name}", "STORAGE", str(2**52), "MESSAGE", str(2**53))
    assert code(site, f"{name}@example.org", fresh) == "250 2.1.5"
    assert f"{2**52}" in site.cli("quota", "list", f"user/{name}")
