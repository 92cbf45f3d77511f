"""``python -m fctestbed``: the command line."""

from fctestbed.cli import main

if __name__ == "__main__":
    main()
