"""Forgetting what a process does not need to know: the other tenant's credentials, and those of others.

Pulumi hands its whole environment to everything it starts. What is dropped here is out of this process's environment
and of everything it starts itself; the operating system still shows what the process was started with to its own user.
"""

from __future__ import annotations

from collections.abc import MutableMapping

SIDES = ("source", "target")
# What is secret of a side, by the end of its variable's name.
CLIENT_SECRET, CERTIFICATE_PASSWORD = "CLIENT_SECRET", "CERTIFICATE_PASSWORD"
# azuread's own variables, which are not used.
PREFIX_OF_OTHERS = "ARM_"
# What opens the state; and the stack's configuration with its secrets in plain, which Pulumi's SDK has read by now.
OF_PULUMI = ("PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
# Something that every environment has, to put in a secret's place: a mapping cannot take a variable away.
STAND_INS = ("PATH", "HOME")


def variable_of(side: str, what: str) -> str:
    """The environment variable of a side."""
    return f"XTSYNC_{side.upper()}_{what}"


def drop_foreign(side: str, environment: MutableMapping[str, str]) -> None:
    """Forget everything that is not for a side.

    Args:
        side: the one to keep; "" for neither.
        environment: of a process.
    """
    foreign = tuple(variable_of(other, "") for other in SIDES if other != side)
    for name in [*environment]:
        if name.startswith((*foreign, PREFIX_OF_OTHERS)) or name in OF_PULUMI:
            del environment[name]


def hide_other(side: str) -> dict[str, str]:
    """Environment variable mappings that keep the other side's secrets from a provider process altogether."""
    other = next(one for one in SIDES if one != side)
    secrets = (variable_of(other, what) for what in (CLIENT_SECRET, CERTIFICATE_PASSWORD))
    return dict(zip(STAND_INS, secrets, strict=True))
