"""The table of commands: what runs them, their options. Nothing is imported until it runs."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Command:
    """One command. operation: "module#function"; confirm: the question that --yes answers."""

    name: str
    operation: str
    summary: str
    options: str = ""
    """Names of fields of Arguments; a name that ends in ! is required."""
    confirm: str | None = None


SERVE = "lazulite.serving.standalone#main"
"""Reads its arguments itself: they are spelled like those of the server that it stands in for."""

SERVER = (
    Command("up", "lazulite.app.commands#up", "Start the server."),
    Command("down", "lazulite.app.commands#down", "Stop the server and all that it started."),
    Command("status", "lazulite.app.commands#status", "Show whether the server runs, and what."),
    Command("env", "lazulite.app.commands#env", "Print shell exports for clients of the server."),
    Command("serve", SERVE, "Serve a scoring script, without a server, as azmlinfsrv does."),
    Command(
        "doctor",
        "lazulite.doctor.command#diagnose",
        "Look for what is missing on this machine, or wrong in a deployment's file.",
    ),
    Command("version", "lazulite.cli.about#version", "Show the versions of the product's parts."),
    Command("upgrade", "lazulite.cli.about#upgrade", "Change nothing; for scripts of az."),
    Command("extension list", "lazulite.cli.about#extensions", "List what is built in: ml."),
    Command(
        "extension add", "lazulite.cli.about#add_extension", "Change nothing; for scripts of az."
    ),
    Command(
        "extension update", "lazulite.cli.about#extension", "Change nothing; for scripts of az."
    ),
    Command(
        "extension remove", "lazulite.cli.about#extension", "Change nothing; for scripts of az."
    ),
    Command(
        "demo", "lazulite.cli.demo#demo", "Train, deploy and score a model, online and in batch."
    ),
)
"""Their options are the parameters of the function."""

_CREATE = "name file set_values description tags no_wait"
GENERIC = "set_values add_values remove_values force_string"
"""The options of az's update commands."""
_UPDATE = f"name file description tags no_wait {GENERIC}"
_CHANGE_DEPLOYMENT = "name endpoint_name file set_values description tags no_wait"
_MORE = "add_values remove_values force_string"
_SCRIPT = "skip_script_validation"
_LOCAL = "local debug_port vscode_debug"
_ONE_DEPLOYMENT = "name! endpoint_name!"

