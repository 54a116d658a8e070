"""A secret in a stack file is in the hands of everybody who has the file: it is refused, and never shown."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from lab import world
from tests.scenarios.stacks import Command, Lab, messages
from tests.stack_files import CLIENT, parsed, side
from tests.unit.graph_fakes import TARGET_ID
from xtsync_resources.config import ConfigurationProblems

CANARY = "what-was-to-be-hidden"
REPLACE = "and replace that one: whoever reads the file or its history has it."


@pytest.mark.parametrize(
    ("changes", "key", "variables"),
    [
        ({"source": side(auth="secret", clientId=CLIENT, clientSecret=CANARY)}, "source.clientSecret",
         "XTSYNC_SOURCE_CLIENT_SECRET"),
        ({"target": side(TARGET_ID, secret=CANARY)}, "target.secret", "XTSYNC_TARGET_CLIENT_SECRET"),
        ({"target": side(TARGET_ID, CLIENT_SECRET=CANARY)}, "target.CLIENT_SECRET", "XTSYNC_TARGET_CLIENT_SECRET"),
        ({"source": side(certificatePassword=CANARY)}, "source.certificatePassword",
         "XTSYNC_SOURCE_CERTIFICATE_PASSWORD"),
        ({"clientSecret": CANARY}, "clientSecret", "XTSYNC_SOURCE_CLIENT_SECRET or XTSYNC_TARGET_CLIENT_SECRET"),
        ({"targetCertificatePassword": CANARY}, "targetCertificatePassword", "XTSYNC_TARGET_CERTIFICATE_PASSWORD"),
    ],
)  # fmt: skip
def test_a_secret_is_told_where_it_belongs(changes: dict[str, Any], key: str, variables: str) -> None:
    with pytest.raises(ConfigurationProblems) as caught:
        parsed({"XTSYNC_SOURCE_CLIENT_SECRET": "s"}, **changes)
    text = str(caught.value)
    assert f"xtsync:{key}: secrets do not belong here. Remove it, export {variables}, {REPLACE}" in text
    assert CANARY not in text


def test_a_secret_key_that_is_not_encrypted_is_refused(lab: Lab, xtsync: Command) -> None:
    lab.stack.config["xtsync:sourceClientSecret"] = CANARY
    text = "\n".join(messages(lab.stack.run("preview", fails=True)))
    assert "xtsync:sourceClientSecret: the secret is not encrypted. Remove it, export XTSYNC_SOURCE" in text
    assert CANARY not in text
    assert list(lab.entra.traffic) == []
    said = xtsync("doctor", "-s", "dev")
    assert said.exit_code == 2
    assert "the secret is not encrypted" in " ".join(said.errors.split())
    assert CANARY not in said.errors + said.out


def test_the_answer_is_the_programs_too(lab: Lab) -> None:
    tenant = yaml.safe_load(f"{{tenantId: {world.SOURCE_TENANT}, auth: secret, clientSecret: {CANARY}}}")
    lab.stack.config["xtsync:source"] = tenant
    text = "\n".join(messages(lab.stack.run("preview", fails=True)))
    assert "xtsync:source.clientSecret: secrets do not belong here" in text
    assert CANARY not in text
