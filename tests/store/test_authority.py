import pytest

from sievemda.errors import AlreadyExists, NotFound, NotPermitted
from sievemda.policy.acl import BadIdentifier, format_rights
from sievemda.store.authority import Authority, Disabled
from sievemda.store.names import MailboxName


@pytest.fixture
def store(site):
    store = site(site={"admins": ("cyrus",)})
    for user in ("alice", "bob"):
        store.create(MailboxName(user))
    return store


@pytest.fixture
def name(store):
    return store.namespace.parse_admin


@pytest.fixture
def acting(store):
    return lambda userid: Authority(store, userid)


@pytest.fixture
def grant(acting, name):
    """Entries as an administrator sets them."""

    def grant(mailbox, **rights):
        for identifier, change in rights.items():
            acting("cyrus").change_acl(name(mailbox), identifier, change or None)

    return grant


@pytest.fixture
def hidden(mailbox, grant):
    """A shared folder without any entry."""
    found = mailbox("hidden")
    grant("hidden", anyone="")
    return found


def test_an_administrator_looks_everything_up_and_administers_it(acting, mailbox):
    assert format_rights(acting("cyrus").rights(mailbox("user/alice/Lists"))) == "la"


def test_an_administrator_needs_the_right_to_delete(acting, name, mailbox, grant):
    mailbox("board")
    with pytest.raises(NotPermitted):
        acting("cyrus").check_delete(name("board"))
    grant("board", cyrus="c")
    assert acting("cyrus").check_delete(name("board")).name == name("board")


def test_an_administrator_renames_a_folder_without_further_rights(acting, name, mailbox):
    mailbox("board")
    assert acting("cyrus").check_rename(name("board"), name("other"))


@pytest.mark.parametrize(
    "action", ["check_see", "check_delete", "check_read_acl", "check_see_quota", "check_see_annotations"]
)
def test_what_somebody_may_not_know_of_does_not_exist_word_for_word(acting, name, hidden, action):
    with pytest.raises(NotFound) as there:
        getattr(acting("alice"), action)(name("hidden"))
    with pytest.raises(NotFound) as nowhere:
        getattr(acting("alice"), action)(name("hiddem"))
    assert str(there.value) == str(nowhere.value).replace("hiddem", "hidden")


def test_whoever_may_look_is_told_that_he_may_not_do_more(acting, name, mailbox):
    mailbox("board")
    for check in (acting("alice").check_delete, acting("alice").check_read_acl):
        with pytest.raises(NotPermitted):
            check(name("board"))


@pytest.mark.parametrize(
    "new",
    [
        "top",
        "user/bob/x",
        "user/nobody",
        "user/nobody/x",
        "user/alice/#x",
        "board/x",
        "hidden",
        "hidden/x",
        "nowhere/x",
    ],
)
def test_a_user_creates_nothing_elsewhere(acting, name, mailbox, hidden, new):
    mailbox("board")
    with pytest.raises(NotPermitted):
        acting("alice").check_create(name(new))


@pytest.mark.parametrize("new", ["user/alice/x", "user/alice/x/y/z"])
def test_an_owner_creates_whatever_he_likes_below_his_inbox(acting, name, grant, new):
    grant("user/alice", **{"-alice": "k"})
    acting("alice").check_create(name(new))


def test_the_right_to_create_counts_at_any_depth_and_for_other_users(acting, name, mailbox, grant):
    mailbox("board")
    grant("board", alice="k")
    grant("user/bob", alice="lk")
    acting("alice").check_create(name("board/deep/er"))
    acting("alice").check_create(name("user/bob/x"))


def test_a_mailbox_that_is_there_is_told_only_to_who_may_see_it(acting, name, mailbox, hidden):
    mailbox("board")
    with pytest.raises(AlreadyExists):
        acting("alice").check_create(name("board"))
    with pytest.raises(AlreadyExists):
        acting("cyrus").check_create(name("hidden"))
    with pytest.raises(NotPermitted):
        acting("alice").check_create(name("hidden"))