ENDPOINTS = (
    Command(
        "online-endpoint create",
        "online_endpoints#create",
        "Create an online endpoint.",
        f"{_CREATE} auth_mode local",
    ),
    Command(
        "online-endpoint show",
        "online_endpoints#show",
        "Show an online endpoint.",
        "name! local web:-e",
    ),
    Command(
        "online-endpoint list", "online_endpoints#listing", "List the online endpoints.", "local"
    ),
    Command(
        "online-endpoint update",
        "online_endpoints#update",
        "Change an online endpoint, such as its traffic.",
        f"{_UPDATE} traffic mirror_traffic local",
    ),
    Command(
        "online-endpoint delete",
        "online_endpoints#delete",
        "Delete an online endpoint and its deployments.",
        "name! local no_wait",
        "Delete the endpoint and all its deployments?",
    ),
    Command(
        "online-endpoint invoke",
        "online_endpoints#invoke",
        "Score a request.",
        "name! request_file deployment_name local",
    ),
    Command(
        "online-endpoint get-credentials",
        "online_endpoints#credentials",
        "Show the keys or a token of an online endpoint.",
        "name!",
    ),
    Command(
        "online-endpoint list-keys",
        "online_endpoints#credentials",
        "Show the keys or a token of an online endpoint.",
        "name!",
    ),
    Command(
        "online-endpoint regenerate-keys",
        "online_endpoints#regenerate_keys",
        "Replace a key of an online endpoint.",
        "name! key_type no_wait yes",
    ),
    Command(
        "online-deployment create",
        "online_deployments#create",
        "Create a deployment of an online endpoint.",
        f"{_CHANGE_DEPLOYMENT} all_traffic {_LOCAL} {_SCRIPT} package_model local_enable_gpu web",
    ),
    Command(
        "online-deployment show",
        "online_deployments#show",
        "Show a deployment of an online endpoint.",
        f"{_ONE_DEPLOYMENT} local web",
    ),
    Command(
        "online-deployment list",
        "online_deployments#listing",
        "List the deployments of an online endpoint.",
        "endpoint_name! local",
    ),
    Command(
        "online-deployment update",
        "online_deployments#update",
        "Change a deployment of an online endpoint.",
        f"{_CHANGE_DEPLOYMENT} {_MORE} {_LOCAL} {_SCRIPT} local_enable_gpu web",
    ),
    Command(
        "online-deployment delete",
        "online_deployments#delete",
        "Delete a deployment of an online endpoint.",
        f"{_ONE_DEPLOYMENT} no_wait local",
        "Delete the deployment?",
    ),
    Command(
        "online-deployment get-logs",
        "online_deployments#logs",
        "Print the logs of a deployment.",
        f"{_ONE_DEPLOYMENT} lines container follow local",
    ),
    Command(
        "batch-endpoint create",
        "batch_endpoints#create",
        "Create a batch endpoint.",
        f"{_CREATE} auth_mode",
    ),
    Command("batch-endpoint show", "batch_endpoints#show", "Show a batch endpoint.", "name!"),
    Command("batch-endpoint list", "batch_endpoints#listing", "List the batch endpoints."),
    Command(
        "batch-endpoint update",
        "batch_endpoints#update",
        "Change a batch endpoint, such as its default deployment.",
        f"{_UPDATE} defaults traffic",
    ),
    Command(
        "batch-endpoint delete",
        "batch_endpoints#delete",
        "Delete a batch endpoint and its deployments.",
        "name! no_wait",
        "Delete the endpoint and all its deployments?",
    ),
    Command(
        "batch-endpoint invoke",
        "batch_invocations#invoke",
        "Start a batch scoring job.",
        "name! deployment_name input_uri input_type:-t input_path input_local_path input_dataset"
        " input_datastore inputs output_path output_datastore outputs mini_batch_size"
        " instance_count job_name experiment_name:-e rerun_failed file set_values",
    ),
    Command(
        "batch-endpoint list-jobs",
        "batch_invocations#list_jobs",
        "List the jobs of a batch endpoint.",
        "name! deployment_name",
    ),
    Command(
        "batch-deployment create",
        "batch_deployments#create",
        "Create a deployment of a batch endpoint.",
        f"{_CHANGE_DEPLOYMENT} set_default {_SCRIPT}",
    ),
    Command(
        "batch-deployment show",
        "batch_deployments#show",
        "Show a deployment of a batch endpoint.",
        _ONE_DEPLOYMENT,
    ),
    Command(
        "batch-deployment list",
        "batch_deployments#listing",
        "List the deployments of a batch endpoint.",
        "endpoint_name!",
    ),
    Command(
        "batch-deployment list-jobs",
        "batch_invocations#list_deployment_jobs",
        "List the jobs of a deployment of a batch endpoint.",
        _ONE_DEPLOYMENT,
    ),
    Command(
        "batch-deployment update",
        "batch_deployments#update",
        "Change a deployment of a batch endpoint.",
        f"{_CHANGE_DEPLOYMENT} {_MORE} {_SCRIPT}",
    ),
    Command(
        "batch-deployment delete",
        "batch_deployments#delete",
        "Delete a deployment of a batch endpoint.",
        f"{_ONE_DEPLOYMENT} no_wait",
        "Delete the deployment?",
    ),
    Command(
        "endpoint create",
        "endpoints#create",
        "Create an endpoint with the deployments of its file (words of 2021-05).",
        f"name file kind set_values {_LOCAL} no_wait",
    ),
    Command(
        "endpoint show",
        "endpoints#show",
        "Show an endpoint and its deployments.",
        "name! kind deployment_name local",
    ),
    Command("endpoint list", "endpoints#listing", "List the endpoints.", "kind local"),
    Command(
        "endpoint update",
        "endpoint_updates#update",
        "Make an endpoint what a file says; deployments that it leaves out are deleted.",
        "name file kind deployment_name deployment_file:-e traffic instance_count:-i"
        f" {GENERIC} {_LOCAL} no_wait",
    ),
    Command(
        "endpoint delete",
        "endpoints#delete",
        "Delete an endpoint and its deployments, or one deployment.",
        "name! kind deployment_name local no_wait",
        "Delete it, and all that it contains?",
    ),
    Command(
        "endpoint invoke",
        "endpoints#invoke",
        "Score a request online, or start a batch scoring job.",
        "name! kind deployment_name request_file input_dataset:-i input_datastore:-u input_path:-p"
        " input_local_path:-l output_datastore:-s output_path:-x mini_batch_size instance_count"
        " job_name set_values local",
    ),
    Command(
        "endpoint get-logs",
        "endpoints#logs",
        "Print the logs of a deployment of an online endpoint.",
        "name! deployment_name! kind lines container local",
    ),
    Command(
        "endpoint get-credentials",
        "online_endpoints#credentials",
        "Show the keys or a token of an online endpoint.",
        "name! kind",
    ),
    Command(
        "endpoint list-keys",
        "online_endpoints#credentials",
        "Show the keys or a token of an online endpoint.",
        "name! kind",
    ),
    Command(
        "endpoint regenerate-keys",
        "online_endpoints#regenerate_keys",
        "Replace a key of an online endpoint.",
        "name! kind key_type no_wait yes",
    ),
    Command(
        "endpoint list-jobs",
        "endpoints#list_jobs",
        "List the jobs of a batch endpoint.",
        "name! kind deployment_name",
    ),
)
"""`lazulite ml <noun> <verb>` of endpoints: functions of lazulite.cli's modules."""

