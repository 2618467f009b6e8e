"""Who shares folders with whom, in the file of Dovecot."""

from sievemda.policy.acl import Acl, Rights
from tests.upkeep.reconstruct.conftest import kinds

KEY = "shared/shared-boxes/user/bob/alice"


def test_a_file_that_is_damaged_or_does_not_say_what_is_shared_is_put_right(site, mend, tmp_path):
    shared = tmp_path / "shared-mailboxes"
    store = site(acl={"acl_shared_dict": shared})
    store.create(store.namespace.parse_admin("user/alice")).set_acl(
        Acl((("alice", Rights("lr")), ("bob", Rights("l"))))
    )
    sound = shared.read_text()
    assert KEY in sound
    assert mend(store=store) == []
    for broken in ("", f"garbage\n{sound}", f"{sound}shared/shared-boxes/anyone/carol\n", "\x00\n\x00"):
        shared.write_text(broken)
        assert set(kinds(mend(store=store))) == {"sharing"}
        assert shared.read_text() == sound
