"""What a test has of a server: a workspace of its own, and clients for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from lazulite.core.errors import LazuliteError

_ROLE = "the clients of the fixture `lazulite`"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lazulite:
    """A workspace on a server, for one test; both are as real as those of `lazulite up`."""

    url: str
    """Origin of the server, over HTTPS."""
    http_url: str
    """The same without TLS."""
    subscription_id: str
    resource_group: str
    workspace: str
    """Name of a workspace that is new, and is deleted after the test."""
    environ: Mapping[str, str]
    """The variables for clients, which are set while the test runs; for processes it starts."""

    @property
    def workspace_id(self) -> str:
        """ARM id of the workspace."""
        return (
            f"/subscriptions/{self.subscription_id}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.workspace}"
        )

    def credential(self) -> Any:
        """azure-identity's ClientSecretCredential of the server's administrator.

        DefaultAzureCredential() is the same, as the variables are set.
        """
        identity = _module("azure.identity", "azure-identity")
        known = self.environ
        return identity.ClientSecretCredential(
            known["AZURE_TENANT_ID"],
            known["AZURE_CLIENT_ID"],
            known["AZURE_CLIENT_SECRET"],
            authority=self.url,
        )

    def ml_client(self, **options: Any) -> Any:
        """A new azure-ai-ml MLClient of the test's workspace; options go to MLClient."""
        ml = _module("azure.ai.ml", "azure-ai-ml")
        place = (self.subscription_id, self.resource_group, self.workspace)
        return ml.MLClient(self.credential(), *place, **options)


def _module(name: str, distribution: str) -> Any:
    """Raises LazuliteError if it is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        message = f"{distribution} is not installed, which {_ROLE} need: pip install {distribution}"
        raise LazuliteError("ClientNotInstalled", message) from error
