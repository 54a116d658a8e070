"""Emulated Microsoft Entra tenants: login, metadata and Graph, over TLS, in one process."""

from lab.entra.clock import Clock, RunningClock
from lab.entra.directory.models import Group, User
from lab.entra.faults import Fault, Faults
from lab.entra.login.models import Client
from lab.entra.models import Entra, Tenant
from lab.entra.server import Server, serve
from lab.entra.settings import Settings
from lab.entra.traffic import Exchange

__all__ = [
    "Client",
    "Clock",
    "Entra",
    "Exchange",
    "Fault",
    "Faults",
    "Group",
    "RunningClock",
    "Server",
    "Settings",
    "Tenant",
    "User",
    "serve",
]