def test_only_an_administrator_chooses_a_partition(acting, name):
    acting("cyrus").check_create(name("user/alice/x"), partition="two")
    with pytest.raises(NotPermitted):
        acting("alice").check_create(name("user/alice/x"), partition="two")
    with pytest.raises(NotPermitted):
        acting("alice").check_rename(name("user/alice"), name("user/alice"), partition="two")


def test_nobody_makes_a_folder_of_a_user_who_does_not_exist(acting, name):
    with pytest.raises(NotPermitted):
        acting("cyrus").check_create(name("user/nobody/x"))
    acting("cyrus").check_create(name("user/nobody"))


def test_nobody_deletes_his_own_inbox_nor_that_of_somebody_else(acting, name, grant):
    grant("user/alice", alice="all", bob="all")
    for userid in ("alice", "bob"):
        with pytest.raises(NotPermitted):
            acting(userid).check_delete(name("user/alice"))


def test_an_owner_deletes_and_renames_his_folders_unless_the_right_was_taken(acting, name, mailbox, grant):
    mailbox("user/alice/x")
    acting("alice").check_delete(name("user/alice/x"))
    acting("alice").check_rename(name("user/alice/x"), name("user/alice/y"))
    grant("user/alice/x", **{"-alice": "x"})
    with pytest.raises(NotPermitted):
        acting("alice").check_delete(name("user/alice/x"))


def test_a_rename_needs_the_right_to_create_at_the_new_place(acting, name, mailbox, grant):
    mailbox("user/alice/x")
    mailbox("board")
    with pytest.raises(NotPermitted):
        acting("alice").check_rename(name("user/alice/x"), name("board/x"))
    grant("board", alice="lk")
    acting("alice").check_rename(name("user/alice/x"), name("board/x"))


@pytest.mark.parametrize("allowed", [False, True])
def test_whole_users_are_renamed_where_the_setting_allows_it(site, allowed):
    store = site(site={"admins": ("cyrus",)}, store={"allowusermoves": allowed})
    store.create(MailboxName("alice"))
    move = (MailboxName("alice"), MailboxName("carol"))
    with pytest.raises(NotPermitted):
        Authority(store, "alice").check_rename(*move)
    if allowed:
        Authority(store, "cyrus").check_rename(*move)
    else:
        with pytest.raises(NotPermitted):
            Authority(store, "cyrus").check_rename(*move)


# -- changing ACLs -----------------------------------------------------------------------------------------------------


def test_an_owner_gives_rights_to_others(acting, name):
    acl = acting("alice").change_acl(name("user/alice"), "Bob@internal", "lrs")
    assert format_rights(acl.get("bob")) == "lrs"


@pytest.mark.parametrize(("who", "change"), [("alice", "lr"), ("alice", "-a"), ("alice", None), ("bob", "lr")])
def test_who_is_no_administrator_cannot_take_the_right_to_administer_from_the_owner(acting, name, grant, who, change):
    grant("user/alice", bob="la")
    with pytest.raises(NotPermitted):
        acting("bob" if who == "bob" else "alice").change_acl(name("user/alice"), "alice", change)


def test_a_negative_entry_for_the_owner_by_a_user_leaves_the_right_to_administer_out(acting, name):
    acl = acting("alice").change_acl(name("user/alice"), "-alice", "pa")
    assert format_rights(acl.get("-alice")) == "p"


def test_an_administrator_may_take_everything_but_the_implicit_rights(acting, name):
    acl = acting("cyrus").change_acl(name("user/alice"), "alice", None)
    assert str(acl) == "alice lkxcan"


def test_the_entry_of_an_owner_keeps_its_place(acting, name, grant):
    grant("user/alice", bob="lrs")
    for change in ("", None, "-lrswipkxtean"):
        assert str(acting("cyrus").change_acl(name("user/alice"), "alice", change)) == "alice lkxcan bob lrs"


def test_an_owner_without_the_right_to_administer_still_sees_the_acl(acting, name, grant):
    grant("user/alice", **{"-alice": "a"})
    alice = acting("alice")
    assert "a" in alice.shown_rights(alice.check_read_acl(name("user/alice")))
    with pytest.raises(NotPermitted):
        alice.change_acl(name("user/alice"), "bob", "lr")


