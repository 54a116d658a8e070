"""List the stack files of this folder for a matrix, and refuse what Pulumi would obey before the program runs.

    stack_files.py [--against COMMIT] [--exactly LIST]

Needs no credentials. Prints the names of the stacks as one JSON list, on GitHub also as the output `stacks`. A stack
file is refused where it is a link, is no plain YAML, has a configuration that the program would refuse, or says more
than settings: `environment:` would set variables of the Pulumi CLI. With `--against`, as `HEAD^1` in a build of a pull
request, what encrypts a stack's secrets must be as it was there. With `--exactly`, the stacks must be those of a JSON
list of objects with `name`, so that a pipeline forgets none.

Exit code: 0, or 1 with a line for each problem.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from xtsync_resources.graph.errors import XtsyncError
from xtsync_resources.operate.stack import Location, read
from xtsync_resources.operate.yaml_files import JsonLoader, read_yaml
from xtsync_resources.pulumi_runtime.messages import Stopped
from xtsync_resources.untrusted import one_line

STACK_FILE = re.compile(r"Pulumi\.([A-Za-z0-9_.-]+)\.ya?ml")
# Settings of Pulumi Deployments lie beside the stack files.
DEPLOYMENT = ".deploy"
ENCRYPTION = ("secretsprovider", "encryptedkey", "encryptionsalt")
SETTINGS = {"config", *ENCRYPTION}


def main(arguments: list[str]) -> int:
    """List or refuse; the exit code."""
    parser = argparse.ArgumentParser(description="List the stack files, and refuse what is none.")
    parser.add_argument("--against", metavar="COMMIT", help="what encrypts the secrets must be as it was there")
    parser.add_argument("--exactly", metavar="LIST", type=json.loads, help="the stacks that there must be")
    given = parser.parse_args(arguments)
    found = stack_files(Path())
    problems = [problem for name, path in found.items() for problem in problems_of(name, path, given.against)]
    if given.exactly is not None:
        listed = sorted(stack["name"] for stack in given.exactly)
        if listed != list(found):
            problems.append(f"the pipeline lists {listed}, the folder has {list(found)}")
    for problem in problems:
        print(f"error: {one_line(problem)}", file=sys.stderr)
    print(json.dumps(list(found)))
    if output := os.environ.get("GITHUB_OUTPUT"):
        with Path(output).open("a") as file:
            file.write(f"stacks={json.dumps(list(found))}\n")
    return 1 if problems else 0


def stack_files(folder: Path) -> dict[str, Path]:
    """The stack files of a folder by the name of their stack, without the lab's."""
    matches = ((STACK_FILE.fullmatch(path.name), path) for path in sorted(folder.iterdir()))
    named = {match[1]: path for match, path in matches if match}
    return {name: path for name, path in named.items() if name != "dev" and not name.endswith(DEPLOYMENT)}


def problems_of(name: str, path: Path, against: str | None) -> Iterator[str]:
    """What a stack file may not say."""
    try:
        content = read_yaml(path, "stack file", "mend it")
    except XtsyncError as error:
        yield from str(error).split("\n")
        return
    for key in sorted(set(content) - SETTINGS):
        yield f"{path.name}: {key!r} is no setting of a pair, and Pulumi obeys it before the program runs. Take it out."
    before = {} if against is None else content_at(against, path.name)
    for key in ENCRYPTION:
        if before and content.get(key) != before.get(key):
            yield f"{path.name}: {key!r} is not as in {against}: it says what encrypts the secrets. Put it back."
    try:
        read(name, Location(config_file=path), lambda _: None, before_sign_in=True)
    except (XtsyncError, Stopped) as error:
        yield from f"{path.name}: {error}".split("\n")


def content_at(commit: str, name: str) -> Mapping[str, Any]:
    """What a stack file said in a commit; empty where there was none."""
    if name not in git("ls-tree", "--name-only", commit).splitlines():
        return {}
    text = git("show", f"{commit}:./{name}")
    document = yaml.load(text, JsonLoader)  # noqa: S506 - a safe one, and stricter
    return document if isinstance(document, dict) else {}


def git(*arguments: str) -> str:
    """What git answers."""
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout  # noqa: S603, S607


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
