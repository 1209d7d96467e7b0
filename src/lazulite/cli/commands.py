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
_UPDATE = "name! file set_values description tags no_wait"
_CHANGE_DEPLOYMENT = "name endpoint_name file set_values description tags no_wait"
_LOCAL = "local debug_port vscode_debug"
_ONE_DEPLOYMENT = "name! endpoint_name!"
_ASSET = "name file version description tags set_values"

ML = (
    Command(
        "online-endpoint create",
        "online_endpoints#create",
        "Create an online endpoint.",
        f"{_CREATE} auth_mode local",
    ),
    Command(
        "online-endpoint show", "online_endpoints#show", "Show an online endpoint.", "name! local"
    ),
    Command(
        "online-endpoint list", "online_endpoints#listing", "List the online endpoints.", "local"
    ),
    Command(
        "online-endpoint update",
        "online_endpoints#update",
        "Change an online endpoint, such as its traffic.",
        f"{_UPDATE} traffic mirror_traffic defaults local",
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
        "name! request_file! deployment_name local",
    ),
    Command(
        "online-endpoint get-credentials",
        "online_endpoints#credentials",
        "Show the keys or a token of an online endpoint.",
        "name!",
    ),
    Command(
        "online-endpoint regenerate-keys",
        "online_endpoints#regenerate_keys",
        "Replace a key of an online endpoint.",
        "name! key_type no_wait",
        "Clients that use the key will be refused. Replace it?",
    ),
    Command(
        "online-deployment create",
        "online_deployments#create",
        "Create a deployment of an online endpoint.",
        f"{_CHANGE_DEPLOYMENT} all_traffic {_LOCAL}",
    ),
    Command(
        "online-deployment show",
        "online_deployments#show",
        "Show a deployment of an online endpoint.",
        f"{_ONE_DEPLOYMENT} local",
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
        f"{_CHANGE_DEPLOYMENT} {_LOCAL}",
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
        "name! deployment_name input_uri input_type input_path input_local_path input_dataset"
        " input_datastore inputs output_path output_datastore outputs mini_batch_size"
        " instance_count job_name experiment_name rerun_failed file set_values",
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
        f"{_CHANGE_DEPLOYMENT} set_default",
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
        "batch-deployment update",
        "batch_deployments#update",
        "Change a deployment of a batch endpoint.",
        _CHANGE_DEPLOYMENT,
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
        "name file kind deployment_name deployment_file traffic instance_count set_values"
        f" {_LOCAL} no_wait",
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
        "name! kind deployment_name request_file input_dataset input_datastore input_path"
        " input_local_path output_datastore output_path mini_batch_size instance_count job_name"
        " set_values local",
    ),
    Command(
        "endpoint get-logs",
        "endpoints#logs",
        "Print the logs of a deployment of an online endpoint.",
        "name! deployment_name! lines container local",
    ),
    Command(
        "endpoint get-credentials",
        "online_endpoints#credentials",
        "Show the keys or a token of an online endpoint.",
        "name!",
    ),
    Command(
        "endpoint list-keys",
        "online_endpoints#credentials",
        "Show the keys or a token of an online endpoint.",
        "name!",
    ),
    Command(
        "endpoint regenerate-keys",
        "online_endpoints#regenerate_keys",
        "Replace a key of an online endpoint.",
        "name! key_type",
        "Clients that use the key will be refused. Replace it?",
    ),
    Command(
        "endpoint list-jobs",
        "endpoints#list_jobs",
        "List the jobs of a batch endpoint.",
        "name! kind deployment_name",
    ),
    Command(
        "compute create",
        "computes#create",
        "Create a compute cluster.",
        f"{_CREATE} kind size min_instances max_instances idle_time",
    ),
    Command("compute show", "computes#show", "Show a compute.", "name!"),
    Command("compute list", "computes#listing", "List the computes.", "kind max_results"),
    Command(
        "compute update",
        "computes#update",
        "Change the size of a compute cluster.",
        "name! min_instances max_instances idle_time set_values no_wait",
    ),
    Command(
        "compute delete", "computes#delete", "Delete a compute.", "name! no_wait", "Delete it?"
    ),
    Command("compute list-nodes", "computes#list_nodes", "List a cluster's nodes.", "name!"),
    Command(
        "compute evict-node",
        "computes#evict_node",
        "Take a node away, to see what an eviction does to jobs.",
        "name! node_id!",
    ),
    Command("model create", "models#create", "Register a model.", f"{_ASSET} path kind datastore"),
    Command("model show", "models#show", "Show a version of a model.", "name! version label"),
    Command("model list", "models#listing", "List models, or the versions of one.", "name"),
    Command(
        "model download",
        "models#download",
        "Download the files of a model.",
        "name! version! download_path",
    ),
    Command(
        "environment create",
        "environments#create",
        "Register an environment.",
        f"{_ASSET} image conda_file build_context dockerfile_path",
    ),
    Command(
        "environment show",
        "environments#show",
        "Show a version of an environment.",
        "name! version label",
    ),
    Command(
        "environment list",
        "environments#listing",
        "List environments, or the versions of one.",
        "name archived_only include_archived max_results",
    ),
    Command(
        "environment update",
        "environments#update",
        "Change tags, description or properties of a version.",
        "name! version label description tags set_values",
    ),
    Command(
        "environment archive",
        "environments#archive",
        "Leave an environment, or one version, out of lists.",
        "name! version label",
    ),
    Command(
        "environment restore",
        "environments#restore",
        "Undo archive.",
        "name! version label",
    ),
    Command("data create", "data#create", "Register data.", f"{_ASSET} path kind datastore"),
    Command("data show", "data#show", "Show a version of data.", "name! version label"),
    Command("data list", "data#listing", "List data, or the versions of one.", "name"),
    Command(
        "dataset create",
        "datasets#create",
        "Register data as paths (words of 2021-10).",
        f"{_ASSET} path datastore",
    ),
    Command("dataset show", "datasets#show", "Show a version of a dataset.", "name! version label"),
    Command("dataset list", "datasets#listing", "List datasets, or the versions of one.", "name"),
    Command(
        "job create",
        "command_jobs#create",
        "Submit a command job.",
        "file! name set_values description tags experiment_name stream",
    ),
    Command("job show", "jobs#show", "Show a job.", "name! web"),
    Command("job list", "jobs#listing", "List the jobs.", "max_results"),
    Command("job stream", "jobs#stream", "Follow a job until it ends.", "name!"),
    Command(
        "job download",
        "jobs#download",
        "Download what a job wrote.",
        "name! download_path output_name all_outputs",
    ),
    Command(
        "job failed-items",
        "failed_items#listing",
        "List the files that failed in a batch scoring job, each with its error.",
        "name!",
    ),
    Command("job cancel", "jobs#cancel", "Stop a job.", "name!"),
    Command("job pause", "jobs#pause", "Have a batch job rest and free its nodes.", "name!"),
    Command("job resume", "jobs#resume", "Have a paused batch job go on.", "name!"),
    Command(
        "datastore create",
        "datastores#create",
        "Create a datastore.",
        "name file description tags set_values",
    ),
    Command("datastore show", "datastores#show", "Show a datastore.", "name!"),
    Command(
        "datastore delete", "datastores#delete", "Forget a datastore; its files stay.", "name!"
    ),
    Command("datastore list", "datastores#listing", "List the datastores."),
)
"""`lazulite ml <noun> <verb>`: functions of lazulite.cli's modules, given a workspace."""

