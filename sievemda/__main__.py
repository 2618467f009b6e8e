"""`sievemda` and `python -m sievemda`.

Why signals are looked at here: who presses Ctrl-C while modules are still imported, or when all is done, should see the
end of the process, as at any other time, and no traceback. SIGTERM ends a command as Ctrl-C does, so that what is half
done is cleared away, and is said.
"""

import signal

_INTERRUPTED = signal.getsignal(signal.SIGINT)  # SIG_IGN for what a shell runs in the background
if _INTERRUPTED is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from sievemda.cli.main import main as _main  # noqa: E402 - it is the first thing that takes time
from sievemda.cli.main import terminate  # noqa: E402


def main() -> None:
    """Run the command line and leave the process with its exit code."""
    signal.signal(signal.SIGINT, _INTERRUPTED)
    ends = signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    if ends:
        signal.signal(signal.SIGTERM, terminate)
    try:
        _main()
    finally:
        if _INTERRUPTED is signal.default_int_handler:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        if ends:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


if __name__ == "__main__":
    main()