def test_rights_for_anyone_can_be_left_to_administrators(site):
    store = site(site={"admins": ("cyrus",)}, acl={"anyoneuseracl": False})
    inbox = store.create(MailboxName("alice")).name
    for identifier in ("anyone", "ANYONE"):
        for change in ("p", None):
            with pytest.raises(NotPermitted):
                Authority(store, "alice").change_acl(inbox, identifier, change)
    assert Authority(store, "alice").change_acl(inbox, "-anyone", "p")
    assert format_rights(Authority(store, "cyrus").change_acl(inbox, "anyone", "p").get("anyone")) == "p"


def test_where_the_setting_says_so_nobody_changes_acls(site):
    store = site(site={"admins": ("cyrus",)}, acl={"allowsetacl": False})
    inbox = store.create(MailboxName("alice")).name
    for userid in ("alice", "cyrus"):
        with pytest.raises(Disabled):
            Authority(store, userid).change_acl(inbox, "bob", "p")
        assert Authority(store, userid).check_read_acl(inbox)
    with pytest.raises(Disabled):
        Authority(store, "bob").change_acl(MailboxName("nobody"), "bob", "p")


@pytest.mark.parametrize(("implies", "rights"), [(False, "la"), (True, "lswiteda" + "n")])
def test_the_right_to_administer_brings_others_along_where_the_setting_says_so(site, implies, rights):
    store = site(site={"admins": ("cyrus",)}, acl={"acl_admin_implies_write": implies})
    inbox = store.create(MailboxName("alice"))
    Authority(store, "cyrus").change_acl(inbox.name, "bob", "la")
    assert format_rights(Authority(store, "bob").rights(inbox)) == rights
    assert format_rights(Authority(store, "cyrus").rights(inbox)) == "la"
    assert ("user=bob lwstiea" in (inbox.path / "dovecot-acl").read_text()) is implies


def test_a_group_must_be_known(acting, name):
    with pytest.raises(BadIdentifier):
        acting("cyrus").change_acl(name("user/alice"), "group:nobody-knows", "l")
    acting("cyrus").change_acl(name("user/alice"), "-group:root", "l")


def test_anonymous_is_nobody_to_administer(acting, name, mailbox):
    mailbox("board")
    with pytest.raises(NotPermitted):
        acting(None).check_create(name("board/x"))
    assert not acting(None).is_admin


def test_annotations_for_all_need_the_right_to_write(acting, name, mailbox, grant):
    mailbox("board")
    assert acting("alice").check_annotate(name("board"), private=True)
    with pytest.raises(NotPermitted):
        acting("alice").check_annotate(name("board"), private=False)
    grant("board", alice="lw")
    assert acting("alice").check_annotate(name("board"), private=False)


def test_what_is_for_administrators_alone_is_refused_to_others(acting):
    acting("cyrus").check_administer()
    with pytest.raises(NotPermitted):
        acting("alice").check_administer()


def test_an_administrator_of_a_domain_is_one_in_that_domain(site):
    store = site(site={"admins": ("cyrus", "adm@a.example"), "virtdomains": "userid"})
    parse = store.namespace.parse_admin
    for name in ("user/l@a.example", "user/l@b.example", "user/l", "board@a.example", "board"):
        store.create(parse(name))
    admin = Authority(store, "adm@a.example")
    admin.check_create(parse("user/m@a.example"))
    admin.check_create(parse("other@a.example"))
    assert admin.change_acl(parse("board@a.example"), "adm@a.example", "c")
    admin.check_administer(parse("user/l@a.example"))
    for name in ("user/l@b.example", "user/l"):
        with pytest.raises(NotFound):
            admin.check_read_acl(parse(name))
    for name in ("user/m@b.example", "user/m", "other"):
        with pytest.raises(NotPermitted):
            admin.check_create(parse(name))
    for name in (parse("user/l"), None):
        with pytest.raises(NotPermitted):
            admin.check_administer(name)
    Authority(store, "cyrus").check_create(parse("user/m@b.example"))
    Authority(store, "cyrus").check_administer()
