"""Wire errors of the token endpoint."""

from __future__ import annotations


class LoginError(Exception):
    """An OAuth error with a Microsoft code."""

    def __init__(self, status: int, error: str, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.code = code
        self.message = message


def unknown_tenant(tenant: str) -> LoginError:
    """The tenant does not exist."""
    return LoginError(
        400,
        "invalid_request",
        90002,
        f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into "
        "the correct cloud. Check with your subscription administrator, this may happen if there are no active "
        "subscriptions for the tenant.",
    )


def unknown_client(client_id: str, tenant_name: str) -> LoginError:
    """The application is not in this tenant."""
    return LoginError(
        400,
        "unauthorized_client",
        700016,
        f"Application with identifier '{client_id}' was not found in the directory '{tenant_name}'. This can happen "
        "if the application has not been installed by the administrator of the tenant or consented to by any user "
        "in the tenant. You may have sent your authentication request to the wrong tenant.",
    )


def wrong_secret(client_id: str) -> LoginError:
    """The secret is not one of the application's."""
    return LoginError(
        401,
        "invalid_client",
        7000215,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
        f"not the client secret ID, for a secret added to app '{client_id}'.",
    )


def expired_secret(client_id: str) -> LoginError:
    """The secret was right once."""
    return LoginError(
        401,
        "invalid_client",
        7000222,
        f"The provided client secret keys for app '{client_id}' are expired. Visit the Azure portal to create new "
        "keys for your app, or consider using certificate credentials for added security.",
    )


def wrong_assertion(reason: str) -> LoginError:
    """The client assertion is not signed with a registered certificate's key."""
    return LoginError(
        401,
        "invalid_client",
        700027,
        f"The certificate with identifier used to sign the client assertion is not registered on application. "
        f"[Reason - {reason}].",
    )


def wrong_client() -> LoginError:
    """The client assertion is about another application."""
    message = "Client assertion application identifier doesn't match 'client_id' parameter."
    return LoginError(401, "invalid_client", 700021, message)


def outside_its_time() -> LoginError:
    """The client assertion has expired, or is from the future."""
    return LoginError(401, "invalid_client", 700024, "Client assertion is not within its valid time range.")


def malformed_assertion() -> LoginError:
    """The client assertion is no JWT, lacks a claim, or an unknown key has signed it."""
    return LoginError(401, "invalid_client", 50027, "JWT token is invalid or malformed.")


def no_federation() -> LoginError:
    """The application takes nobody's tokens."""
    return LoginError(401, "invalid_client", 70025, "The client has no configured federated identity credentials.")


def unknown_part(part: str, presented: str, code: int) -> LoginError:
    """No federated credential has the presented issuer, subject or audience."""
    return LoginError(
        401,
        "invalid_client",
        code,
        f"No matching federated identity record found for presented assertion {part} '{presented}'. Check your "
        "federated identity credential Subject, Audience and Issuer against the presented assertion.",
    )


def bad_token_request(message: str) -> LoginError:
    """The request is not one the token endpoint takes."""
    return LoginError(400, "invalid_request", 900144, message)


def unsupported_grant(grant: str) -> LoginError:
    """The grant is not one of the two the emulator knows."""
    return LoginError(400, "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{grant}'.")
