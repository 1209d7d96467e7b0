"""All types of computes: which model each has, what api-versions differ in, what is secret."""

from __future__ import annotations

from lazulite.arm.kind import Properties, said
from lazulite.arm.wire import Unknown, Wire, Within
from lazulite.computes.attached import (
    Aks,
    Databricks,
    DataFactory,
    DataLakeAnalytics,
    HdInsight,
    Kubernetes,
    SynapseSpark,
    VirtualMachine,
)
from lazulite.computes.properties import AmlCompute, Compute, ComputeInstance
from lazulite.core.errors import ArmError
from lazulite.store.resources import Json

TYPES: dict[str, type[Compute]] = {
    "AmlCompute": AmlCompute,
    "ComputeInstance": ComputeInstance,
    "AKS": Aks,
    "Kubernetes": Kubernetes,
    "VirtualMachine": VirtualMachine,
    "HDInsight": HdInsight,
    "Databricks": Databricks,
    "DataFactory": DataFactory,
    "DataLakeAnalytics": DataLakeAnalytics,
    "SynapseSpark": SynapseSpark,
}
SECRETS = (
    *(("userAccountCredentials", name) for name in ("adminUserPassword", "adminUserSshPublicKey")),
    *(("administratorAccount", name) for name in ("password", "publicKeyData", "privateKeyData")),
    *(("sslConfiguration", name) for name in ("cert", "key")),
    ("databricksAccessToken",),
    ("relayConnectionString",),
    ("serviceBusConnectionString",),
)
"""Where in `properties` the write-only fields are."""


class AnyCompute(Compute):
    """A compute of whichever type."""

    @classmethod
    def chosen(cls, given: Json) -> type[Properties]:
        """The model of the type. Raises ArmError 400 if there is none of that name."""
        named = str(said(given, "computeType") or "")
        for name, model in TYPES.items():
            if name.lower() == named.lower():
                return model
        raise ArmError(
            "ValidationError",
            f"computeType is {named!r}: it must be one of {', '.join(TYPES)}.",
            target="computeType",
        )

    @classmethod
    def models(cls) -> tuple[type[Properties], ...]:
        """One for each type."""
        return tuple(TYPES.values())


def _inside(*names: str, until: str) -> Within:
    return Within("properties", Unknown(names, until=until))


COMPUTE_WIRE = Wire(
    (
        Unknown(("disableLocalAuth",), until="2021-02-28"),
        _inside("schedules", until="2021-02-28"),
        _inside(
            *("propertyBag", "containers", "dataDisks", "dataMounts", "versions"),
            until="2021-09-30",
        ),
        _inside(
            *("autologgerSettings", "customServices", "osImageMetadata", "idleTimeBeforeShutdown"),
            until="2022-09-30",
        ),
        _inside(
            *("enableOSPatching", "enableRootAccess", "enableSSO", "releaseQuotaOnStop"),
            until="2023-07-31",
        ),
    )
)
"""Since when fields are there: field_history.json."""
