"""`python -m tests.fuzz`: every target for some minutes, one after the other, with a summary.

    make fuzz                                        600 seconds for each target
    make fuzz FUZZ_SECONDS=60 FUZZ_TARGET=script     one of them, for a minute
    make fuzz-corpus                                 keep what reached something new, in tests/fuzz/corpus

What was found lies in `var/fuzz/found/TARGET`; what reached something new, and is not kept yet, in `var/fuzz/new/TARGET`.
Each finding is tried once more without atheris: a time-out there counts processor time, so that a machine which had
other things to do is no finding. The exit code is 1 when there is a finding, 2 when atheris cannot be had.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.fuzz import targets

_ROOT = Path(__file__).resolve().parents[2]
_WHERE = _ROOT / "var" / "fuzz"
_SECONDS = 10  # of processor time for one input
_MEMORY = 2_048  # MiB
_DONE = re.compile(r"stat::number_of_executed_units: +(\d+)")
_LARGEST = 4_096  # octets of an input that is kept


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=600, help="for each target (600)")
    parser.add_argument("--keep", action="store_true", help="keep what reached something new, and fuzz no more")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="give one input to a target, without atheris")
    parser.add_argument("target", nargs="*", type=_named, help=f"of {', '.join(targets.NAMES)}; without one, all")
    chosen = parser.parse_args()
    names: Sequence[str] = chosen.target or targets.NAMES
    if chosen.replay:
        if len(names) != 1 or not chosen.replay.is_file():
            parser.error("--replay wants one target and a file")
        targets.load(names[0]).check(chosen.replay.read_bytes())
        print(f"{chosen.replay}: nothing is wrong")
        return 0
    if importlib.util.find_spec("atheris") is None:
        print(
            "fuzzing needs atheris: `make fuzz` installs it where it has a wheel, which is for CPython 3.11 to 3.13 on"
        )
        print(f"x86-64 Linux. This is {sys.executable}, Python {platform.python_version()} on {platform.machine()}.")
        return 2
    if chosen.keep:
        for name in names:
            _keep(name)
        return 0
    return _report([(name, *_fuzz(name, chosen.seconds)) for name in names])


def _named(name: str) -> str:
    if name not in targets.NAMES:
        raise argparse.ArgumentTypeError(f"no target {name!r}: there are {', '.join(targets.NAMES)}")
    return name


def _fuzz(name: str, seconds: int) -> tuple[int, list[Path]]:
    """Fuzz one target; how many inputs were tried, and what was found."""
    found, new = _WHERE / "found" / name, _WHERE / "new" / name
    for folder in (found, new):
        folder.mkdir(parents=True, exist_ok=True)
    known = set(found.iterdir())
    print(f"== {name}: {seconds} s", flush=True)
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
        words = _dictionary(name, Path(folder) / "words")
        log = Path(folder) / "log"
        with log.open("w") as out:
            # Its limit of time is by the clock: three times as much, and what is too slow is looked at again.
            _engine(
                name, f"-max_total_time={seconds}", f"-timeout={3 * _SECONDS}", f"-rss_limit_mb={_MEMORY}",
                f"-dict={words}", f"-artifact_prefix={found}/", "-print_final_stats=1",
                f"-max_len={targets.load(name).longest}", new, *_kept(name), out=out,
            )  # fmt: skip
        text = log.read_text(errors="replace")
    count = _DONE.search(text)
    findings = sorted(set(found.iterdir()) - known)
    if not findings and count is None:
        print(text[-4_000:])
        raise SystemExit(f"{name}: the engine did not come to its end")
    if findings:
        print("\n".join(line for line in text.splitlines() if not line.startswith(("#", "INFO", "==")))[-4_000:])
    return int(count[1]) if count else 0, [one for one in findings if _is_finding(name, one)]


def _engine(name: str, *options: object, out: object = None) -> None:
    command = [sys.executable, "-m", "tests.fuzz.engine", name, *map(str, options)]
    subprocess.run(command, cwd=_ROOT, stdout=out, stderr=subprocess.STDOUT, check=False)  # type: ignore[call-overload]


def _dictionary(name: str, file: Path) -> Path:
    """The words of a target as libFuzzer reads them."""
    words = sorted({word for word in targets.load(name).words() if word})
    file.write_text("".join(f'"{"".join(map(_octet, word))}"\n' for word in words))
    return file


def _octet(octet: int) -> str:
    return chr(octet) if 32 <= octet < 127 and octet not in b'"\\' else f"\\x{octet:02x}"


def _kept(name: str) -> list[Path]:
    return [folder for folder in (targets.corpus(name), targets.regressions(name)) if folder.is_dir()]


def _is_finding(name: str, file: Path) -> bool:
    """Whether it fails, or takes too much processor time, when nothing else runs in the process."""
    if file.name.startswith(("timeout-", "slow-unit-")):
        command = [sys.executable, "-m", "tests.fuzz", name, "--replay", str(file)]
        limit = f"import resource; resource.setrlimit(resource.RLIMIT_CPU, ({_SECONDS}, {_SECONDS}))"
        started = f"{limit}; import os, sys; os.execv(sys.argv[1], sys.argv[1:])"
        done = subprocess.run([sys.executable, "-c", started, *command], cwd=_ROOT, capture_output=True, check=False)
        if done.returncode == 0:
            print(f"{file}: slow only because the machine was; no finding")
            file.unlink()
            return False
    return True


def _report(results: Iterable[tuple[str, int, list[Path]]]) -> int:
    bad = 0
    print(f"\n{'target':12}{'inputs':>10}  findings")
    for name, count, findings in results:
        bad += len(findings)
        print(f"{name:12}{count or 'stopped':>10}  {len(findings) or 'none'}")
        for file in findings:
            print(f"    {file}\n    again: {sys.executable} -m tests.fuzz {name} --replay {file}")
    if bad:
        print(
            "\nOnce it is mended, keep the input in tests/fuzz/regressions/TARGET under a name that says what it was."
        )
    return 1 if bad else 0


def _keep(name: str) -> None:
    """Put what is new to the corpus, of that and what is there as little as reaches the same."""
    new, corpus = _WHERE / "new" / name, targets.corpus(name)
    corpus.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
        options = ("-set_cover_merge=1", "-use_counters=0", f"-max_len={_LARGEST}", f"-artifact_prefix={folder}/")
        chosen = Path(folder) / "chosen"
        chosen.mkdir()
        _engine(name, *options, chosen, corpus, *([new] if new.is_dir() else []), out=subprocess.DEVNULL)
        files = list(chosen.iterdir())
        if not files:
            raise SystemExit(f"{name}: nothing was chosen; the corpus stays as it is")
        shutil.rmtree(corpus)
        corpus.mkdir()
        for file in files:
            shutil.copy(file, corpus / file.name)
    print(f"{name}: {len(files)} inputs, {sum(file.stat().st_size for file in corpus.iterdir())} octets")


if __name__ == "__main__":
    sys.exit(main())
