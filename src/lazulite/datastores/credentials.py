"""How to get into a datastore: what is shown, and the one secret that each type has.

The secret is sealed and shown by listSecrets only. Source: spec/REST.md 7.3.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lazulite.arm.kind import Properties
from lazulite.core.errors import ArmError
from lazulite.identity.sealing import SecretBox
from lazulite.store.resources import Json, Resource

SECRETS = {
    "AccountKey": "key",
    "Sas": "sasToken",
    "ServicePrincipal": "clientSecret",
    "Certificate": "certificate",
    "SqlAdmin": "password",
    "KerberosKeytab": "kerberosKeytab",
    "KerberosPassword": "kerberosPassword",
}
"""The name of the secret in `secrets`, by credentialsType."""
SEALED = "credential"


class Secrets(Properties):
    """The one of these that the type has. secretsType is not needed to tell."""

    key: str | None = None
    sas_token: str | None = None
    client_secret: str | None = None
    certificate: str | None = None
    password: str | None = None
    kerberos_keytab: str | None = None
    kerberos_password: str | None = None


class AccountKey(Properties):
    """A key of the account."""

    credentials_type: Literal["AccountKey"]
    secrets: Secrets | None = None


class Sas(Properties):
    """A shared access signature."""

    credentials_type: Literal["Sas"]
    secrets: Secrets | None = None


class ServicePrincipal(Properties):
    """An application with a secret."""

    credentials_type: Literal["ServicePrincipal"]
    authority_url: str | None = None
    client_id: str
    resource_url: str | None = None
    tenant_id: str
    secrets: Secrets | None = None


class Certificate(Properties):
    """An application with a certificate."""

    credentials_type: Literal["Certificate"]
    authority_url: str | None = None
    client_id: str
    resource_url: str | None = None
    tenant_id: str
    thumbprint: str
    secrets: Secrets | None = None


class SqlAdmin(Properties):
    """A user of a database."""

    credentials_type: Literal["SqlAdmin"]
    user_id: str
    secrets: Secrets | None = None


class Kerberos(Properties):
    """A principal of a Kerberos realm."""

    credentials_type: Literal["KerberosKeytab", "KerberosPassword"]
    kerberos_kdc_address: str
    kerberos_principal: str
    kerberos_realm: str
    secrets: Secrets | None = None


class Nothing(Properties):
    """Each caller's own identity."""

    credentials_type: Literal["None"]


Credentials = Annotated[
    AccountKey | Sas | ServicePrincipal | Certificate | SqlAdmin | Kerberos | Nothing,
    Field(discriminator="credentials_type"),
]


def taken_apart(credentials: Json) -> tuple[Json, str | None]:
    """What is shown, and the secret. Raises ArmError 400 for the secret of another type."""
    shown = {name: value for name, value in credentials.items() if name != "secrets"}
    kind = str(credentials["credentialsType"])
    given = {
        name: value
        for name, value in (credentials.get("secrets") or {}).items()
        if value is not None
    }
    if kind == "None" or not given:
        return shown, None
    if SECRETS[kind] not in given:
        raise ArmError(
            "ValidationError",
            f"The secrets of credentials of type {kind} have {', '.join(sorted(given))}: they "
            f"must have {SECRETS[kind]}.",
            target="credentials.secrets",
        )
    return shown, str(given[SECRETS[kind]])


def revealed(store: Resource, box: SecretBox) -> Json:
    """The secret in the shape of its type. Raises ArmError 400 if there is none."""
    kind = str(store.properties["credentials"]["credentialsType"])
    if kind == "None" or SEALED not in store.secrets:
        raise ArmError(
            "NoCredentials",
            f"The datastore {store.name!r} has no credential: it uses the caller's identity.",
        )
    value = box.open(store.secrets[SEALED]).decode()
    return {"secretsType": kind, SECRETS[kind]: value}
