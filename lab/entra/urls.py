"""Every call of Graph the emulator knows."""

from lab.entra.applications import urls as applications
from lab.entra.audit import urls as audit
from lab.entra.directory import urls as directory
from lab.entra.policies import urls as policies
from lab.entra.synchronization import urls as synchronization

ROUTES = [*policies.ROUTES, *applications.ROUTES, *synchronization.ROUTES, *directory.ROUTES, *audit.ROUTES]
