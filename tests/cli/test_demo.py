"""The demonstration as somebody would start and end it."""

import os
import shlex
import signal
import subprocess
import sys

import pytest


def start(data):
    ours = ["env", "--default-signal=HUP"]  # whoever runs the tests may ignore it
    command = [*ours, sys.executable, "-m", "sievemda", "--data", str(data), "demo"]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def said(demo):
    """What it prints up to the last line of its explanation."""
    lines = []
    for line in demo.stdout:
        lines.append(line.rstrip("\n"))
        if line.startswith("Ctrl-C"):
            return lines
    raise AssertionError("\n".join(lines))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_no_server_is_left_however_it_ends(tmp_path, number):
    with start(tmp_path / "a b") as demo:
        said(demo)
        demo.send_signal(number)
        assert demo.wait(60) == 0
        demo.stdout.read()  # ends when the last process that could write there has ended
    with pytest.raises(ProcessLookupError):
        os.killpg(demo.pid, 0)


def test_its_commands_work_as_printed_and_a_second_one_on_the_same_data_is_refused(tmp_path):
    with start(tmp_path / "a b") as demo:
        try:
            ours = [line.strip() for line in said(demo) if " --data " in line and "FILE" not in line]
            assert len(ours) == 3
            for line in ours:
                subprocess.run(["bash", "-c", line], check=True, capture_output=True, timeout=60)
            with start(tmp_path / "a b") as second:
                output, _ = second.communicate(timeout=60)
            assert (second.returncode, "a server runs below" in output) == (73, True)
            assert shlex.quote(str(tmp_path / "a b")) in " ".join(ours)
        finally:
            demo.terminate()
            demo.communicate(timeout=60)
