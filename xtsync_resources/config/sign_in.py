"""What each way to sign in needs, and what does not go with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..graph.assertions import read_token
from ..graph.files import FileError
from ..graph.hosts import agreed, how_to_agree, unknown_hosts
from ..graph.isolation import SIDES
from ..graph.secret_origin import COMMAND, FILE, SecretError, SecretOrigin, certificate_password, client_secret
from ..graph.token_origin import GITHUB_URL, HINTS, WORKLOAD_FILE, Origin, asks_for_audience, missing, origin_of
from .problems import Problems
from .settings import Settings, Tenant


@dataclass(frozen=True)
class Way:
    """A way to sign in.

    Attributes:
        needs: fields of `Tenant` it cannot do without, and what to give.
        takes: fields it can use besides.
    """

    needs: Mapping[str, str]
    takes: tuple[str, ...] = ()


APPLICATION = {"client_id": "Give the id of the application to sign in with"}
FIELDS = {
    "client_id": "clientId",
    "certificate_path": "certificatePath",
    "token_file": "tokenFile",
    "service_connection_id": "serviceConnectionId",
}
WAYS: Mapping[str, Way] = {
    "cli": Way({}),
    "secret": Way(APPLICATION),
    "certificate": Way({**APPLICATION, "certificate_path": "Give the file with the certificate and its private key"}),
    "oidc": Way(APPLICATION, ("token_file", "service_connection_id")),
    "managedIdentity": Way({}, ("client_id",)),
}
# Which kind uses a field that another does not.
USED_BY = {
    "client_id": "secret",
    "certificate_path": "certificate",
    "token_file": "oidc",
    "service_connection_id": "oidc",
}


def check_sign_in(
    problems: Problems, settings: Settings, tenant: Tenant, environment: Mapping[str, str], *, complete: bool
) -> None:
    """Note what the way to sign in lacks or has too much.

    Args:
        problems: takes them.
        settings: the whole configuration.
        tenant: the side to look at.
        environment: what can sign in without the configuration.
        complete: whether everything must be there already.
    """
    side, way = tenant.side, WAYS[tenant.auth]
    if problems.concern(side) and not tenant.id and not problems.concern(f"{side}.tenantId"):
        return  # it is no object at all
    if problems.concern(f"{side}.auth"):
        return  # which way is meant is not known
    for field, name in FIELDS.items():
        value, key = getattr(tenant, field), f"{side}.{name}"
        if value and field not in way.needs and field not in way.takes:
            why = "auth: cli signs in as the person of `az login`" if tenant.auth == "cli" else ""
            do = f"Remove it, or set auth: {USED_BY[field]}"
            problems.add(key, value, why or f"auth: {tenant.auth} does not use it", do)
        if complete and field in way.needs and not value and not problems.concern(key):
            problems.add(key, None, "missing", way.needs[field])
    if complete and tenant.auth == "secret":
        check_secret(problems, settings, side, environment)
    if tenant.auth == "oidc":
        check_token(problems, settings, tenant, environment, complete=complete)


def check_secret(problems: Problems, settings: Settings, side: str, environment: Mapping[str, str]) -> None:
    """Note a missing client secret."""
    origin = client_secret(side, environment)
    if settings.client_secret(side) is None and not origin.named:
        do = (
            f"Export {origin.variable} (or with {FILE} or {COMMAND} where to get it), or run "
            f"`pulumi config set --secret {side}ClientSecret`"
        )
        problems.add(f"{side}ClientSecret", None, "auth: secret needs a client secret", do)


def check_host(problems: Problems, settings: Settings, environment: Mapping[str, str]) -> None:
    """Note a metadata host that must not say where credentials go."""
    host = settings.metadata_host
    if host and unknown_hosts([host], agreed(environment)):
        why = "credentials would go where it says, and whoever supplies them has not agreed to it"
        problems.add("metadataHost", host, why, sentence(how_to_agree([host])))


def check_token(
    problems: Problems, settings: Settings, tenant: Tenant, environment: Mapping[str, str], *, complete: bool
) -> None:
    """Note that no federated token is to be had, or that two places are named."""
    side = tenant.side
    if tenant.token_file and tenant.service_connection_id:
        why = "the token can come from one place only"
        problems.add(f"{side}.serviceConnectionId", tenant.service_connection_id, why, "Remove it, or tokenFile")
    if not complete:
        return
    origin = origin_of(tenant.token_file, tenant.service_connection_id, environment)
    if lacking := missing(origin, environment):
        hint = HINTS.get(origin, "").format(side=side)
        why = f"auth: oidc has no token: {' and '.join(lacking)} not set"
        problems.add(f"{side}.auth", "oidc", why, sentence(hint))
    # azuread asks for the public cloud's audience, and both sides of one application must present the same.
    elsewhere = origin is Origin.GITHUB and side == "source" and settings.cloud.name != "public"
    if elsewhere and not lacking and not asks_for_audience(environment[GITHUB_URL]):
        do = f'Export {GITHUB_URL}="${GITHUB_URL}&audience={settings.cloud.token_audience}" before Pulumi runs'
        problems.add(f"{side}.auth", "oidc", "in this cloud the request for a token must name the audience", do)


def check_proofs(settings: Settings, environment: Mapping[str, str]) -> None:
    """Look at the files and proxies to sign in with: before any call, and before azuread, which does not look.

    Raises:
        ConfigurationProblems: with every problem found.
    """
    problems = Problems()
    checks: Mapping[str, Callable[..., None]] = {
        "secret": check_secret_file,
        "certificate": check_certificate,
        "oidc": check_token_file,
    }
    for side in SIDES:
        tenant: Tenant = getattr(settings, side)
        if tenant.auth in checks:
            checks[tenant.auth](problems, tenant, environment)
    if any(environment.get(name) for name in PROXIES):
        check_proxies(problems, settings.source, environment)
    problems.stop()


PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")
IDENTITY_SERVICE = "169.254.169.254"


def check_proxies(problems: Problems, source: Tenant, environment: Mapping[str, str]) -> None:
    """Note proxies that azuread would show, or would ask for the machine's identity, which they can answer for."""
    # Only where there are proxies.
    from ..graph.bounded import UnreadableProxyError, check_proxy, passes_by_proxies  # noqa: PLC0415

    key = f"{source.side}.auth"
    for name in filter(environment.get, PROXIES):
        try:
            check_proxy(environment[name])
        except UnreadableProxyError as error:
            problems.add(key, source.auth, f"{name}: {error}", f"Correct {name}")
    if source.auth == "managedIdentity" and any(environment.get(name) for name in PROXIES[2:]):
        no_proxy = environment.get("no_proxy") or environment.get("NO_PROXY")
        if not passes_by_proxies(IDENTITY_SERVICE, no_proxy or "localhost"):
            why = "azuread would ask the proxy for the machine's identity, in plain, and take what it answers"
            problems.add(key, source.auth, why, f"Export NO_PROXY with {IDENTITY_SERVICE} in it")


