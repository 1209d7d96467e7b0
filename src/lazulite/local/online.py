"""`ml online-endpoint` and `ml online-deployment` with --local."""

from __future__ import annotations

from typing import Any

from lazulite.cli import assets, online_deployments, online_endpoints
from lazulite.cli.arguments import Arguments
from lazulite.cli.deployments import present
from lazulite.cli.errors import CommandError, from_body
from lazulite.cli.http import Http, Request
from lazulite.deployments.logs import tail
from lazulite.local.endpoints import LocalEndpoints, address


def create_endpoint(local: LocalEndpoints, arguments: Arguments) -> dict[str, Any]:
    """Create the endpoint, or replace what it says of itself."""
    shape, mode = online_endpoints.SHAPE, arguments.auth_mode
    found = assets.document(arguments, shape, auth_mode=mode)
    if not found.values.get("name"):
        raise found.error((), "an endpoint needs a name: give --name or the field `name`")
    return _shown(local, local.put(found.values).name)


def update_endpoint(local: LocalEndpoints, arguments: Arguments) -> dict[str, Any]:
    """Change what the file and the options say; the rest stays as it is."""
    refuse_traffic(arguments)
    kept = local.records.get(arguments.name).values
    changed = assets.document(arguments, online_endpoints.SHAPE, kept).values
    return _shown(local, local.put({**changed, "name": arguments.name}).name)


def show_endpoint(local: LocalEndpoints, arguments: Arguments) -> dict[str, Any]:
    """One endpoint."""
    return _shown(local, arguments.name)


def list_endpoints(local: LocalEndpoints, arguments: Arguments) -> list[dict[str, Any]]:
    """All local endpoints."""
    return [present(local.show(each)) for each in local.records.all()]


def delete_endpoint(local: LocalEndpoints, arguments: Arguments) -> None:
    """Stop and delete the endpoint with its deployments."""
    local.remove(arguments.name)


def invoke(local: LocalEndpoints, arguments: Arguments) -> str:
    """The model's answer, as text. What the script refuses or fails at fails the command."""
    endpoint = local.records.get(arguments.name)
    chosen = local.answering(endpoint, arguments.deployment_name)
    state, error = local.replicas.state(chosen)
    if state == "Failed":
        raise CommandError("DeploymentNotRunning", str((error or {}).get("message")))
    url = f"{address(chosen)}/score"
    headers, body = {"Content-Type": "application/json"}, online_endpoints.request_body(arguments)
    http = Http(None)
    try:
        answer = http.send(Request(method="POST", url=url, headers=headers, body=body))
    finally:
        http.close()
    if not answer.is_success:
        raise from_body(answer.value(), status=answer.status, asked=f"POST {url}")
    return answer.body.decode(errors="replace")


def show_deployment(local: LocalEndpoints, arguments: Arguments) -> dict[str, Any]:
    """One deployment."""
    endpoint = local.records.get(arguments.endpoint_name)
    return local.show_deployment(endpoint, endpoint.deployment(arguments.name))


def list_deployments(local: LocalEndpoints, arguments: Arguments) -> list[dict[str, Any]]:
    """All deployments of the endpoint."""
    endpoint = local.records.get(arguments.endpoint_name)
    return [local.show_deployment(endpoint, each) for each in endpoint.deployments]


def delete_deployment(local: LocalEndpoints, arguments: Arguments) -> None:
    """Stop and delete the deployment."""
    local.remove(arguments.endpoint_name, arguments.name)


def logs(local: LocalEndpoints, arguments: Arguments) -> None:
    """Print the logs of the deployment's replicas, or of its environment's build."""
    if arguments.follow:
        raise CommandError(
            "InvalidArgument",
            "--follow asks a server for new lines, and with --local there is none: repeat get-logs"
            " with a small --lines.",
        )
    found = local.records.get(arguments.endpoint_name).deployment(arguments.name)
    if online_deployments.container(arguments) == "StorageInitializer":
        print(tail([local.replicas.build_log(found)], arguments.lines))
    else:
        print(tail(local.replicas.logs(found), arguments.lines))


def refuse_traffic(arguments: Arguments) -> None:
    """Raise CommandError for shares of requests. Source: seed 002, limits of local endpoints."""
    if arguments.traffic or arguments.mirror_traffic:
        raise CommandError(
            "InvalidArgument",
            "There is no traffic split without a server: every local deployment has an address of"
            " its own, and `invoke --local --deployment NAME` chooses one.",
        )


def _shown(local: LocalEndpoints, name: str) -> dict[str, Any]:
    return present(local.show(local.records.get(name)))
