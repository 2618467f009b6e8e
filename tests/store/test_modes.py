"""Modes of what the store makes: those of the settings, whatever umask the program was started with."""

import subprocess
import sys

import pytest


def created(tmp_path, *sets, umask):
    data = tmp_path / "site" / "d"
    options = [word for item in sets for word in ("--set", item)]
    command = [sys.executable, "-m", "sievemda", "--data", str(data), *options, "mailbox", "create", "user/alice"]
    subprocess.run(command, check=True, umask=umask)
    return data


def mode(path):
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_mail_is_private_by_default_and_the_way_to_the_socket_is_not_closed_by_us(tmp_path, umask):
    data = created(tmp_path, umask=umask)
    assert mode(data) == 0o777 & ~umask
    assert mode(data / "mail") == 0o700
    assert mode(data / "mail" / "user" / "alice" / "Maildir" / "new") == 0o700


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_modes_that_are_asked_for_hold_under_any_umask(tmp_path, umask):
    data = created(tmp_path, "message_mode=0660", "folder_mode=0770", umask=umask)
    maildir = data / "mail" / "user" / "alice" / "Maildir"
    assert mode(maildir / "new") == 0o770
    assert {oct(mode(p)) for p in maildir.iterdir() if p.is_file()} == {oct(0o660)}
