"""`sievemda` and `python -m sievemda`."""

from sievemda.cli.main import main

if __name__ == "__main__":
    main()
