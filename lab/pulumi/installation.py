"""Which Pulumi CLI and plugins there are, and the environment in which they find each other."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
MODULE = Path(__file__).parent
# The oldest version that `requiredPulumiVersion` allows and the module proxy has, for one test.
OLDEST = MODULE / "oldest"
LAUNCHERS = MODULE / "launchers"
PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
BESIDE_THE_CLI = ("pulumi-language-python", "pulumi-resource-pulumi-python")
AZUREAD = "pulumi-resource-azuread"
Version = tuple[int, ...]


@dataclass(frozen=True)
class Installation:
    """A Pulumi CLI.

    Attributes:
        command: its path.
        version: its version, as (3, 274, 1).
        ours: whether it was built by `make pulumi`.
    """

    command: Path
    version: Version
    ours: bool

    @property
    def real_azuread(self) -> bool:
        """Whether the azuread plugin itself is installed, not only the lab's stand-in."""
        home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
        return bool(shutil.which(AZUREAD) or list(home.glob("plugins/resource-azuread-v*")))

    @property
    def words(self) -> str:
        """What deploys, for people."""
        version = ".".join(map(str, self.version))
        origin = "built by `make pulumi`" if self.ours else "of this machine"
        azuread = "the azuread plugin" if self.real_azuread else "the lab's azuread stand-in"
        return f"Pulumi {version} ({origin}) with {azuread}"

    def environment(self, state: Path, given: Mapping[str, str] = os.environ) -> dict[str, str]:
        """What to add to the environment of the CLI, so that it works without an account and without network.

        Args:
            state: the folder of states, which also gets what the CLI keeps for itself.
            given: the environment it is added to.
        """
        state.mkdir(parents=True, exist_ok=True)
        found = {
            "PULUMI_BACKEND_URL": state.resolve().as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": given.get("PULUMI_CONFIG_PASSPHRASE") or "lab",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "XTSYNC_LAB": str(CHECKOUT),
            "PATH": os.pathsep.join([*self._built(), given.get("PATH", ""), *self._missing_beside()]),
        }
        if not self.real_azuread:
            found["PULUMI_HOME"] = str(home_with_stand_in(state))
            found["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
        return found

    def _built(self) -> list[str]:
        """The folder of the CLI that was built here, which is on no PATH by itself."""
        return [str(self.command.parent)] if self.ours else []

    def _missing_beside(self) -> list[str]:
        """The folder of our launchers, where an installed CLI came without its own."""
        beside = self.command.resolve().parent
        there = all((beside / name).exists() or shutil.which(name) for name in BESIDE_THE_CLI)
        return [] if there else [str(LAUNCHERS)]


def home_with_stand_in(state: Path) -> Path:
    """A Pulumi home of the lab's own, in which the stand-in is the installed azuread plugin."""
    home = state.resolve() / "pulumi-home"
    plugin = home / "plugins" / f"resource-azuread-v{metadata.version('pulumi-azuread')}"
    plugin.mkdir(parents=True, exist_ok=True)
    place(LAUNCHERS / AZUREAD, plugin / AZUREAD)
    return home


def place(source: Path, destination: Path) -> None:
    """Copy a launcher, where it is not there yet as it is now; safe while others do the same."""
    if destination.exists() and destination.read_bytes() == source.read_bytes():
        return
    temporary = destination.with_name(f"{destination.name}.{os.getpid()}")
    shutil.copy(source, temporary)
    temporary.replace(destination)


def find(environment: Mapping[str, str] = os.environ) -> Installation | None:
    """The CLI to use: one on the PATH that is new enough, else the one that `make pulumi` built, else none."""
    on_path = shutil.which("pulumi", path=environment.get("PATH"))
    if on_path is not None:
        version = version_of(Path(on_path))
        if version is not None and version >= least_version():
            return Installation(Path(on_path), version, ours=False)
    return find_built(pinned(), environment)


def find_built(version: str, environment: Mapping[str, str] = os.environ) -> Installation | None:
    """The CLI of a version that was built here, with the launchers beside it; None where there is none."""
    built = cached(version, environment)
    if not built.exists():
        return None
    for name in BESIDE_THE_CLI:
        place(LAUNCHERS / name, built.with_name(name))
    return Installation(built, parsed(version), ours=True)


def cached(version: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Where a CLI built here is kept: outside of the checkout, so that a machine builds it once."""
    caches = environment.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "xtsync" / "pulumi" / version / "pulumi"


def pinned(module: Path = MODULE) -> str:
    """The version of the CLI that a module of this checkout pins, as v3.274.1."""
    found = re.search(r"github\.com/pulumi/pulumi/pkg/v3 (v\S+)", (module / "go.mod").read_text())
    assert found
    return found[1]


def least_version() -> Version:
    """What `requiredPulumiVersion` of the project asks for."""
    project = yaml.safe_load((CHECKOUT / "Pulumi.yaml").read_text())
    return parsed(project["requiredPulumiVersion"].removeprefix(">="))


@cache
def version_of(command: Path) -> Version | None:
    """The version of a CLI; None where it does not say."""
    try:
        said = subprocess.run([command, "version"], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return parsed(said.strip()) or None


def parsed(text: str) -> Version:
    """The three numbers of a version; empty where it has none."""
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", text)
    return tuple(int(part) for part in found.groups()) if found else ()
