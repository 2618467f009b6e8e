"""A Neovim without a screen, driven by the keys that a person would press."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.interop.processes import CONF, wait_until


class Neovim:
    """Edits one file with what conf/editors/neovim.lua sets up, and nothing else."""

    def __init__(self, file: Path, room: Path) -> None:
        self.socket = room / "nvim.sock"
        tools = Path(sys.executable).parent
        self.environment = os.environ | {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "HOME": str(room),
            "XDG_CONFIG_HOME": str(room / "config"),
            "XDG_DATA_HOME": str(room / "data"),
            "XDG_CACHE_HOME": str(room / "cache"),
            "XDG_STATE_HOME": str(room / "state"),
        }
        for folder in ("config", "data", "cache", "state"):
            (room / folder).mkdir(exist_ok=True)
        setup = CONF / "editors" / "neovim.lua"
        command = [
            "nvim",
            "--clean",
            "--headless",
            "--listen",
            str(self.socket),
            "--cmd",
            f"luafile {setup}",
            str(file),
        ]
        self.process = subprocess.Popen(
            command, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        wait_until(self.socket.exists, "the editor listens")

    def keys(self, keys: str) -> None:
        """Press keys; special ones as in a mapping, `<Esc>`."""
        self._remote("--remote-send", keys)

    def lua(self, expression: str) -> Any:
        """What an expression comes to."""
        quoted = expression.replace("'", "''")
        return json.loads(self._remote("--remote-expr", f"json_encode(luaeval('{quoted}'))"))

    def until(self, expression: str, what: str) -> Any:
        """What an expression comes to, once that is neither false nor nothing."""
        found: list[Any] = []

        def there() -> bool:
            found[:] = [self.lua(expression)]
            return bool(found[0])

        wait_until(there, f"{what}: {expression}")
        return found[0]

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lua("vim.api.nvim_buf_get_lines(0, 0, -1, false)"))

    def quit(self) -> int:
        """Leave without saving; the exit code."""
        try:
            self._remote("--remote-send", "<Esc>:qa!<CR>")
            return self.process.wait(60)
        finally:
            self.process.kill()
            self.process.communicate()

    def _remote(self, how: str, what: str) -> str:
        done = subprocess.run(
            ["nvim", "--server", str(self.socket), how, what],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        return (done.stdout or done.stderr).strip()
