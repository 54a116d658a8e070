"""`xtsync report`: a page about one pair or all of them, for somebody in a hurry.

First whether all is well and what to do, then the picture, people and cycles, failures, settings, and with `--audit`
the last writes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ...graph.errors import ConfigurationError, XtsyncError
from .. import choices
from .. import stack as stacks
from ..checks import Level
from ..choices import FAILED, Format
from ..files import write_private
from . import html, markdown
from .audit import last_writes
from .document import document
from .gathering import Gathering
from .section import Section

if TYPE_CHECKING:
    from ..screen import Screen


# Pairs that are read at the same time: each asks its own tenants, and Pulumi for its outputs.
AT_ONCE = 4


def stacks_in(folder: Path) -> list[str]:
    """The stacks of a folder that are pairs, and those of which nobody can tell.

    Raises:
        ConfigurationError: there is none.
    """
    files = sorted(folder.glob("Pulumi.*.yaml"))
    names = [path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in files]
    found = [name for name in names if may_be_pair(stacks.Location(folder), name)]
    if not found:
        what, why = f"There is no pair in {folder.absolute()}", "no file Pulumi.STACK.yaml there has keys of xtsync"
        raise ConfigurationError(what, why, "run in the program's folder, or give it with --cwd")
    return found


def may_be_pair(location: stacks.Location, name: str) -> bool:
    """Whether a stack file has keys of ours, or cannot be read, which its section will say."""
    try:
        return bool(stacks.own_values(location, name))
    except XtsyncError:
        return True


def places(location: stacks.Location) -> dict[str, stacks.Location]:
    """Every stack of the folder, each with its own outputs: those of another would show another job's health.

    Raises:
        ConfigurationError: there is none, or a file was given that can belong to one of them only.
    """
    folder = location.outputs_file
    why, do = "--all reads each stack's own", "leave it out, or name one stack with --stack"
    if location.config_file is not None:
        raise ConfigurationError("Cannot use --config-file with --all", why, do)
    if folder is not None and not folder.is_dir():
        do = "give a folder with a file STACK.json for each, or leave it out to ask Pulumi"
        raise ConfigurationError(f"Cannot use --outputs {folder} with --all", why, do)
    return {
        name: dataclasses.replace(location, outputs_file=folder and folder / f"{name}.json")
        for name in stacks_in(location.folder)
    }


# --- the command -------------------------------------------------------------------------------------------------


def command(
    name: str | None,
    location: stacks.Location,
    screen: Screen,
    everything: bool,
    form: Format,
    output: str,
    audit: Path | None,
) -> int:
    """Write the report; for what it gives see `exit_code`.

    Raises:
        ConfigurationError: what was asked for does not fit together, or a file cannot be read or written.
    """
    if screen.as_json and output:
        raise ConfigurationError(
            "Cannot use --output with --json", "a document goes to standard output", "leave one out"
        )
    if everything and name:
        raise ConfigurationError("Cannot use --stack with --all", "one of them is enough", "leave one out")
    wanted = places(location) if everything else {name or stacks.selected(location.folder): location}
    # Before any call: a file that cannot be used is told at once.
    written = last_writes(audit, {stacks.short(one) for one in wanted}) if audit else {}
    gathering = Gathering(screen)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        read = list(threads.map(gathering.section, wanted, wanted.values()))
    sections = [
        dataclasses.replace(section, written=written.get(stacks.short(one)))
        for one, section in zip(wanted, read, strict=True)
    ]
    if screen.as_json:
        screen.json([document(section) for section in sections])
        return told(sections, screen)
    render = html.render if form is Format.HTML else markdown.render
    text = render(sections, datetime.now(UTC))
    if output == "-":
        screen.plain(text)
    else:
        write(Path(output or f"xtsync-report.{'html' if form is Format.HTML else 'md'}"), text, sections, screen)
    return told(sections, screen)


def told(sections: Sequence[Section], screen: Screen) -> int:
    """The exit code; a failure is never silent, wherever the page goes."""
    code = exit_code(sections)
    if code == FAILED:
        unknown = ", ".join(section.stack for section in sections if not_known(section))
        screen.error([f"It is not known of all of {unknown} that it is well; the report says why."])
    return code


def exit_code(sections: Sequence[Section]) -> int:
    """How the report ends, by the rule of every command."""
    return choices.exit_code(wrong=any(map(is_wrong, sections)), unknown=any(map(not_known, sections)))


def is_wrong(section: Section) -> bool:
    """Whether a pair is known not to be well."""
    if any(one.level is Level.PROBLEM for one in section.findings):
        return True
    return not section.health.healthy if section.health else not section.unknown


def not_known(section: Section) -> bool:
    """Whether it is not known of all of a pair that it is well."""
    return section.unknown or any(one.failed for one in section.findings)


def write(path: Path, text: str, sections: Sequence[Section], screen: Screen) -> None:
    """Write the page and say so.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    write_private(path, text, replace=True)
    screen.print(f"Wrote {path}: {len(sections)} {'pair' if len(sections) == 1 else 'pairs'}.")
    unread = [section.stack for section in sections if section.problems]
    if unread:
        screen.print(f"Not all could be read of {', '.join(unread)}; the page says why.")
