"""Reads the YAML of a stack file or project file: what JSON has, of bounded size, and nothing else.

Whoever proposes a change of a stack file writes it. Tags make no objects, and names for parts (anchors) do not make a
short file endless, or more than memory holds. A link does not lead to a file of whoever runs us, and no message
shows a line of a file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ..graph.errors import ConfigurationError
from ..graph.files import EmptyFileError, FileError, read_small

MOST_BYTES = 4 * 2**20
MOST_PARTS = 100_000
JSON_KINDS = ("null", "bool", "int", "float", "str", "seq", "map")
# What YAML has beside JSON. Any other tag is a word of the file, as a password that begins with `!` is.
OTHER_KINDS = ("binary", "merge", "omap", "pairs", "set", "timestamp", "value", "yaml")
TAG = "tag:yaml.org,2002:"


def read_yaml(path: Path, kind: str, do: str, *, follow_link: bool = False) -> Mapping[str, Any]:
    """A file's YAML object; empty where it is something else.

    Args:
        path: of the file.
        kind: what messages call it.
        do: what helps where it cannot be read.
        follow_link: whether it may be a link, because who writes it is trusted.

    Raises:
        ConfigurationError: it cannot be read.
    """
    what = f"Cannot read the {kind} {path}"
    if path.is_symlink() and not follow_link:
        raise ConfigurationError(what, "it is a link to another file", "put the file itself there")
    try:
        text = read_small(str(path), MOST_BYTES).decode()
        document = yaml.load(text, JsonLoader)  # noqa: S506 - a safe one, and stricter
    except EmptyFileError:
        return {}
    except FileError as error:
        raise ConfigurationError(what, f"it {error}", do) from None
    except UnicodeDecodeError:
        raise ConfigurationError(what, "it is not UTF-8", do) from None
    except RecursionError:
        raise ConfigurationError(what, "it is nested too deep", do) from None
    except yaml.YAMLError as error:
        raise ConfigurationError(what, f"it is not YAML{place(error)}", do) from None
    return document if isinstance(document, dict) else {}


# What PyYAML quotes, of which kind ever. What it names of its own is in angle brackets, or one sign.
QUOTED = re.compile(r"""'([^']*)'|"([^"]*)\"""")
OF_ITS_OWN = re.compile(r"<[a-z ]+>|\\?.")


def place(error: yaml.YAMLError) -> str:
    """Where it is wrong and why; not the line itself, nor a word of it, which may be a secret."""
    mark = getattr(error, "problem_mark", None)
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", ""))
    where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    if not isinstance(error, RefusedPartError):
        problem = QUOTED.sub(without_words_of_the_file, problem)
    return f"{where}: {problem}" if problem else where


def without_words_of_the_file(quoted: re.Match[str]) -> str:
    """What PyYAML quotes, where it is its own."""
    return quoted[0] if OF_ITS_OWN.fullmatch(quoted[1] or quoted[2] or "") else "'...'"


class RefusedPartError(yaml.MarkedYAMLError):
    """A part is refused by us, in our words."""


class JsonLoader(yaml.SafeLoader):
    """Makes of a document what JSON has; a part that is repeated by its name counts each time."""

    yaml_constructors = {f"{TAG}{kind}": yaml.SafeLoader.yaml_constructors[f"{TAG}{kind}"] for kind in JSON_KINDS}  # noqa: RUF012

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._parts = 0
        self._parts_of: dict[str, int] = {}

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Make a node, and count its parts."""
        before = self._parts
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        node = super().compose_node(parent, index)
        name = event.anchor
        if isinstance(event, yaml.AliasEvent):
            if name not in self._parts_of:
                raise refusal(event.start_mark, "what is named there holds itself")
            self._parts += self._parts_of[name]
        else:
            self._parts += 1
            if name is not None:
                self._parts_of[name] = self._parts - before
        if self._parts > MOST_PARTS:
            raise refusal(
                event.start_mark, f"it has more than {MOST_PARTS} parts, with those that are named and repeated"
            )
        return node

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """Make a value of a node."""
        kind = node.tag.removeprefix(TAG)
        if node.tag not in self.yaml_constructors:
            found = f"a value of the kind {kind!r}" if kind in OTHER_KINDS else "a value with a tag"
            raise refusal(
                node.start_mark, f"{found}, which no setting is; if it is a text, put it into quotation marks"
            )
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError):
            raise refusal(node.start_mark, f"not a value of the kind {kind!r}") from None


def refusal(mark: Any, why: str) -> RefusedPartError:
    """A document is refused at a place."""
    return RefusedPartError(problem=why, problem_mark=mark)
