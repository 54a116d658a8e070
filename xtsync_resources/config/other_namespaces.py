"""What a stack file holds beside our settings: what Pulumi obeys by itself, what is encrypted, and what has strayed.

Pulumi hands the program all of it, decrypted, and acts on its own keys when a resource is declared: a pattern of
`pulumi:autonaming` can put any value of the stack, a secret too, among a resource's inputs.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..graph.files import FileError, read_small
from .problems import ConfigurationProblems, Problem

OF_PULUMI = "pulumi:"
# The one takes from Pulumi: no provider is started that nobody has declared. The other `pulumi new` writes.
HARMLESS = ("pulumi:disable-default-providers", "pulumi:tags")
# Providers have keys of these names as well, as openstack:cloud and azuread:metadataHost.
OF_PROVIDERS_TOO = ("cloud", "metadataHost")
# Near to the names that pairs of tenants are given.
PACKAGES = ("azure", "azure-native", "azuread", "azuredevops", "pulumi")
NEAR = 0.8
MOST_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Stray:
    """A key that somebody has meant for this project and written in another namespace, where nobody reads it."""

    namespace: str
    name: str

    @property
    def key(self) -> str:
        """As Pulumi has it."""
        return f"{self.namespace}:{self.name}"


def strays(keys: Iterable[str], own: str, known: Collection[str]) -> list[Stray]:
    """The keys that have strayed: our names in a namespace that has one, or all of one that is nearly ours.

    Args:
        keys: of the whole configuration, each with its namespace.
        own: our namespace, the project's name.
        known: our keys, without it.
    """
    names: dict[str, list[str]] = {}
    for key in sorted(keys):
        namespace, _, name = key.rpartition(":")
        if namespace not in (own, "pulumi"):
            names.setdefault(namespace, []).append(name)
    found = []
    for namespace, many in names.items():
        ours = [name for name in many if name in known]
        if namespace not in PACKAGES and difflib.SequenceMatcher(None, namespace.lower(), own.lower()).ratio() >= NEAR:
            found += [Stray(namespace, name) for name in many]
        elif {*ours} - {*OF_PROVIDERS_TOO}:
            found += [Stray(namespace, name) for name in ours]
    return found


def told(found: Sequence[Stray], own: str, known: Collection[str], files: Iterable[Path]) -> list[Problem]:
    """Strayed keys as problems, one for each namespace; what the keys would mean is not looked at for this."""
    texts = {path.name: text_of(path) for path in files}
    by_namespace: dict[str, list[Stray]] = {}
    for one in found:
        by_namespace.setdefault(one.namespace, []).append(one)
    return [
        Problem(
            f"The namespace {namespace}",
            None,
            f"{listed([one.name + place_of(one, texts) for one in many])} would be read by nobody there, as this "
            f"project is called {own}",
            advice(many, own, known),
        )
        for namespace, many in by_namespace.items()
    ]


def advice(many: Sequence[Stray], own: str, known: Collection[str]) -> str:
    """What to write instead: the keys as they are here, of a name that is none the nearest."""
    right = [one.name for one in many if one.name in known]
    meant, unknown = [], []
    for name in (one.name for one in many if one.name not in known):
        near = difflib.get_close_matches(name, known, 1, NEAR)
        if near:
            meant.append(f"{own}:{near[0]} if that is meant by {name}")
        else:
            unknown.append(name)
    write = f"Write {listed([*(f'{own}:{name}' for name in right), *meant])}" if right or meant else ""
    none = f"{'There is' if len(unknown) == 1 else 'There are'} no key {listed(unknown)}: remove it" if unknown else ""
    return ". ".join(filter(None, (write, none)))


def listed(words: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def text_of(path: Path) -> str:
    """What a configuration file says; empty where it cannot be read, which others tell."""
    try:
        return read_small(str(path), MOST_BYTES).decode()
    except (FileError, UnicodeDecodeError):
        return ""


def place_of(one: Stray, texts: Mapping[str, str]) -> str:
    """Where a key is; "" where no file has it."""
    written = re.compile(rf"\s*[\"']?{re.escape(one.namespace)}:(config:)?{re.escape(one.name)}[\"']?\s*:(\s|$)")
    for name, text in texts.items():
        for number, line in enumerate(text.split("\n"), 1):
            if written.match(line):
                return f" ({name}, line {number})"
    return ""


def check_namespaces(
    keys: Collection[str],
    encrypted: Iterable[str],
    own: str,
    known: Collection[str],
    may_be_encrypted: Collection[str] = (),
    files: Iterable[Path] = (),
) -> tuple[list[Stray], list[Problem]]:
    """Refuse what Pulumi acts on by itself and encrypted values, before anything is said about a value.

    Pulumi decrypts a secret under whatever key it was copied to. There it would be shown, stored and written in plain.

    Args:
        keys: of the whole configuration, each with its namespace.
        encrypted: those whose values are, as a whole or in part.
        own: our namespace, the project's name.
        known: our keys, without it.
        may_be_encrypted: those of them that may be.
        files: where the keys may be written.

    Returns:
        The keys that have strayed into another namespace, and what to say of them. Their values are no secrets.

    Raises:
        ConfigurationProblems: there is such a key.
    """
    found = strays(keys, own, known)
    about_strays = told(found, own, known, files)
    acted_on = sorted(key for key in keys if key.startswith(OF_PULUMI) and key not in HARMLESS)
    why = "Pulumi acts on it by itself, with the stack's secrets in its hands"
    used = " and ".join(HARMLESS)
    problems = [Problem(key, None, why, f"Remove it: of Pulumi's own keys only {used} are used") for key in acted_on]
    only = f". Only {' and '.join(may_be_encrypted)} may be encrypted" if may_be_encrypted else ""
    why = "it is encrypted, and would be shown and stored in plain"
    do = f"Write it unencrypted; if it is a copied secret, find out who copied it{only}"
    elsewhere = {*encrypted} - {f"{own}:{name}" for name in may_be_encrypted}
    misplaced = {one.key for one in found if one.name in may_be_encrypted}
    problems += [Problem(key, None, why, do) for key in sorted(elsewhere - misplaced)]
    if problems or elsewhere:
        raise ConfigurationProblems([*about_strays, *problems])
    return found, about_strays
