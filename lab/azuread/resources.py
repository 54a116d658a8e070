"""The two resource types, as observed of the real plugin."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from lab.azuread.directory import Directory, Refused

Properties = dict[str, Any]
GOOD_READS = 5


def poll_seconds() -> float:
    """The pause between reads; 5 s in the real one."""
    return float(os.environ.get("LAB_AZUREAD_POLL_SECONDS", "0.02"))


class ApplicationFromTemplate:
    """`azuread:index/applicationFromTemplate:ApplicationFromTemplate`."""

    inputs = ("displayName", "templateId")
    replaces = ("templateId",)

    @staticmethod
    def create(directory: Directory, inputs: Mapping[str, Any], timeout: float) -> tuple[str, Properties]:
        """Instantiate, then wait for the application; the service principal is not awaited."""
        template = inputs["templateId"]
        made = directory.call(
            "POST", f"/applicationTemplates/{template}/instantiate", {"displayName": inputs["displayName"]}
        )
        application, principal = made["application"]["id"], made["servicePrincipal"]["id"]
        good, ends = 0, time.monotonic() + timeout
        while good < GOOD_READS:
            good = good + 1 if directory.find(f"/applications/{application}") else 0
            if time.monotonic() > ends:
                raise Refused(404, f"waiting for creation of application {application}: timeout")
            time.sleep(poll_seconds())
        outputs = {
            "displayName": inputs["displayName"],
            "templateId": template,
            "applicationId": f"/applications/{application}",
            "applicationObjectId": application,
            "servicePrincipalId": f"/servicePrincipals/{principal}",
            "servicePrincipalObjectId": principal,
        }
        return f"templates/{template}/instantiate/{application}", outputs

    @staticmethod
    def read(directory: Directory, outputs: Mapping[str, Any]) -> Properties | None:
        """Look at the application."""
        found = directory.find(f"/applications/{outputs['applicationObjectId']}")
        return None if found is None else {**outputs, "displayName": found["displayName"]}

    @staticmethod
    def update(directory: Directory, outputs: Mapping[str, Any], news: Mapping[str, Any]) -> Properties:
        """Rename."""
        body = {"displayName": news["displayName"]}
        directory.call("PATCH", f"/applications/{outputs['applicationObjectId']}", body)
        directory.call("PATCH", f"/servicePrincipals/{outputs['servicePrincipalObjectId']}", body)
        return {**outputs, **news}

    @staticmethod
    def delete(directory: Directory, outputs: Mapping[str, Any]) -> None:
        """Delete the application; it is an error if it is gone already."""
        directory.call("DELETE", f"/applications/{outputs['applicationObjectId']}")


class AppRoleAssignment:
    """`azuread:index/appRoleAssignment:AppRoleAssignment`."""

    inputs = ("appRoleId", "principalObjectId", "resourceObjectId")
    replaces = inputs

    @staticmethod
    def create(directory: Directory, inputs: Mapping[str, Any], timeout: float) -> tuple[str, Properties]:
        """Assign; what is not there yet is tried again, what is there already is an error."""
        resource = inputs["resourceObjectId"]
        body = {
            "appRoleId": inputs["appRoleId"],
            "principalId": inputs["principalObjectId"],
            "resourceId": resource,
        }
        ends = time.monotonic() + timeout
        while True:
            try:
                made = directory.call("POST", f"/servicePrincipals/{resource}/appRoleAssignedTo", body)
                break
            except Refused as refused:
                early = refused.status == 404 or "Not a valid reference update" in str(refused)
                if not early or time.monotonic() > ends:
                    raise
                time.sleep(poll_seconds())
        outputs = {
            **inputs,
            "principalDisplayName": made.get("principalDisplayName") or "",
            "principalType": made.get("principalType") or "",
            "resourceDisplayName": made.get("resourceDisplayName") or "",
        }
        return f"/servicePrincipals/{resource}/appRoleAssignedTo/{made['id']}", outputs

    @staticmethod
    def read_by_id(directory: Directory, id_: str, outputs: Mapping[str, Any]) -> Properties | None:
        """Look for the assignment in its service principal's list."""
        _, _, resource, _, assignment = id_.split("/", 4)
        path: str | None = f"/servicePrincipals/{resource}/appRoleAssignedTo"
        while path:
            page = directory.find(path)
            if page is None:
                return None
            if any(item["id"] == assignment for item in page["value"]):
                return dict(outputs)
            following = str(page.get("@odata.nextLink") or "")
            path = following.split("/v1.0", 1)[1] if following else None
        return None

    @staticmethod
    def delete_by_id(directory: Directory, id_: str) -> None:
        """Remove the assignment."""
        try:
            directory.call("DELETE", id_)
        except Refused as refused:
            if refused.status != 404:
                raise
