"""Where a message lands when no script decides, and who is refused."""

import pytest

from tests.outcomes.site import Client, message


def test_mail_for_a_user_lands_in_the_inbox(site, name, fresh):
    site.user(name)
    assert site.deliver(f"{name}@any.example", message(fresh))[0].startswith("250 2.1.5")
    assert len(site.files(f"user/{name}")) == 1


def test_an_unknown_user_is_refused_at_rcpt(site):
    with Client(site.socket) as c:
        c.hello()
        c.say("MAIL FROM:<a@b.example>")
        reply = c.say("RCPT TO:<nobody@example.org>")
        assert reply.split("\n")[-1].startswith("550 5.1.1")
        assert c.say("DATA").startswith("503 5.5.1")


def test_a_detail_finds_the_folder_when_the_poster_may_post(site, name, fresh):
    site.user(name, "Lists")
    site.deliver(f"{name}+Lists@example.org", message(fresh))
    assert len(site.files(f"user/{name}/Lists")) == 1
    assert site.files(f"user/{name}") == []


def test_without_the_right_a_detail_lands_in_the_inbox(site, name, fresh):
    site.user(name, "Lists", open_to_all=False)
    assert site.deliver(f"{name}+Lists@example.org", message(fresh))[0].startswith("250")
    assert site.files(f"user/{name}/Lists") == []
    assert len(site.files(f"user/{name}")) == 1


@pytest.mark.parametrize(
    "detail", ["nope", "lists", "Lists/Nope", "../x", "a/../../b", "INBOX", "inbox", "", "a+b", "\\Junk"]
)
def test_a_detail_that_names_no_folder_lands_in_the_inbox(site, name, fresh, detail):
    site.user(name, "Lists")
    quoted = f'<"{name}+{detail}"@example.org>'.replace("\\", "\\\\")
    assert site.deliver(quoted, message(fresh))[0].startswith("250")
    assert len(site.files(f"user/{name}")) == 1


def test_a_nested_detail_finds_the_nested_folder(site, name, fresh):
    site.user(name, "Lists", "Lists/python")
    site.deliver(f"{name}+Lists/python@example.org", message(fresh))
    assert len(site.files(f"user/{name}/Lists/python")) == 1


def test_a_detail_with_an_umlaut_finds_its_folder_under_smtputf8(site, name, fresh):
    site.user(name, "Entwürfe")
    site.deliver(f"{name}+Entwürfe@example.org", message(fresh), parameters="SMTPUTF8")
    assert len(site.files(f"user/{name}/Entwürfe")) == 1


@pytest.mark.parametrize("detail", ["a&b", "a&-b"])
def test_both_spellings_of_an_ampersand_reach_the_same_folder(site, name, fresh, detail):
    site.user(name, "a&b")
    site.deliver(f"{name}+{detail}@example.org", message(fresh))
    assert len(site.files(f"user/{name}/a&b")) == 1


def test_the_user_is_found_in_any_case_and_the_detail_is_not(site, name, fresh):
    site.user(name, "Lists")
    site.deliver(f"{name.upper()}+Lists@EXAMPLE.org", message(fresh))
    assert len(site.files(f"user/{name}/Lists")) == 1


@pytest.mark.parametrize("path", ["<{}>", "<@a.example,@b.example:{}@example.org>", '<"{}"@example.org>', '<"{}+x"@h>'])
def test_odd_but_legal_paths_reach_the_user(site, name, fresh, path):
    site.user(name)
    assert site.deliver(path.format(name), message(fresh))[0].startswith("250")
    assert len(site.files(f"user/{name}")) == 1


def test_a_bare_local_part_is_enough(site, name, fresh):
    site.user(name)
    assert site.deliver(f"<{name}>", message(fresh))[0].startswith("250")


@pytest.mark.parametrize("poster", ["", "AUTH=<>", "AUTH=fred"])
def test_a_named_poster_needs_a_right_of_his_own(site, name, fresh, poster):
    site.user(name, "F", open_to_all=False)
    site.cli("acl", "set", f"user/{name}/F", "fred", "p")
    site.deliver(f"{name}+F@example.org", message(fresh), parameters=poster)
    where = f"user/{name}/F" if poster == "AUTH=fred" else f"user/{name}"
    assert len(site.files(where)) == 1


def test_anonymous_p_shuts_out_named_posters(site, name):
    site.user(name, "F", open_to_all=False)
    site.cli("acl", "set", f"user/{name}/F", "anonymous", "p")
    site.deliver(f"{name}+F@x", message("<an1@x>"))
    site.deliver(f"{name}+F@x", message("<an2@x>"), parameters="AUTH=fred")
    assert len(site.files(f"user/{name}/F")) == 1
    assert len(site.files(f"user/{name}")) == 1


def test_a_negative_right_takes_away(site, name, fresh):
    site.user(name, "F")
    site.cli("acl", "set", f"user/{name}/F", "-fred", "p")
    site.deliver(f"{name}+F@x", message(fresh), parameters="AUTH=fred")
    assert len(site.files(f"user/{name}")) == 1


def test_xtext_in_auth_is_decoded(site, name, fresh):
    site.user(name, "F", open_to_all=False)
    site.cli("acl", "set", f"user/{name}/F", "fred+x", "p")
    site.deliver(f"{name}+F@x", message(fresh), parameters="AUTH=fred+2Bx")
    assert len(site.files(f"user/{name}/F")) == 1


# --- bulletin boards ---


def board(site, name, *acl):
    site.cli("mailbox", "create", f"b{name}")
    for identifier, rights in acl:
        site.cli("acl", "set", f"b{name}", identifier, rights)


def test_a_post_to_a_board_with_the_right_is_stored(site, name, fresh):
    board(site, name, ("anyone", "lrsp"))
    assert site.deliver(f"+b{name}@x", message(fresh))[0].startswith("250")
    assert len(site.files(f"b{name}")) == 1


def test_a_post_without_the_right_is_refused_and_says_so(site, name, fresh):
    board(site, name)
    assert site.deliver(f"+b{name}@x", message(fresh))[0].split("\n")[-1].startswith("550 5.7.1")


def test_a_board_that_may_not_be_seen_is_refused_like_one_that_does_not_exist(site, name, fresh):
    board(site, name, ("anyone", "r"))
    hidden = site.deliver(f"+b{name}@x", message(fresh))[0]
    missing = site.deliver("+bnothere@x", message(fresh))[0]
    assert hidden.split("\n")[-1].startswith("550 5.1.1")
    assert hidden.replace(f"b{name}", "N") == missing.replace("bnothere", "N")


def test_a_new_board_is_readable_and_not_postable(site, name):
    board(site, name)
    assert site.cli("acl", "list", f"b{name}").strip() == "anyone lrs"


def test_a_nested_board_is_reached(site, name, fresh):
    board(site, name, ("anyone", "lrsp"))
    site.cli("mailbox", "create", f"b{name}/sub")
    assert site.deliver(f"+b{name}/sub@x", message(fresh))[0].startswith("250")
    assert len(site.files(f"b{name}/sub")) == 1


def test_an_empty_detail_of_the_post_user_is_no_board(site):
    with Client(site.socket) as c:
        c.hello()
        c.say("MAIL FROM:<>")
        assert c.say("RCPT TO:<+@x>").split("\n")[-1].startswith("550 5.1.1")
        assert c.say("RCPT TO:<>")[:3] in {"550", "501"}
