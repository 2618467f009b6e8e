"""For tests of commands."""

import pytest

from sievemda.cli.main import run


@pytest.fixture
def call(tmp_path, capsys):
    """Runs a command on an embedded site, which is empty at first: (exit code, standard output, standard error)."""

    def call(*arguments):
        code = run(["--data", str(tmp_path / "d"), *arguments])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return call
