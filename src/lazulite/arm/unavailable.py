"""Types and actions of Azure that this server knows of and does not have: one table.

Source: spec/REST.md 6.1 and spec/rest/operations.json, of 2021-03-01-preview to 2024-01-01-preview.
"""

from __future__ import annotations

from lazulite.core.errors import ArmError
from lazulite.core.ids import ML, Address

REGISTRY = "register assets in the workspace instead"
NETWORK = "this server manages no networks; restrict access to its ports instead"
STORE = "keep features as data assets instead"
SERVERLESS = "deploy the model to an online endpoint instead"
UNAVAILABLE = {
    "registries": ("Registries", REGISTRY),
    "workspaces/featuresets": ("Feature sets", STORE),
    "workspaces/featurestoreentities": ("Feature store entities", STORE),
    "workspaces/labelingjobs": ("Labeling jobs", "register labeled data as a data asset instead"),
    "workspaces/inferencepools": ("Inference pools", SERVERLESS),
    "workspaces/serverlessendpoints": ("Serverless endpoints", SERVERLESS),
    "workspaces/marketplacesubscriptions": ("Marketplace subscriptions", SERVERLESS),
    "workspaces/outboundrules": ("Managed networks", NETWORK),
    "workspaces/provisionmanagednetwork": ("Managed networks", NETWORK),
    "workspaces/managednetworks": ("Managed networks", NETWORK),
    "workspaces/capabilityhosts": ("Capability hosts", "nothing stands in for them"),
    **{
        f"workspaces/{plural}/versions/publish": ("Registries", REGISTRY)
        for plural in ("codes", "components", "data", "environments", "models")
    },
}
"""By type below the provider, folded; whatever is below such a type is not there either."""


def refusal(address: Address) -> ArmError | None:
    """501 for a feature that Azure has and this server has not; None for what neither knows."""
    folded = address.resource_type.casefold()
    if address.provider.casefold() != ML.casefold():
        return None
    for resource_type, (feature, instead) in UNAVAILABLE.items():
        if f"{folded}/".startswith(f"{resource_type}/"):
            message = f"{address.resource_type!r}: {feature} are not implemented here: {instead}."
            return ArmError("NotImplemented", message, 501)
    return None