CACHE = (
    Command(
        "environment build",
        "environment_cache#build",
        "Build a registered environment, or one of a file, and follow its log.",
        "name file version description tags set_values label no_wait",
    ),
    Command(
        "environment list",
        "environment_cache#listing",
        "List the environments that are built on the server's machine.",
    ),
    Command(
        "environment show",
        "environment_cache#show",
        "Show a built environment by its hash, and the end of its build log.",
        "name!",
    ),
    Command(
        "environment prune",
        "environment_cache#prune",
        "Remove environments that no deployment and no job uses.",
        "older_than max_size dry_run",
        "They are built again when they are needed. Remove them?",
    ),
)
"""Functions of lazulite.cli's modules, as those of ML. An extension: az has no such commands."""

COLUMNS = {
    "ml online-endpoint": ("name", "auth_mode", "provisioning_state", "traffic", "scoring_uri"),
    "ml online-deployment": ("name", "endpoint_name", "instance_count", "provisioning_state"),
    "ml endpoint": ("name", "auth_mode", "provisioning_state", "traffic", "scoring_uri"),
    "ml batch-endpoint": ("name", "auth_mode", "provisioning_state", "scoring_uri"),
    "ml batch-deployment": ("name", "endpoint_name", "mini_batch_size", "provisioning_state"),
    "environment list": ("name", "status", "python", "packages", "size_mib", "last_used"),
    "account list": ("name", "cloudName", "id", "tenantId", "state", "isDefault"),
    "account show": ("name", "environmentName", "id", "tenantId", "state", "isDefault"),
    "group list": ("name", "location"),
    "group show": ("name", "location"),
    "storage account list": ("name", "location", "kind"),
    "storage account show": ("name", "location", "kind"),
    "storage account keys list": ("keyName", "permissions", "value"),
    "storage account keys renew": ("keyName", "permissions", "value"),
    "storage container list": ("name", "lastModified"),
    "storage blob list": ("name", "size", "contentType", "lastModified"),
    "monitor autoscale list": ("name", "enabled", "targetResourceUri"),
    "monitor autoscale show": ("name", "enabled", "targetResourceUri"),
    "ad sp list": ("displayName", "appId", "id"),
    "role assignment list": ("principalName", "roleDefinitionName", "scope"),
    "role definition list": ("roleName", "roleType", "description"),
}
"""What `-o table` shows, by the words that commands begin with: a noun, or a whole command."""

GROUPS = {
    "extension": "The commands of az's extension ml are built in.",
    "account": "The subscription, and tokens.",
    "ad": "The directory: who can sign in.",
    "ad sp": "Service principals: programs, and people who have no other way in.",
    "ad sp credential": "Secrets of service principals.",
    "ad key": "The keys that access tokens are signed with.",
    "role": "Who may do what.",
    "role assignment": "Roles that are given to service principals.",
    "role definition": "The roles that can be given.",
    "environment": "Environments as they are built on the server's machine.",
    "ml": "Machine learning: the same words as `az ml`.",
    "ml endpoint": "Endpoints of both types, in the words of 2021-05.",
    "ml online-endpoint": "Endpoints that answer single requests at once.",
    "ml online-deployment": "Models that run behind an online endpoint.",
    "ml batch-endpoint": "Endpoints that score many files in a job.",
    "ml batch-deployment": "Models that a batch endpoint runs.",
}
