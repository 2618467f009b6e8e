"""Roundcube with its plug-in managesieve, served by PHP's own web server, with an SQLite database of its own.

The packages are unpacked, not installed: installed, Roundcube sets up a database and a web server for the machine.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from tests.interop.processes import Program, answers, free_port, need

TREE = Path(os.environ.get("SIEVEMDA_ROUNDCUBE", Path.home() / ".cache/sievemda/roundcube/tree"))
CODE = TREE / "usr/share/roundcube"
# Where Debian's package looks is /var/lib/roundcube; PHP runs this before each page.
PLACE = "<?php define('INSTALL_PATH', '{code}/');\n"
# What PHP prints of this is missing: modules of its own and libraries in its include path.
MISSING = """
$modules = array_filter(['pdo_sqlite', 'mbstring', 'intl', 'dom', 'openssl'], fn($name) => !extension_loaded($name));
$files = ['Net/SMTP.php', 'Net/Sieve.php', 'Auth/SASL.php', 'Mail/mime.php', 'GuzzleHttp/autoload.php'];
echo implode(' ', [...$modules, ...array_filter($files, fn($path) => !stream_resolve_include_path($path))]);
"""
CONFIG = """\
<?php
$config['db_dsnw'] = 'sqlite:///{base}/roundcube.db?mode=0600';
$config['log_dir'] = '{base}/logs';
$config['temp_dir'] = '{base}/temp';
$config['imap_host'] = '127.0.0.1:{imap}';
$config['mail_domain'] = 'example.org';
$config['des_key'] = 'abcdefghijklmnopqrstuvwx';
$config['language'] = 'en_US';
$config['plugins'] = ['managesieve'];
$config['managesieve_host'] = '{scheme}://localhost:{managesieve}';
$config['managesieve_conn_options'] = ['ssl' => ['cafile' => '{authority}', 'verify_peer' => true]];
$config['managesieve_vacation'] = 1;
$config['managesieve_debug'] = true;
{more}
"""


@dataclass(frozen=True)
class Servers:
    """Ports on loopback of what Roundcube talks to; for ManageSieve, the certificate to trust and how TLS begins.

    `scheme` is Roundcube's: `tls` is STARTTLS, `ssl` is TLS from the first octet.
    """

    imap: int
    managesieve: int
    authority: Path
    scheme: str


class Roundcube:
    """`more` are settings beside those above, or in their place, as PHP writes their values."""

    def __init__(self, directory: Path, servers: Servers, **more: str) -> None:
        need("php")
        missing = subprocess.run(["php", "-r", MISSING], capture_output=True, text=True, timeout=120, check=True).stdout
        if missing:
            pytest.skip(f"PHP has not what Roundcube needs: {missing}")
        if not (CODE / "plugins/managesieve").is_dir():
            pytest.skip(f"Roundcube and its plug-ins are not unpacked in {TREE}")
        self.directory, self.port = directory, free_port()
        for part in ("config", "logs", "temp"):
            (directory / part).mkdir(parents=True)
        shutil.copy(TREE / "etc/roundcube/defaults.inc.php", directory / "config")
        settings = "".join(f"$config['{name}'] = {value};\n" for name, value in more.items())
        config = CONFIG.format(base=directory, more=settings, **asdict(servers))
        (directory / "config" / "config.inc.php").write_text(config)
        place = directory / "place.php"
        place.write_text(PLACE.format(code=CODE))
        database = sqlite3.connect(directory / "roundcube.db")
        database.executescript((CODE / "SQL/sqlite.initial.sql").read_text())
        database.close()
        self.program = Program(
            ["php", "-d", f"auto_prepend_file={place}", "-S", f"127.0.0.1:{self.port}", "-t", str(CODE)],
            directory / "output",
            env={**os.environ, "ROUNDCUBE_CONFIG_DIR": str(directory / "config"), "PHP_CLI_SERVER_WORKERS": "2"},
        )

    def start(self) -> None:
        self.program.start(lambda: answers(("127.0.0.1", self.port)), 120)

    def stop(self) -> None:
        self.program.kill()  # what it has been asked for has been answered; it takes no leave

    def page(self, task: str, action: str = "") -> str:
        """The address of a page."""
        return f"http://127.0.0.1:{self.port}/?_task={task}" + (f"&_action={action}" if action else "")

    @property
    def errors(self) -> Path:
        return self.directory / "logs" / "errors.log"

    @property
    def dialogue(self) -> Path:
        """What it said to the ManageSieve server, and heard."""
        return self.directory / "logs" / "sieve.log"


@contextmanager
def running(roundcube: Roundcube, logs: dict[str, Path]) -> Iterator[Roundcube]:
    logs["errors of Roundcube"] = roundcube.errors
    logs["ManageSieve of Roundcube"] = roundcube.dialogue
    roundcube.start()
    try:
        yield roundcube
    finally:
        roundcube.stop()
