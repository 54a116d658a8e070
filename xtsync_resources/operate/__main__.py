"""`python -m xtsync_resources.operate`: the `xtsync` command where the package is not installed."""

from .cli import main

if __name__ == "__main__":
    main()
