"""From what the login service refused to what an administrator can do about it.

Source: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import requests
from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError, ServiceResponseError
from azure.identity import CredentialUnavailableError

from .clouds import ACROSS_CLOUDS
from .errors import SignInError, SignInRefusedError, SignInUnansweredError, TenantName
from .secret_origin import secret_variable
from .sign_in import az_login
from .transport import chain_of, plain_cause

CODE = re.compile(r"AADSTS(\d+)")


@dataclass(frozen=True)
class Refusal:
    """Why the login service refuses, and the remedy, with the words of `filled`."""

    why: str
    do: str


NO_SUCH_TENANT = Refusal(
    "there is no such tenant in this cloud",
    "check xtsync:{side}.tenantId, and xtsync:cloud, which holds both tenants of a pair. If the tenant is gone for "
    "good, {way_out} ends the other half (docs/operations.md, One tenant is gone)",
)
# What ends a pair of which one tenant is gone, by its side.
WAYS_OUT: Mapping[str, str] = {
    "source": "`xtsync forget --side source` and then `pulumi destroy`",
    "target": "`XTSYNC_FORGET=target pulumi destroy`",
}
OTHER_CLOUD = Refusal("the tenant or the application is in another cloud", f"check xtsync:cloud; {ACROSS_CLOUDS}")
NO_FEDERATION = "compare the application's federated credentials with issuer, subject and audience in the message; "
FEDERATE = f"{NO_FEDERATION}`xtsync permissions --federate ...` prints the command that makes one"
LOGIN_AGAIN = Refusal("the sign-in of `az login` has ended", "run `{az_login}`")
NOT_A_MEMBER = Refusal(
    "the account of `az login` is not in this tenant", "run `{az_login}` with an account of the tenant"
)
CERTIFICATE_ENDED = Refusal(
    "the certificate is outside of its time, or this computer's clock is wrong",
    "make a new certificate, register it with the application {client}, and put it at xtsync:{side}.certificatePath; "
    "or set the clock",
)
BAD_TOKEN = Refusal(
    "the token that is to prove the application is not valid",
    "auth: oidc: check what makes the token, and the keys its issuer publishes; auth: certificate: check the file",
)
GIVE_IT = "and put it where {variable}, or its _FILE or _COMMAND, says"
REFUSALS: Mapping[str, Refusal] = {
    "7000222": Refusal(
        "the client secret has expired",
        f"create a new client secret for the application {{client}} {GIVE_IT}",
    ),
    "7000215": Refusal(
        "the client secret is wrong",
        f"take the secret's value (not its id) of the application {{client}} {GIVE_IT}",
    ),
    "700016": Refusal(
        "this tenant does not know the application",
        "check xtsync:{side}.clientId, and that an administrator consented to the application in this tenant",
    ),
    "7000229": Refusal(
        "the application has no service principal in this tenant",
        "let an administrator of this tenant consent to the application {client}",
    ),
    "7000112": Refusal("the application is disabled", "enable the application {client} in this tenant"),
    "65001": Refusal(
        "nobody has consented to the application in this tenant",
        "let an administrator consent to the application {client} with its permissions",
    ),
    "90002": NO_SUCH_TENANT,
    "900382": OTHER_CLOUD,
    "900384": OTHER_CLOUD,
    "500011": OTHER_CLOUD,
    "900023": NO_SUCH_TENANT,
    "700024": Refusal(
        "the sign-in was outside its time range: this computer's clock is wrong",
        "set this computer's clock",
    ),
    "700027": Refusal(
        "the certificate is not registered with the application",
        "upload the certificate (not its key) of xtsync:{side}.certificatePath to the application {client}, in the "
        "tenant that owns it; after a change the login service needs some minutes",
    ),
    "7000214": Refusal(
        "the certificate has been revoked", "register another certificate with the application {client}"
    ),
    "7000274": Refusal("the certificate's signature does not hold", "check the file of xtsync:{side}.certificatePath"),
    "7000277": CERTIFICATE_ENDED,
    "1000502": CERTIFICATE_ENDED,
    "70021": Refusal("no federated credential of the application fits the token", FEDERATE),
    "70025": Refusal("the application has no federated credential", FEDERATE),
    "700211": Refusal("no federated credential of the application has the token's issuer", FEDERATE),
    "700212": Refusal("no federated credential of the application has the token's audience", FEDERATE),
    "7002121": Refusal("no federated credential of the application has the token's audience", FEDERATE),
    "700213": Refusal("no federated credential of the application has the token's subject", FEDERATE),
    "7002131": Refusal("no federated credential of the application fits the token's claims", FEDERATE),
    "50027": BAD_TOKEN,
    "50013": BAD_TOKEN,
    "50020": NOT_A_MEMBER,
    "50034": NOT_A_MEMBER,
    "50173": LOGIN_AGAIN,
    "70043": LOGIN_AGAIN,
    "700082": LOGIN_AGAIN,
    "50076": Refusal("a second factor is needed", "run `{az_login}` and answer it"),
    "50079": Refusal("a second factor has to be set up", "run `{az_login}` and set it up"),
    "53003": Refusal(
        "a conditional access policy of the tenant blocks the sign-in",
        "look up which in the tenant's sign-in logs (service principal sign-ins for an application), and exclude from "
        "it the application that signs in, or the addresses it comes from",
    ),
}
# MSAL asks for the tenant before it signs in, and says this where there is none.
NO_AUTHORITY = "Unable to get authority configuration"
EXPIRED_TOKEN = Refusal(
    "the federated token is outside its time range: it is old, or this computer's clock is wrong",
    "let a new token be written (xtsync:{side}.tokenFile), or set this computer's clock",
)
# What to do where a kind of sign-in cannot even begin.
UNAVAILABLE: Mapping[str, str] = {
    "managedIdentity": "run where an identity is assigned (and xtsync:{side}.clientId, if set, is its client id); an "
    "identity exists in its home tenant only",
}
ELSE = "run `{az_login}`"


# What azure-identity's errors are made of where no answer came.
NOT_ASKED = (ServiceRequestError, ServiceResponseError, requests.RequestException)


def explain(tenant: TenantName, error: AzureError, kind: str = "") -> SignInError:
    """Turn azure-identity's error into one message without its troubleshooting links."""
    text = str(error.message if hasattr(error, "message") else error).strip()
    what = f"Failed to sign in to {tenant}"
    known = refusal_in(text, kind)
    if known is not None:
        code, refusal = known
        token_words = presented(text) if "federated" in refusal.why else ""
        return SignInRefusedError(what, f"{refusal.why}{token_words}{code}", filled(refusal.do, tenant), trace_id(text))
    if isinstance(error, CredentialUnavailableError):
        return SignInError(what, first_line(text), filled(UNAVAILABLE.get(kind, ELSE), tenant))
    # azure-identity also calls it a refusal when the login service could not be asked, and then quotes why.
    asked = not any(isinstance(one, NOT_ASKED) for one in chain_of(error))
    if isinstance(error, ClientAuthenticationError) and asked:
        do = f"check xtsync:{tenant.side}.auth and its values"
        return SignInRefusedError(what, first_line(text), do, trace_id(text))
    return SignInUnansweredError(
        what,
        f"the login service cannot be reached: {plain_cause(error)}",
        "check the network, proxy and (for private endpoints) REQUESTS_CA_BUNDLE",
    )


