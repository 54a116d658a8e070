"""Data sources: what each asks Graph and gives back."""

from __future__ import annotations

from collections.abc import Mapping

from lab.azuread.data_sources.applications import get_application, get_service_principal
from lab.azuread.data_sources.groups import get_group, get_groups
from lab.azuread.data_sources.lookup import Lookup
from lab.azuread.data_sources.users import get_client_config, get_user, get_users

LOOKUPS: Mapping[str, Lookup] = {
    "azuread:index/getApplication:getApplication": get_application,
    "azuread:index/getClientConfig:getClientConfig": get_client_config,
    "azuread:index/getGroup:getGroup": get_group,
    "azuread:index/getGroups:getGroups": get_groups,
    "azuread:index/getServicePrincipal:getServicePrincipal": get_service_principal,
    "azuread:index/getUser:getUser": get_user,
    "azuread:index/getUsers:getUsers": get_users,
}
