"""A copy of a program folder made of links, with a stack file of its own: Pulumi writes into the stack file it uses."""

from __future__ import annotations

from pathlib import Path

# The last are pages that `xtsync report` has made, which it would not write through a link.
LEFT_OUT = (".git", ".lab", "xtsync-report.html", "xtsync-report.md")


def link_program(program: Path, folder: Path, *, but: tuple[str, ...] = ()) -> Path:
    """Make, or bring up to date, a folder that is the program.

    Args:
        program: the program's own folder.
        folder: where to make the links.
        but: names of files that the copy has for itself.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in program.iterdir():
        link = folder / path.name
        own = path.name in but or path.name in LEFT_OUT or is_stack_file(path)
        if not own and (not link.is_symlink() or link.resolve() != path.resolve()):
            link.unlink(missing_ok=True)
            link.symlink_to(path.resolve())
    return folder


def is_stack_file(path: Path) -> bool:
    """Whether this is a stack's configuration, not the project's."""
    return path.name.startswith("Pulumi.") and path.name not in ("Pulumi.yaml", "Pulumi.yml")
