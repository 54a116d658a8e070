"""Reading a file that holds a proof, or lines: it is looked at before anything of it is used, and nothing else is read.

A path may be chosen by somebody who cannot read what is there, and the content is sent away.
"""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

LARGEST_PROOF = 256 * 1024


class FileError(Exception):
    """A file cannot be used; the text says why, and ends a sentence that begins with the file."""


class EmptyFileError(FileError):
    """There is nothing in a file, or nothing that its size tells of."""


def read_small(path: str, most: int = LARGEST_PROOF) -> bytes:
    """The content of a regular file of a bounded size. Links are followed: Kubernetes puts tokens behind some.

    Raises:
        FileError: it cannot be read, or is another thing.
    """
    with opened(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise FileError(f"is larger than {most // 1024} KiB")
    return content


def read_lines(path: str, longest: int) -> Iterator[bytes]:
    """The lines of a regular file of any size, one after the other.

    Args:
        path: the file.
        longest: how many bytes a line may have.

    Raises:
        FileError: it cannot be read, is another thing, or has a longer line.
    """
    with opened(path) as file:
        for number in itertools.count(1):
            line = file.readline(longest + 1)
            if len(line) > longest:
                raise FileError(f"has a line of more than {longest // 1024} KiB: line {number}")
            if not line:
                return
            yield line


@contextmanager
def opened(path: str) -> Iterator[BinaryIO]:
    """A regular file with something in it, to be read.

    Raises:
        FileError: it cannot be read, or is another thing.
    """
    try:
        # Opening is an act already: it waits for the other end of a pipe, and sets some devices going.
        refuse_others(Path(path).stat())
        with open(path, "rb", opener=without_waiting) as file:
            refuse_others(os.fstat(file.fileno()))
            yield file
    except (OSError, ValueError) as error:
        raise FileError(f"cannot be read ({getattr(error, 'strerror', None) or error})") from None


def without_waiting(path: str, flags: int) -> int:
    """Open a file, or whatever has taken its place since it was looked at."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def refuse_others(found: os.stat_result) -> None:
    """Refuse all but a regular file with something in it.

    Raises:
        FileError: it is another thing.
    """
    if not stat.S_ISREG(found.st_mode):
        raise FileError("is a folder" if stat.S_ISDIR(found.st_mode) else "is not a regular file")
    if not found.st_size:  # so is every file of /proc, whatever would be read from it
        raise EmptyFileError("is empty")
