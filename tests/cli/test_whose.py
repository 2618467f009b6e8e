"""Commands are for whom the data directory belongs to."""

import os
import pwd
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from sievemda.cli.whose import refuse_others
from sievemda.errors import NotPermitted

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")


@pytest.fixture
def site(tmp_path, call):
    assert call("mailbox", "create", "user/alice")[0] == 0
    nobody = pwd.getpwnam("nobody")
    os.chown(tmp_path / "d", nobody.pw_uid, nobody.pw_gid)
    return tmp_path / "d"


@needs_root
def test_root_is_told_to_be_the_user_of_the_server(site, call, monkeypatch):
    monkeypatch.setattr("sys.argv", ["sievemda", "--data", str(site), "mailbox", "create", "user/o'neil"])
    code, out, error = call("mailbox", "create", "user/o'neil")
    assert (code, out) == (77, "")
    assert error == (
        f"sievemda: {site} belongs to nobody, and what root makes there he cannot read; say: "
        f"runuser -u nobody -- sievemda --data {site} mailbox create 'user/o'\"'\"'neil'\n"
    )
    assert not (site / "mail/user/o'neil").exists()


@needs_root
@pytest.mark.parametrize("command", [("backup", "-"), ("serve",), ("account", "passwd", "alice"), ("why", "<1@x>")])
def test_root_is_refused_by_every_command_on_the_data(site, call, command):
    code, out, error = call(*command)
    assert (code, out, error.count("belongs to nobody")) == (77, "", 1)


@needs_root
def test_a_message_is_not_sent_back_for_that(site, call):
    code, out, error = call("deliver", "alice")
    assert (code, out, error.count("belongs to nobody")) == (75, "", 1)


@needs_root
@pytest.mark.parametrize("command", [("config", "check"), ("reconstruct", "user/alice"), ("mailbox", "create", "-h")])
def test_what_gives_help_or_mends_owners_is_for_root(site, call, command):
    assert "belongs to nobody;" not in call(*command)[2]
    assert call(*command)[0] != 77


@needs_root
def test_who_cannot_look_into_the_directory_is_told_whose_it_is():
    with TemporaryDirectory() as directory:
        os.chown(directory, pwd.getpwnam("nobody").pw_uid, -1)
        os.seteuid(65533)
        try:
            with pytest.raises(NotPermitted, match="belongs to nobody; say: sudo -u nobody sievemda "):
                refuse_others(Path(directory))
            refuse_others(Path("/"))
        finally:
            os.seteuid(0)
