"""What a workspace answers beyond its properties: keys, a diagnosis, empty lists.

Source: spec/REST.md 6 and 7.1, models-2023-10-01.json.
"""

from __future__ import annotations

import dataclasses

from lazulite.arm.kind import Action, Answer, Call
from lazulite.blobs.accounts import account_keys
from lazulite.core.errors import ArmError
from lazulite.identity.sealing import SecretBox
from lazulite.store.resources import Json, Resource, Resources
from lazulite.workspaces.dependencies import (
    DEPENDENCIES,
    fault_of,
    instrumentation_key,
    registry_credentials,
)
from lazulite.workspaces.provisioning import Provisioning, account_id

RESULTS = (
    *("userDefinedRouteResults", "networkSecurityRuleResults", "resourceLockResults"),
    *("dnsResolutionResults", "storageAccountResults", "keyVaultResults"),
    *("containerRegistryResults", "applicationInsightsResults", "otherResults"),
)


@dataclasses.dataclass(frozen=True)
class WorkspaceAnswers:
    """The actions of workspaces."""

    resources: Resources
    box: SecretBox
    provisioning: Provisioning

    def actions(self) -> dict[str, Action]:
        """By name. What needs a service that Azure has and this server has not is refused."""
        return {
            "listKeys": Action(perform=self.list_keys),
            "listStorageAccountKeys": Action(perform=self.list_storage_account_keys),
            "resyncKeys": Action(perform=self.resync_keys, shows=False),
            "diagnose": Action(perform=self.diagnose),
            "listNotebookKeys": Action(perform=_without_notebooks),
            "listNotebookAccessToken": Action(perform=_without_notebooks),
            "prepareNotebook": Action(perform=_without_notebooks),
            "outboundNetworkDependenciesEndpoints": _nothing_to_list(),
            "privateLinkResources": _nothing_to_list(),
            "features": _nothing_to_list(),
        }

    async def list_keys(self, call: Call) -> Answer:
        """The keys of what the workspace depends on; null for what it does without."""
        owner, properties = call.resource, call.resource.properties
        storage = account_id(owner)
        insights = await self._named(properties.get("applicationInsights"))
        body: Json = {
            "userStorageKey": await self._storage_key(owner),
            "userStorageResourceId": storage,
            "appInsightsInstrumentationKey": instrumentation_key(insights) if insights else None,
            "containerRegistryCredentials": await self._registry(properties),
            "notebookAccessKeys": None,
        }
        if call.version >= "2023-06-01":
            body["userStorageArmId"] = storage
        return Answer(body=body)

    async def list_storage_account_keys(self, call: Call) -> Answer:
        """The first key of the workspace's storage account."""
        return Answer(body={"userStorageKey": await self._storage_key(call.resource)})

    async def resync_keys(self, call: Call) -> Answer:
        """Let the workspace's datastores use the present key; done when answered."""
        await self.provisioning.resync_keys(call.resource)
        return Answer()

    async def diagnose(self, call: Call) -> Answer:
        """What is wrong with the resources that the workspace depends on."""
        results: dict[str, list[Json]] = {name: [] for name in RESULTS}
        for each in DEPENDENCIES:
            if arm_id := call.resource.properties.get(each.property):
                fault = fault_of(each, arm_id, await self.resources.find(arm_id))
                if fault is not None:
                    found = {"code": fault.code, "level": "Error", "message": fault.message}
                    results[f"{each.property}Results"].append(found)
        if error := call.resource.error:
            found = {"code": error["code"], "level": "Error", "message": error["message"]}
            results["otherResults"].append(found)
        return Answer(body={"value": results})

    async def _storage_key(self, workspace: Resource) -> str | None:
        account = await self._named(account_id(workspace))
        if account is None or not account.properties.get("allowSharedKeyAccess", True):
            return None
        return account_keys(self.box, account)["key1"]

    async def _registry(self, properties: Json) -> Json | None:
        registry = await self._named(properties.get("containerRegistry"))
        if registry is None or not registry.properties["adminUserEnabled"]:
            return None
        shown = registry_credentials(self.box, registry)
        return {"location": registry.envelope.get("location"), **shown}

    async def _named(self, arm_id: str | None) -> Resource | None:
        return await self.resources.find(arm_id) if arm_id else None


async def _without_notebooks(call: Call) -> Answer:
    raise ArmError(
        "FeatureNotSupported",
        "This server has no notebooks: run a notebook server of your own, with azure-ai-ml "
        "pointed at this one.",
    )


def _nothing_to_list() -> Action:
    async def perform(call: Call) -> Answer:
        return Answer(body={"value": [], "nextLink": None})

    return Action(perform=perform, method="GET", permission="read")
