"""What Graph's objects look like in JSON. Secrets are shown once, when they are made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from lazulite.identity.applications import Application, ClientSecret
from lazulite.identity.principals import ServicePrincipal

Json = dict[str, Any]


def application_view(application: Application, secrets: Sequence[ClientSecret]) -> Json:
    """An application."""
    return {
        "@odata.type": "#microsoft.graph.application",
        "id": application.object_id,
        "appId": application.client_id,
        "displayName": application.display_name,
        "createdDateTime": moment(application.created_at),
        "signInAudience": "AzureADMyOrg",
        "identifierUris": [],
        "keyCredentials": [],
        "passwordCredentials": [secret_view(secret) for secret in secrets],
    }


def principal_view(principal: ServicePrincipal) -> Json:
    """A service principal. As in Graph, the application has the secrets."""
    return {
        "@odata.type": "#microsoft.graph.servicePrincipal",
        "id": principal.object_id,
        "appId": principal.client_id,
        "displayName": principal.display_name,
        "appDisplayName": principal.display_name,
        "appOwnerOrganizationId": principal.tenant_id,
        "accountEnabled": True,
        "servicePrincipalType": "Application",
        "servicePrincipalNames": [principal.client_id],
        "keyCredentials": [],
        "passwordCredentials": [],
    }


def secret_view(secret: ClientSecret, text: str | None = None) -> Json:
    """A secret; text: the secret itself, when it has just been made."""
    return {
        "keyId": secret.key_id,
        "displayName": secret.display_name or None,
        "hint": secret.hint,
        "startDateTime": moment(secret.starts_at),
        "endDateTime": moment(secret.ends_at),
        "customKeyIdentifier": None,
        "secretText": text,
    }


def moment(at: datetime) -> str:
    """A time as Graph writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
