"""Groups of the system, for ACL entries such as `group:staff`."""

from __future__ import annotations

from contextlib import suppress


def groups_of(userid: str) -> frozenset[str]:
    """The names of the groups that list the user, and of his own group; none when the system does not know him."""
    import grp  # noqa: PLC0415  asked only when an ACL names a group
    import pwd  # noqa: PLC0415

    found = {group.gr_name for group in grp.getgrall() if userid in group.gr_mem}
    with suppress(KeyError):
        found.add(grp.getgrgid(pwd.getpwnam(userid).pw_gid).gr_name)
    return frozenset(found)


def group_exists(name: str) -> bool:
    import grp  # noqa: PLC0415

    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True
