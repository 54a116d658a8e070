"""Files the commands write: for their owner's eyes only, as they name people and say who may come in."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ..graph.errors import ConfigurationError

# A link in its place, as a repository may hold one, would lead the text to any file of its owner.
NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def write_private(path: Path, text: str, *, replace: bool) -> None:
    """Write a file that nobody else can read.

    Args:
        path: where to.
        text: in UTF-8.
        replace: whether it may be there already.

    Raises:
        ConfigurationError: it is there already, or cannot be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | NO_LINK | (os.O_TRUNC if replace else os.O_EXCL)
    try:
        descriptor = os.open(path, flags, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.fchmod(descriptor, 0o600)  # one that was there keeps its mode otherwise
            file.write(text)
    except FileExistsError:
        do = "give another name and take over what you need by hand; of a stack file above all xtsync:displayName"
        raise ConfigurationError(f"Will not overwrite {path}", "it exists already", do) from None
    except OSError as error:
        raise ConfigurationError(f"Cannot write {path}", error.strerror or str(error), "check the path") from None
