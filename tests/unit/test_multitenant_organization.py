"""Microsoft 365's own configurations are recognised and left alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.graph_fakes import SOURCE, SOURCE_ID, TARGET, TARGET_ID, ScriptedTransport, answer, client_for
from xtsync_resources.application.multitenant_organization import MEMBER, is_managed, notice
from xtsync_resources.application.resource import ServicePrincipalProvider
from xtsync_resources.graph.errors import RefusedError
from xtsync_resources.graph.sign_in import SignIn
from xtsync_resources.pulumi_runtime import provider as runtime
from xtsync_resources.pulumi_runtime.provider import ProviderSettings
from xtsync_resources.service_principal.model import ROLE

NAME = f"MTO_Sync_{TARGET_ID}"


@pytest.mark.parametrize(("name", "managed"), [(NAME, True), ("mto_sync_x", True), ("Contoso to MTO_Sync_", False)])
def test_the_name_tells(name: str, managed: bool) -> None:
    assert is_managed(name) is managed


@pytest.mark.parametrize("on_existing", ["adopt", "fail"])
def test_a_configuration_of_microsoft_365_is_never_adopted(monkeypatch: pytest.MonkeyPatch, on_existing: str) -> None:
    role = {"id": "r", "displayName": ROLE, "isEnabled": True, "allowedMemberTypes": ["User"]}
    found = {"id": "p", "appId": "a", "displayName": NAME, "appRoles": [role]}
    transport = ScriptedTransport(answer(200, found))
    monkeypatch.setattr(runtime, "_CLIENT", {"client": client_for(transport, SOURCE)[0]})
    provider = ServicePrincipalProvider()
    provider.settings = ProviderSettings(SignIn(SOURCE, "cli"), "p", 900.0, on_existing, "release")
    with pytest.raises(RefusedError, match="Microsoft 365 manages it"):
        provider.create({"homeTenantId": SOURCE_ID, "servicePrincipalId": "p"})
    assert len(transport.requests) == 1


def said(partner: dict[str, Any], tenant: Any, *answers: Any) -> tuple[str, int]:
    transport = ScriptedTransport(*answers)
    text = notice(partner, client_for(transport, tenant)[0].operation(60))
    return text, len(transport.requests)


def test_a_partner_in_the_organization_is_told_of_and_a_second_configuration_too() -> None:
    partner = {"tenantId": TARGET_ID, MEMBER: True}
    assert said({**partner, MEMBER: False}, SOURCE) == ("", 0)
    text, number = said({"tenantId": SOURCE_ID, MEMBER: True}, TARGET)
    assert ("may rewrite this partner policy" in text, number) == (True, 0)
    text, number = said(partner, SOURCE, answer(200, {"value": []}))
    assert ("configuration" in text, number) == (False, 1)
    text, _ = said(partner, SOURCE, answer(200, {"value": [{"id": "x"}]}))
    assert f"{NAME} for this target as well: it is left alone" in text
    text, _ = said(partner, SOURCE, answer(403, {"error": {"code": "Authorization_RequestDenied"}}))
    assert "it could not be seen whether" in text
