"""What local endpoints do, whichever generation of words asks for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from lazulite.cli.errors import CommandError
from lazulite.cli.report import Report
from lazulite.core.settings import Settings
from lazulite.local.records import LocalDeployment, LocalEndpoint, Records
from lazulite.local.replicas import LocalReplicas


@dataclasses.dataclass(frozen=True)
class LocalEndpoints:
    """Changes and shows the local endpoints of one data folder."""

    records: Records
    replicas: LocalReplicas
    settings: Settings
    environ: Mapping[str, str]
    report: Report

    def put(self, values: Mapping[str, Any]) -> LocalEndpoint:
        """Create the endpoint, or change what it says of itself; its deployments go on."""
        name = str(values["name"])
        with self.records.changing(name):
            there = self.records.find(name)
            made = there.deployments if there else ()
            endpoint = LocalEndpoint(values=dict(values), deployments=made)
            self.records.write(endpoint)
        return endpoint

    def remove(self, name: str, deployment: str = "") -> None:
        """Stop and forget the endpoint, or one deployment of it."""
        with self.records.changing(name):
            endpoint = self.records.get(name)
            gone = [endpoint.deployment(deployment)] if deployment else endpoint.deployments
            for each in gone:
                self.replicas.stop(each.task)
                endpoint = endpoint.without(each.name)
                self.records.write(endpoint)
            if not deployment:
                self.records.remove(name)

    def answering(self, endpoint: LocalEndpoint, deployment: str = "") -> LocalDeployment:
        """The deployment that answers: the one asked for, the only one, or that with most traffic.

        Raises CommandError if it cannot be told.
        """
        if deployment:
            return endpoint.deployment(deployment)
        if (found := main_deployment(endpoint)) is not None:
            return found
        there = ", ".join(each.name for each in endpoint.deployments)
        said = f"Give --deployment with one of: {there}" if there else "Create one first"
        raise CommandError(
            "DeploymentNotChosen",
            f"The local endpoint {endpoint.name!r} has {'several' if there else 'no'} deployments,"
            f" and there is no traffic split without a server. {said}.",
        )

    def show(self, endpoint: LocalEndpoint) -> dict[str, Any]:
        """The endpoint as `online-endpoint show` prints it."""
        main = main_deployment(endpoint)
        states = {self.replicas.state(each)[0] for each in endpoint.deployments}
        state = next((each for each in ("Failed", "Updating") if each in states), "Succeeded")
        return {
            **endpoint.values,
            "location": "local",
            "provisioning_state": state,
            "traffic": dict(endpoint.values.get("traffic") or {}),
            "scoring_uri": main and f"{address(main)}/score",
            "openapi_uri": main and f"{address(main)}/swagger.json",
        }

    def show_deployment(self, endpoint: LocalEndpoint, found: LocalDeployment) -> dict[str, Any]:
        """The deployment as `online-deployment show` prints it, with an address of its own."""
        state, error = self.replicas.state(found)
        told = {"error": error, "debug_port": found.debug_port}
        return {
            **found.values,
            "endpoint_name": endpoint.name,
            "instance_count": 1,
            "location": "local",
            "provisioning_state": state,
            "scoring_uri": f"{address(found)}/score",
            **{name: value for name, value in told.items() if value is not None},
        }


def main_deployment(endpoint: LocalEndpoint) -> LocalDeployment | None:
    """The only deployment, or the one with the most traffic; None if that is no one."""
    if len(endpoint.deployments) == 1:
        return endpoint.deployments[0]
    shares = {name.lower(): share for name, share in (endpoint.values.get("traffic") or {}).items()}
    ranked = sorted(endpoint.deployments, key=lambda each: -shares.get(each.name.lower(), 0))
    return ranked[0] if ranked and shares.get(ranked[0].name.lower(), 0) else None


def address(deployment: LocalDeployment) -> str:
    """Where the deployment answers."""
    return f"http://localhost:{deployment.port}"
