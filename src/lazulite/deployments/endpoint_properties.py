"""What online and batch endpoints have in common, and their deployments.

Source: spec/REST.md 7.6 and 7.7 (EndpointPropertiesBase, EndpointDeploymentPropertiesBase).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from lazulite.arm.kind import Properties

AuthMode = Literal["AMLToken", "Key", "AADToken"]
ENDPOINT_ID_KEY = "azureml.onlineendpointid"
OURS = frozenset({"AzureAsyncOperationUri", ENDPOINT_ID_KEY})
"""Keys of properties.properties that the server writes; clients send them back."""
BEFORE_OCTOBER_2021 = "2021-09-30"
"""The last day of the forms of 2021-03-01-preview."""


def _texts(given: Any) -> Any:
    """Values as text, as Azure keeps them: 5 becomes "5", true becomes "True"."""
    if not isinstance(given, Mapping):
        return given
    return {
        name: str(value) if isinstance(value, bool | int | float) else value
        for name, value in given.items()
    }


def _callers_own(given: Any) -> Any:
    texts = _texts(given)
    if not isinstance(texts, Mapping):
        return texts
    return {name: value for name, value in texts.items() if name not in OURS}


Texts = Annotated[dict[str, str | None], BeforeValidator(_texts)]
"""A map of texts; null means none."""
OwnTexts = Annotated[dict[str, str | None], BeforeValidator(_callers_own)]
"""properties.properties without the keys that the server writes. Source: spec/REST.md 2.4."""


class AuthKeys(Properties):
    """Keys that the caller chooses for a new endpoint."""

    primary_key: str | None = None
    secondary_key: str | None = None


class EndpointProperties(Properties):
    """What all endpoints have."""

    description: str | None = None
    keys: AuthKeys | None = None
    properties: OwnTexts = Field(default_factory=dict)


class CodeConfiguration(Properties):
    """Where the scoring script is."""

    code_id: str | None = None
    scoring_script: str = Field(min_length=1)


class DeploymentProperties(Properties):
    """What all deployments have."""

    code_configuration: CodeConfiguration | None = None
    description: str | None = None
    environment_id: str | None = None
    environment_variables: Texts = Field(default_factory=dict)
    properties: OwnTexts = Field(default_factory=dict)
