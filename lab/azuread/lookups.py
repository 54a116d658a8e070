"""The two data sources, as the real plugin answers them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.azuread.directory import Directory, Refused, equals

SELECT = "$select=id,userPrincipalName,displayName,mail,mailNickname,accountEnabled,employeeId,usageLocation"


def get_users(directory: Directory, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """`getUsers`: by object ids or user principal names, one GET each."""
    found = []
    for id_ in arguments.get("objectIds") or ():
        user = directory.find(f"/users/{id_}?{SELECT}")
        if user is None and not arguments.get("ignoreMissing"):
            raise Refused(404, f'User not found with object ID: "{id_}"')
        found += [user] if user else []
    for name in arguments.get("userPrincipalNames") or ():
        listed = directory.call("GET", f"/users?$filter={equals('userPrincipalName', name)}&{SELECT}")["value"]
        if not listed and not arguments.get("ignoreMissing"):
            raise Refused(404, f'User with UPN "{name}" was not found')
        found += listed[:1]
    return {
        "id": "users#lab",
        "ignoreMissing": bool(arguments.get("ignoreMissing")),
        "returnAll": False,
        "objectIds": [user["id"] for user in found],
        "userPrincipalNames": [user["userPrincipalName"] for user in found],
        "mails": [user["mail"] for user in found if user.get("mail")],
        "mailNicknames": [user["mailNickname"] for user in found if user.get("mailNickname")],
        "employeeIds": [user["employeeId"] for user in found if user.get("employeeId")],
        "users": [described(user) for user in found],
    }


def described(user: Mapping[str, Any]) -> dict[str, Any]:
    """One user in the answer of getUsers."""
    return {
        "objectId": user["id"],
        "userPrincipalName": user["userPrincipalName"],
        "displayName": user.get("displayName") or "",
        "mail": user.get("mail") or "",
        "mailNickname": user.get("mailNickname") or "",
        "accountEnabled": bool(user.get("accountEnabled")),
        "employeeId": user.get("employeeId") or "",
        "usageLocation": user.get("usageLocation") or "",
        "onpremisesImmutableId": "",
        "onpremisesSamAccountName": "",
        "onpremisesUserPrincipalName": "",
    }


def get_group(directory: Directory, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """`getGroup`: by object id or display name."""
    id_ = arguments.get("objectId")
    if id_:
        group = directory.find(f"/groups/{id_}")
        if group is None:
            raise Refused(404, f'No group found with object ID: "{id_}"')
    else:
        name = str(arguments.get("displayName"))
        listed = directory.call("GET", f"/groups?$filter={equals('displayName', name)}")["value"]
        if len(listed) != 1:
            count = "More than one" if listed else "No"
            raise Refused(404, f"{count} group found matching filter (displayName eq '{name}')")
        group = listed[0]
    return {
        "id": group["id"],
        "objectId": group["id"],
        "displayName": group["displayName"],
        "members": [],
        "owners": [],
        "types": [],
    }
