"""azuread's errors in this program's words: it names no permission, and shows a refused sign-in as JSON.

The engine shows azuread's own error as well. What is said here stands beside it, or in its place where the program
itself has asked azuread.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pulumi

from ..graph.errors import RefusedError, SignInError, XtsyncError, lines_of
from ..graph.remedies import permission_remedy
from ..pulumi_runtime import messages

if TYPE_CHECKING:
    from ..config import Settings, Tenant
    from ..graph.call import Call

FORBIDDEN = ("Authorization_RequestDenied", "status 403")
REFUSED = "could not acquire access token"
NO_PROOF = "no Authorizer could be configured"
GONE = "Service principal not found for resource"


def reason(error: object) -> str:
    """Azuread's own words, on one line, without what SDK and engine put in front of them."""
    text = " ".join(str(error).split())
    return re.sub(r"^(?:.*\bazuread:index/\w+:\w+\b[^:]*: )", "", text).removeprefix("1 error occurred: * ")


def sign_in_failure(text: str, tenant: Tenant) -> SignInError | None:
    """The error behind a sign-in of azuread that failed; None where it is another error."""
    if not any(sign in text for sign in (REFUSED, NO_PROOF, "AADSTS")):
        return None
    # azure-identity is not needed where nothing fails.
    from ..graph.refusals import filled, refusal_in, trace_id  # noqa: PLC0415

    name = tenant.full_name
    what = f"azuread failed to sign in to {name}"
    known = refusal_in(text, tenant.auth)
    if known is None:
        return SignInError(what, text, f"check xtsync:{tenant.side}.auth and its values, and the network")
    code, refusal = known
    return SignInError(what, f"{refusal.why}{code}", filled(refusal.do, name), trace_id(text))


def explain(text: str, call: Call, tenant: Tenant) -> XtsyncError | None:
    """What is known of an error of azuread's; None where its own words have to do.

    Args:
        text: azuread's words.
        call: what it was asked to do.
        tenant: where.
    """
    failure = sign_in_failure(text, tenant)
    if failure is not None:
        return failure
    what = f"azuread failed to {call.purpose} in {tenant.full_name}"
    if any(sign in text for sign in FORBIDDEN):
        return RefusedError(what, "403: the sign-in may not do that", permission_remedy(call))
    if GONE in text:
        why = "somebody has deleted the configuration application or its service principal"
        return RefusedError(what, why, "run `pulumi refresh` and then `pulumi up`, which makes it anew")
    return None


def report_azuread_error(failed: pulumi.ErrorHookArgs, call: Call, settings: Settings) -> None:
    """Say what azuread's error means, where that is known; for the hooks of its resources."""
    error = explain(reason(failed.errors[0]), call, settings.source) if failed.errors else None
    if error is not None:
        messages.warn(*lines_of(error))