def refusal_in(text: str, kind: str) -> tuple[str, Refusal] | None:
    """The first known refusal an error text speaks of, with its code as shown; None where none is known."""
    for code in CODE.findall(text):
        shown = f" (AADSTS{code})"
        if code == "700024" and kind == "oidc":
            return shown, EXPIRED_TOKEN
        if code == "700027" and "expired" in text:
            return shown, CERTIFICATE_ENDED
        if code in REFUSALS:
            return shown, REFUSALS[code]
    return ("", NO_SUCH_TENANT) if NO_AUTHORITY in text else None


def presented(text: str) -> str:
    """What the login service saw in a federated token, such as its subject, where it says so."""
    found = re.search(r"presented assertion (issuer|subject|audience) '([^']*)'", text)
    return f": the token's {found[1]} is {found[2]}" if found else ""


def filled(do: str, tenant: TenantName) -> str:
    """A remedy with its words."""
    side = tenant.side
    return do.format(
        side=side,
        client=f"of xtsync:{side}.clientId",
        variable=secret_variable(side),
        az_login=az_login(tenant.id),
        way_out=WAYS_OUT[side],
    )


def first_line(text: str) -> str:
    """The first line of a message that may have many."""
    return text.splitlines()[0] if text else "no reason given"


def trace_id(text: str) -> str:
    """Microsoft's trace id in a sign-in refusal, for support."""
    _, found, rest = text.partition("Trace ID: ")
    return f"trace id {rest.split()[0]}" if found and rest.split() else ""
