"""One target under atheris: `python -m tests.fuzz.engine TARGET [libFuzzer's options and folders]`."""

from __future__ import annotations

import pkgutil
import random
import shlex
import sys
import time
from importlib import import_module

import atheris

from tests.fuzz import targets

_OWN = 0.6  # how often an input is changed the way of its target and not octet by octet
_SLOW = 10  # seconds of processor time for one input


def main() -> None:
    name = sys.argv.pop(1)
    with atheris.instrument_imports(include=["sievemda"]):
        target = targets.load(name)
        for package in ("sievemda.mail", "sievemda.sieve"):  # of which much is imported when it is first used
            for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
                import_module(module.name)
    own = target.mutate

    def check(data: bytes) -> None:
        started = time.process_time()
        target.check(data)
        took = time.process_time() - started
        assert took <= _SLOW, f"it took {took:.1f} s of processor time"

    def mutate(data: bytes, longest: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if own is None or chance.random() > _OWN:
            return bytes(atheris.Mutate(data, longest))
        return own(data, chance)[:longest]

    # To choose among inputs, libFuzzer starts itself anew by this name, through a shell.
    sys.argv[0] = shlex.join([sys.executable, "-m", "tests.fuzz.engine", name])
    atheris.Setup(sys.argv, check, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
