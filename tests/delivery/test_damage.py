"""Control files that somebody else has damaged: a message is delivered once, somewhere, all the same."""

import pytest

from sievemda.mail.result import Result
from tests.delivery.world import message


@pytest.mark.parametrize("file", ["sievemda-mailbox", "maildirsize", "dovecot-acl", "new"])
@pytest.mark.parametrize("script", ["", "keep;", 'require "fileinto"; fileinto "F";'])
def test_a_folder_whose_files_cannot_be_read_costs_no_message(world, file, script):
    world.user("alice", "F", script=script)
    path = world.folder("user/alice/F") / file
    if path.is_dir():
        path.rmdir()
        path.write_bytes(b"")
    else:
        path.unlink(missing_ok=True)
        path.mkdir()
    assert world.deliver("alice+F@x", message()) == [Result.DELIVERED]
    assert len(list(world.folder("user/alice").rglob("*,S=*"))) == 1


def test_a_limit_file_that_leads_elsewhere_is_replaced(world, tmp_path):
    world.user("alice")
    world.quota("user/alice", messages=1)
    file = world.folder("user/alice") / "maildirsize"
    file.unlink()
    (tmp_path / "elsewhere").write_text("9C\n0 0\n")
    file.symlink_to(tmp_path / "elsewhere")
    results = [world.deliver("alice@x", message(f"<{n}@x>"))[0] for n in range(3)]
    assert results == [Result.DELIVERED, Result.DELIVERED, Result.OVER_QUOTA]
    assert (tmp_path / "elsewhere").read_text() == "9C\n0 0\n"


def test_usage_that_cannot_be_written_is_no_reason_to_deliver_twice(world):
    world.user("alice")
    world.quota("user/alice", messages=9)
    file = world.folder("user/alice") / "maildirsize"
    file.unlink()
    file.mkdir()
    results = [world.deliver("alice@x", message(), ignore_quota=True)[0] for _ in range(2)]
    assert results == [Result.DELIVERED, Result.DELIVERED]
    assert len(world.files("user/alice")) == 1