CACHE = (
    Command(
        "environment build",
        "environment_cache#build",
        "Build a registered environment, or one of a file, and follow its log.",
        f"{_ASSET} label no_wait",
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
    "online-endpoint": ("name", "auth_mode", "provisioning_state", "traffic", "scoring_uri"),
    "online-deployment": ("name", "endpoint_name", "instance_count", "provisioning_state"),
    "endpoint": ("name", "auth_mode", "provisioning_state", "traffic", "scoring_uri"),
    "batch-endpoint": ("name", "auth_mode", "provisioning_state", "scoring_uri"),
    "batch-deployment": ("name", "endpoint_name", "mini_batch_size", "provisioning_state"),
    "compute": ("name", "type", "size", "min_instances", "max_instances", "provisioning_state"),
    "model": ("name", "version", "latest_version", "type", "path"),
    "environment": ("name", "version", "latest_version", "image"),
    "environment list": ("name", "status", "python", "packages", "size_mib", "last_used"),
    "data": ("name", "version", "latest_version", "type", "path"),
    "dataset": ("name", "version", "latest_version"),
    "job": ("name", "status", "experiment_name", "start_time", "end_time"),
    "job failed-items": ("file", "mini_batch", "attempt", "items", "error"),
    "datastore": ("name", "type", "container_name", "is_default"),
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
"""What `-o table` shows of each noun's resources, of show and list and whatever returns them."""

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
    "ml compute": "Clusters that jobs run on.",
    "ml model": "Registered models.",
    "ml environment": "The packages that code runs with.",
    "ml data": "Registered data.",
    "ml dataset": "Registered data, in the words of 2021-10.",
    "ml job": "Jobs: commands and batch scoring.",
    "ml datastore": "Where files are kept.",
}
