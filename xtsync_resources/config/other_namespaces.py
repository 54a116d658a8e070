"""What a stack file holds beside our settings: what Pulumi obeys by itself, and what is encrypted.

Pulumi hands the program all of it, decrypted, and acts on its own keys when a resource is declared: a pattern of
`pulumi:autonaming` can put any value of the stack, a secret too, among a resource's inputs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from .problems import ConfigurationProblems, Problem

OF_PULUMI = "pulumi:"
# The one takes from Pulumi: no provider is started that nobody has declared. The other `pulumi new` writes.
HARMLESS = ("pulumi:disable-default-providers", "pulumi:tags")


def refuse_other_namespaces(
    keys: Iterable[str], encrypted: Iterable[str], may_be_encrypted: Collection[str] = ()
) -> None:
    """Refuse what Pulumi acts on by itself and encrypted values, before anything is said about a value.

    Pulumi decrypts a secret under whatever key it was copied to. There it would be shown, stored and written in plain.

    Args:
        keys: of the whole configuration, each with its namespace.
        encrypted: those whose values are, as a whole or in part.
        may_be_encrypted: those that may be.

    Raises:
        ConfigurationProblems: there is such a key.
    """
    acted_on = sorted(key for key in keys if key.startswith(OF_PULUMI) and key not in HARMLESS)
    why = "Pulumi acts on it by itself, with the stack's secrets in its hands"
    used = " and ".join(HARMLESS)
    problems = [Problem(key, None, why, f"Remove it: of Pulumi's own keys only {used} are used") for key in acted_on]
    names = [key.rpartition(":")[2] for key in may_be_encrypted]
    only = f". Only {' and '.join(names)} may be encrypted" if names else ""
    why = "it is encrypted, and would be shown and stored in plain"
    do = f"Write it unencrypted; if it is a copied secret, find out who copied it{only}"
    problems += [Problem(key, None, why, do) for key in sorted({*encrypted} - {*may_be_encrypted})]
    if problems:
        raise ConfigurationProblems(problems)
