"""Which hosts may get a credential: the known clouds', this computer, and those its owner has agreed to.

A host is chosen in a stack file or in the state, which people may write who must not have the credentials. So any
other host counts only where the environment names it as well: there the credentials come from.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .clouds import CLOUDS, URL, Endpoints

AGREEMENT = "XTSYNC_METADATA_HOST"
HTTPS = 443
# So plain that nobody reads another host out of it than we do: no user, no path, no other letters, no dot at the end.
HOST = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")


class HostError(ValueError):
    """A text is no host."""


@dataclass(frozen=True)
class Host:
    """A host and port, to compare."""

    name: str
    port: int = HTTPS

    @classmethod
    def read(cls, text: str) -> Host:
        """From HOST or HOST:PORT.

        Raises:
            HostError: it has another form.
        """
        found = HOST.fullmatch(text)
        port = int(found[2] or HTTPS) if found else 0
        if found is None or not 0 < port < 65536:
            raise HostError(f"{text!r} is not HOST or HOST:PORT")
        return cls(found[1].lower(), port)

    @property
    def is_here(self) -> bool:
        """Whether it is this computer."""
        return is_here(self.name)


def is_here(name: str) -> bool:
    """Whether a host is this computer, by the name or an address of loopback."""
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return name.lower() == "localhost"


def hosts_of(endpoints: Endpoints) -> tuple[str, ...]:
    """The hosts that get credentials: login and Graph."""
    found = (URL.fullmatch(url) for url in (endpoints.login, endpoints.graph))
    return tuple(one["host"] for one in found if one)


KNOWN = frozenset(Host.read(host) for cloud in CLOUDS.values() for host in hosts_of(cloud.endpoints))


def listed(texts: Iterable[str]) -> frozenset[Host]:
    """Hosts by name; what is no host agrees to nothing."""
    found = set()
    for text in texts:
        try:
            found.add(Host.read(text))
        except HostError:
            continue
    return frozenset(found)


def agreed(environment: Mapping[str, str]) -> frozenset[Host]:
    """The hosts the environment names."""
    return listed(re.split(r"[,\s]+", environment.get(AGREEMENT, "")))


def may_get_credentials(text: str, agreed_to: frozenset[Host]) -> bool:
    """Whether credentials may go to a host."""
    try:
        host = Host.read(text)
    except HostError:
        return False
    return host.is_here or host in KNOWN or host in agreed_to


def unknown_hosts(hosts: Iterable[str], agreed_to: frozenset[Host]) -> tuple[str, ...]:
    """The hosts, each once, that must not get credentials."""
    return tuple(dict.fromkeys(host for host in hosts if not may_get_credentials(host, agreed_to)))


def how_to_agree(hosts: Iterable[str]) -> str:
    """What to do about hosts nobody has agreed to."""
    names = shlex.quote(",".join(hosts))
    return (
        f"if they are meant to get the credentials, export {AGREEMENT}={names} where the credentials are exported; if "
        "not, find out who changed xtsync:metadataHost"
    )
