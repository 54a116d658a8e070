"""The provider's properties, completed from the ARM_... environment."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.azuread.exceptions import ProviderError

# Property -> the environment variables that stand in for it, the first that is set.
_TEXTS: Mapping[str, tuple[str, ...]] = {
    "adoPipelineServiceConnectionId": (
        "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID",
        "ARM_OIDC_AZURE_SERVICE_CONNECTION_ID",
    ),
    "clientCertificate": ("ARM_CLIENT_CERTIFICATE",),
    "clientCertificatePassword": ("ARM_CLIENT_CERTIFICATE_PASSWORD",),
    "clientCertificatePath": ("ARM_CLIENT_CERTIFICATE_PATH",),
    "clientId": ("ARM_CLIENT_ID",),
    "clientIdFilePath": ("ARM_CLIENT_ID_FILE_PATH",),
    "clientSecret": ("ARM_CLIENT_SECRET",),
    "clientSecretFilePath": ("ARM_CLIENT_SECRET_FILE_PATH",),
    "environment": ("ARM_ENVIRONMENT",),
    "metadataHost": ("ARM_METADATA_HOSTNAME",),
    "msiEndpoint": ("ARM_MSI_ENDPOINT",),
    "oidcRequestToken": ("ARM_OIDC_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "SYSTEM_ACCESSTOKEN"),
    "oidcRequestUrl": ("ARM_OIDC_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_URL", "SYSTEM_OIDCREQUESTURI"),
    "oidcToken": ("ARM_OIDC_TOKEN",),
    "oidcTokenFilePath": ("ARM_OIDC_TOKEN_FILE_PATH",),
    "partnerId": ("ARM_PARTNER_ID",),
    "tenantId": ("ARM_TENANT_ID",),
}
_FLAGS: Mapping[str, tuple[str, bool]] = {
    "disableTerraformPartnerId": ("ARM_DISABLE_TERRAFORM_PARTNER_ID", False),
    "useAksWorkloadIdentity": ("ARM_USE_AKS_WORKLOAD_IDENTITY", False),
    "useCli": ("ARM_USE_CLI", True),
    "useMsi": ("ARM_USE_MSI", False),
    "useOidc": ("ARM_USE_OIDC", False),
}
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}
_OF_THE_ENGINE = frozenset({"version", "pluginDownloadURL", "__internal", "__defaults"})


@dataclass(frozen=True)
class Configuration:
    """How to sign in, and where."""

    texts: Mapping[str, str]
    flags: Mapping[str, bool]

    def text(self, name: str) -> str:
        """A property, or nothing."""
        return self.texts[name]

    @property
    def tenant_id(self) -> str:
        """The tenant."""
        return self.text("tenantId")

    @property
    def client_id(self) -> str:
        """The application to sign in as."""
        return self._or_file("clientId", "client ID")

    @property
    def client_secret(self) -> str:
        """Its secret, or nothing."""
        return self._or_file("clientSecret", "client secret")

    @property
    def oidc_token(self) -> str:
        """A client assertion, or nothing."""
        return self._or_file("oidcToken", "OIDC token")

    def _or_file(self, name: str, words: str) -> str:
        value, path = self.text(name), self.text(f"{name}FilePath")
        if name == "oidcToken" and not path and self.flags["useAksWorkloadIdentity"]:
            path = os.environ.get("AZURE_FEDERATED_TOKEN_FILE", "")
        if not path:
            return value
        try:
            content = Path(path).read_text().strip()
        except OSError as error:
            raise ProviderError(f"reading {words} from file {path!r}: {error.strerror}") from error
        if value and value != content:
            raise ProviderError(
                f"mismatch between supplied {words} and supplied {words} file contents - "
                "please either remove one or ensure they match"
            )
        return content


def unknown_properties(properties: Mapping[str, Any]) -> list[str]:
    """Names the provider does not have."""
    return sorted(set(properties) - set(_TEXTS) - set(_FLAGS) - _OF_THE_ENGINE)


def read_configuration(properties: Mapping[str, Any], environment: Mapping[str, str]) -> Configuration:
    """Complete the properties from the environment.

    Raises:
        ProviderError: a property that is no boolean where it must be one.
    """
    texts = {name: _text(properties.get(name), keys, environment) for name, keys in _TEXTS.items()}
    flags = {
        name: _flag(name, properties.get(name), environment.get(variable), default)
        for name, (variable, default) in _FLAGS.items()
    }
    return Configuration(texts, flags)


def _text(given: Any, variables: Sequence[str], environment: Mapping[str, str]) -> str:
    """A text. An empty argument is an argument, and keeps the environment out, as in the real plugin."""
    if given is not None:
        return str(given)
    return next((environment[name] for name in variables if environment.get(name)), "")


def _flag(name: str, given: Any, variable: str | None, default: bool) -> bool:
    """A boolean, which the SDK sends as JSON text."""
    value = (variable or default) if given in (None, "") else given
    if isinstance(value, bool):
        return value
    if str(value).lower() not in _TRUTHS:
        raise ProviderError(f"the property {name} must be true or false")
    return _TRUTHS[str(value).lower()]