def check_secret_file(problems: Problems, tenant: Tenant, environment: Mapping[str, str]) -> None:
    """Note a file that gives no secret. A command is not run for this: the tenant's own process runs it."""
    origin = client_secret(tenant.side, environment)
    if origin.file or len(origin.named) > 1:
        read_secret(problems, tenant, origin)


def read_secret(problems: Problems, tenant: Tenant, origin: SecretOrigin) -> str:
    """A secret; what is wrong with where it comes from is noted."""
    try:
        return origin.read()
    except SecretError as error:
        problems.add(f"{tenant.side}.auth", tenant.auth, error.why, sentence(error.do))
        return ""


def check_certificate(problems: Problems, tenant: Tenant, environment: Mapping[str, str]) -> None:
    """Note what is wrong with a certificate."""
    from ..graph.certificates import CertificateError, read  # noqa: PLC0415 - only this kind needs it

    key, origin = f"{tenant.side}.certificatePath", certificate_password(tenant.side, environment)
    password = read_secret(problems, tenant, origin)
    if problems.concern(f"{tenant.side}.auth"):
        return
    try:
        pair = read(tenant.certificate_path, password, origin.variable)
    except CertificateError as error:
        problems.add(key, tenant.certificate_path, error.why, sentence(error.do))
        return
    if tenant.side == "source" and not pair.is_pkcs12:
        do = f"Convert it: openssl pkcs12 -export -in FILE.pem -out FILE.pfx -passout env:{origin.variable}"
        problems.add(key, tenant.certificate_path, "it is PEM, and azuread reads PKCS#12 (.pfx) only", do)


def check_token_file(problems: Problems, tenant: Tenant, environment: Mapping[str, str]) -> None:
    """Note a file that must not be sent as a token."""
    configured = bool(tenant.token_file)
    origin = origin_of(tenant.token_file, tenant.service_connection_id, environment)
    if origin not in (Origin.FILE, Origin.WORKLOAD):
        return
    path = tenant.token_file if configured else environment[WORKLOAD_FILE]
    try:
        read_token(path)
    except FileError as error:
        where = "tokenFile" if configured else "auth"
        named = "it" if configured else WORKLOAD_FILE
        problems.add(
            f"{tenant.side}.{where}", path, f"the token file {error}", f"Check {named}, and what writes the file"
        )


def sentence(text: str) -> str:
    """A remedy as a sentence of its own."""
    return text[:1].upper() + text[1:]
