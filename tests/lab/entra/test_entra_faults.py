"""Every fault the real service is known for can be raised; one row each."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import format_datetime
from typing import Any

import pytest
import requests

from lab.entra import Fault, Settings
from lab.world import SOURCE_TENANT, TARGET_TENANT
from tests.patience import wait_until

PARTNERS = "/policies/crossTenantAccessPolicy/partners"
TEMPLATE = "518e5f48-1fc8-4c48-9387-9fdf28b0dfe7"
BODY = {"tenantId": SOURCE_TENANT}


def throttled(**headers: str) -> Fault:
    return Fault(status=429, code="TooManyRequests", message="Please retry again later.", headers=headers)


STATUS_FAULTS = {
    "same key": Fault(status=409, code="Request_MultipleObjectsWithSameKeyValue"),
    "concurrency": Fault(status=409, code="Directory_ConcurrencyViolation"),
    "not there yet": Fault(status=404, code="Request_ResourceNotFound"),
    "reference not there yet": Fault(status=400, code="Request_BadRequest", message="Not a valid reference update"),
    "company information": Fault(status=404, code="Directory_ObjectNotFound"),
    "denied for a moment": Fault(status=403, code="Authorization_RequestDenied"),
    "blank unauthorized": Fault(status=401, code="UnknownError", message=""),
    "expired token": Fault(status=401, code="InvalidAuthenticationToken"),
    "throttled for 0 s": throttled(**{"Retry-After": "0"}),
    "throttled for 2 s": throttled(**{"Retry-After": "2"}),
    "throttled for 315 s": throttled(**{"Retry-After": "315"}),
    "throttled, fraction": throttled(**{"Retry-After": "1.5"}),
    "throttled, no header": throttled(),
    "internal error": Fault(status=500, code="InternalServerError"),
    "bad gateway": Fault(status=502, code="BadGateway"),
    "unavailable": Fault(status=503),
    "gateway timeout": Fault(status=504, code="GatewayTimeout"),
    "unavailable though done": Fault(status=503, when="after"),
    "timeout though done": Fault(status=504, code="GatewayTimeout", when="after"),
    "denied though done": Fault(status=403, code="Authorization_RequestDenied", when="after"),
    "licence absent": Fault(status=403, code="AadPremiumLicenseRequired", message="A premium license is needed."),
    "cross-cloud identity": Fault(status=400, code="AzureActiveDirectoryTokenExpired"),
    "redemption not configured": Fault(status=400, code="AzureDirectoryB2BManagementPolicyCheckFailure"),
}


@pytest.mark.parametrize("fault", STATUS_FAULTS.values(), ids=STATUS_FAULTS.keys())
def test_an_error_answer(world: Any, fault: Fault) -> None:
    world.entra.faults.add(fault)
    answer = world.target("POST", PARTNERS, BODY)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["message"]) == (fault.status, fault.code, fault.message)
    assert answer.headers.get("Retry-After") == fault.headers.get("Retry-After")
    assert (SOURCE_TENANT in world.target_tenant.policies.partners) is (fault.when == "after")
    assert world.entra.faults.pending == []
    assert world.target("POST", PARTNERS, BODY).status_code == (409 if fault.when == "after" else 201)


def test_throttled_until_a_date(world: Any) -> None:
    date = format_datetime(world.entra.clock.now(), usegmt=True)
    world.entra.faults.add(throttled(**{"Retry-After": date}))
    assert world.target("GET", PARTNERS).headers["Retry-After"] == date


@pytest.mark.parametrize(("when", "done"), [("before", False), ("after", True)])
def test_a_reset_connection(world: Any, when: Any, done: bool) -> None:
    world.entra.faults.add(Fault(kind="reset", when=when))
    with pytest.raises(requests.exceptions.ConnectionError):
        world.target("POST", PARTNERS, BODY)
    assert (SOURCE_TENANT in world.target_tenant.policies.partners) is done
    assert world.entra.traffic[-1].status == 0


def test_a_body_cut_off(world: Any) -> None:
    world.entra.faults.add(Fault(kind="truncate"))
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        world.target("POST", PARTNERS, BODY)
    assert SOURCE_TENANT in world.target_tenant.policies.partners


def test_a_late_answer(world: Any) -> None:
    world.entra.faults.add(Fault(kind="delay", seconds=0.2))
    began = time.monotonic()
    assert world.target("POST", PARTNERS, BODY).status_code == 201
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize(("when", "status"), [("before", 503), ("after", 201)])
def test_an_answer_is_held_back_until_it_is_released(world: Any, when: Any, status: int) -> None:
    world.entra.faults.add(Fault(kind="hold", when=when))
    with ThreadPoolExecutor() as pool:
        asking = pool.submit(world.target, "POST", PARTNERS, BODY)
        assert wait_until(lambda: not world.entra.faults.pending)
        # The fault is taken before the call does anything, so what it does after that has to be waited for.
        partners = world.target_tenant.policies.partners
        if when == "after":
            assert wait_until(lambda: SOURCE_TENANT in partners)
        assert (SOURCE_TENANT in partners) is (when == "after")
        world.entra.faults.add(Fault(kind="hold"))
        with pytest.raises(requests.exceptions.ReadTimeout):
            world.target.session.get(f"{world.server.url}/v1.0{PARTNERS}", timeout=0.1)
        assert not asking.done()
        world.entra.faults.release()
        assert asking.result().status_code == status


@pytest.mark.parametrize(("when", "status", "done"), [("before", 502, False), ("after", 201, True)])
def test_html_where_json_belongs(world: Any, when: Any, status: int, done: bool) -> None:
    world.entra.faults.add(Fault(kind="html", when=when, status=502))
    answer = world.target("POST", PARTNERS, BODY)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "text/html")
    assert (SOURCE_TENANT in world.target_tenant.policies.partners) is done


@pytest.mark.parametrize(("kind", "body"), [("empty", ""), ("hollow", "{}")])
def test_an_answer_that_says_nothing(world: Any, kind: Any, body: str) -> None:
    world.entra.faults.add(Fault(kind=kind, when="after"))
    answer = world.target("POST", PARTNERS, BODY)
    assert (answer.status_code, answer.text) == (201, body)
    assert SOURCE_TENANT in world.target_tenant.policies.partners


def test_an_instance_is_made_though_the_answer_is_404(world: Any) -> None:
    fault = Fault(status=404, code="Request_ResourceNotFound", when="after", path="/instantiate$")
    world.entra.faults.add(fault)
    path = f"/applicationTemplates/{TEMPLATE}/instantiate"
    assert world.source("POST", path, {"displayName": "Fabrikam"}).status_code == 404
    assert len(world.source_tenant.applications.applications) == 1


def test_an_application_is_deleted_though_denied(world: Any) -> None:
    application = world.instantiate()[0]
    world.entra.faults.add(Fault(status=403, code="Authorization_RequestDenied", when="after", method="DELETE"))
    assert world.source("DELETE", f"/applications/{application}").status_code == 403
    assert world.source("GET", f"/applications/{application}").status_code == 404


def test_the_token_endpoint_can_fail_too(world: Any) -> None:
    world.entra.faults.add(Fault(status=503, path="/oauth2/v2.0/token", tenant=TARGET_TENANT))
    assert world.fetch_token(SOURCE_TENANT).status_code == 400
    assert world.fetch_token(TARGET_TENANT).status_code == 503


def test_a_fault_hits_only_what_it_names(world: Any) -> None:
    fault = Fault(tenant=TARGET_TENANT, method="GET", path="/partners$", version="beta", times=2, skip=1, status=500)
    world.entra.faults.add(fault)
    assert world.source("GET", PARTNERS, version="beta").status_code == 200
    assert world.target("GET", PARTNERS).status_code == 200
    assert world.target("GET", "/policies/crossTenantAccessPolicy", version="beta").status_code == 200
    assert [world.target("GET", PARTNERS, version="beta").status_code for _ in range(4)] == [200, 500, 500, 200]
    world.entra.faults.add(fault)
    world.entra.faults.clear()
    assert world.entra.faults.pending == []


def test_every_answer_can_be_slow(world: Any) -> None:
    world.entra.settings = Settings(latency_seconds=0.1)
    began = time.monotonic()
    world.target("GET", PARTNERS)
    assert time.monotonic() - began >= 0.1
