"""Every option of the `ml` commands, declared once with its type, flags and help."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from knack.arguments import CLICommandArgument


def _option(*flags: str, help: str, default: Any = "", **settings: Any) -> Any:  # noqa: A002
    metadata = {"flags": flags, "help": help, **settings}
    if isinstance(default, bool):
        metadata["action"] = "store_true"
    return dataclasses.field(default=default, metadata=metadata)


def _several(*flags: str, help: str) -> Any:  # noqa: A002
    return dataclasses.field(
        default=(), metadata={"flags": flags, "help": help, "nargs": "+", "action": "extend"}
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Arguments:
    """What the user gave; an option left out has its default (texts: empty, numbers: None)."""

    name: str = _option("--name", "-n", help="Name of the resource.")
    version: str = _option("--version", "-v", help="Version of the asset.")
    label: str = _option("--label", "-l", help="Label of the asset's version, such as latest.")
    file: str = _option("--file", "-f", help="YAML file with the specification.")
    endpoint_name: str = _option("--endpoint-name", "-e", help="Name of the endpoint.")
    deployment_name: str = _option(
        "--deployment-name", "--deployment", "-d", help="Name of the deployment to use."
    )
    set_values: tuple[str, ...] = _several(
        "--set", help="Change a value: --set a.b[0].c=v. May be given several times."
    )
    description: str = _option("--description", help="Description of the resource.")
    tags: tuple[str, ...] = _several("--tags", help="Tags as name=value, separated by spaces.")
    no_wait: bool = _option("--no-wait", help="Do not wait until it is done.", default=False)
    auth_mode: str = _option("--auth-mode", help="key, aml_token or aad_token.")
    traffic: tuple[str, ...] = _several(
        "--traffic", "-r", help='Percent of the requests for each deployment: "blue=90 green=10".'
    )
    mirror_traffic: tuple[str, ...] = _several(
        "--mirror-traffic", help='Percent of the requests to copy to a deployment: "green=10".'
    )
    defaults: str = _option("--defaults", help="Name of the deployment to invoke by default.")
    all_traffic: bool = _option(
        "--all-traffic", help="Give the new deployment all traffic when it is ready.", default=False
    )
    set_default: bool = _option(
        "--set-default", help="Make the deployment the endpoint's default.", default=False
    )
    request_file: str = _option("--request-file", "-r", help="File with the request's body.")
    key_type: str = _option("--key-type", help="Key to make anew: primary or secondary.")
    container: str = _option(
        "--container", "-c", help="Whose logs: inference-server or storage-initializer."
    )
    lines: int = _option("--lines", "-l", help="How many lines, from the end.", default=5000)
    kind: str = _option("--type", "-t", help="Type of the resource.")
    path: str = _option("--path", "-p", help="Local file or folder, or a URI.")
    datastore: str = _option("--datastore", help="Datastore to upload to.")
    image: str = _option("--image", "-i", help="Container image of the environment.")
    conda_file: str = _option("--conda-file", "-c", help="Conda file of the environment.")
    size: str = _option("--size", help="Size of a node, such as Standard_DS3_v2.")
    min_instances: int | None = _option(
        "--min-instances", help="Fewest nodes.", default=None, type=int
    )
    max_instances: int | None = _option(
        "--max-instances", help="Most nodes.", default=None, type=int
    )
    idle_time: int | None = _option(
        "--idle-time-before-scale-down",
        help="Seconds after which an idle node is given back.",
        default=None,
        type=int,
    )
    input_uri: str = _option(
        "--input", help="What to score: a local path, a URI, or azureml:<data>:<version>."
    )
    input_type: str = _option("--input-type", help="uri_folder or uri_file.")
    input_path: str = _option(
        "--input-path", help="What to score: folder:<uri> or file:<uri>, or a path in a datastore."
    )
    input_local_path: str = _option("--input-local-path", help="Local file or folder to score.")
    input_dataset: str = _option(
        "--input-dataset", "--input-data", help="Registered data: azureml:<name>:<version>."
    )
    input_datastore: str = _option(
        "--input-datastore", help="Datastore that --input-path is a path in."
    )
    output_path: str = _option("--output-path", help="Folder for the results: folder:<uri>.")
    output_datastore: str = _option(
        "--output-datastore", help="Datastore that --output-path is a path in."
    )
    mini_batch_size: int | None = _option(
        "--mini-batch-size", "-m", help="Files per call of run().", default=None, type=int
    )
    instance_count: int | None = _option(
        "--instance-count", "-c", help="Nodes to use.", default=None, type=int
    )
    job_name: str = _option("--job-name", help="Name of the job.")
    experiment_name: str = _option("--experiment-name", help="Experiment of the job.")
    stream: bool = _option("--stream", "-s", help="Follow the job until it ends.", default=False)
    output_name: str = _option("--output-name", help="The one output to download.")
    download_path: str = _option(
        "--download-path", "-p", help="Folder to download to (default: this one)."
    )
    all_outputs: bool = _option("--all", "-a", help="Download logs as well.", default=False)
    max_results: int | None = _option(
        "--max-results", "-r", help="At most that many.", default=None, type=int
    )
    role: str = _option("--role", help="Name or id of the role.")
    scope: str = _option("--scope", help="ARM id of where the role counts; / is everything.")
    scopes: tuple[str, ...] = _several("--scopes", help="ARM ids of where the role counts.")
    assignee: str = _option("--assignee", help="App id or object id of a service principal.")
    assignee_object_id: str = _option(
        "--assignee-object-id", help="Object id of a service principal, which is not looked up."
    )
    assignee_principal_type: str = _option(
        "--assignee-principal-type", help="ServicePrincipal: there are no others here."
    )
    include_inherited: bool = _option(
        "--include-inherited", help="Roles from above the scope as well.", default=False
    )
    everything: bool = _option("--all", help="Everything below the scope, too.", default=False)
    ids: tuple[str, ...] = _several("--ids", help="ARM ids of the role assignments.")
    custom_role_only: bool = _option("--custom-role-only", help="Custom roles only.", default=False)
    id: str = _option("--id", help="App id, or object id, of the service principal.")
    display_name: str = _option("--display-name", help="Name to show, or that names begin with.")
    filter: str = _option("--filter", help="OData filter, such as \"displayName eq 'ci'\".")
    key_id: str = _option("--key-id", help="Id of the secret.")
    years: int | None = _option(
        "--years", help="Years until the secret ends (default: 1).", default=None, type=int
    )
    end_date: str = _option("--end-date", help="When the secret ends: 2030-01-31T12:00:00Z.")
    append: bool = _option("--append", help="Keep the other secrets.", default=False)
    resource_group: str = _option("--resource-group", "-g", help="Name of the resource group.")
    workspace: str = _option("--workspace-name", "--workspace", "-w", help="Name of the workspace.")
    data_dir: str = _option(
        "--data-dir", help="Data directory of the server (or LAZULITE_DATA_DIR)."
    )


CONNECTION = ("resource_group", "workspace", "data_dir")
"""The options that every `ml` command has."""
SERVER_ONLY = ("data_dir",)
"""The options of commands that are about no workspace."""


def arguments_of(
    options: str, connection: Sequence[str] = CONNECTION
) -> list[tuple[str, CLICommandArgument]]:
    """What knack needs for names separated by spaces; a name that ends in ! is required.

    connection: options that say which server, besides the command's own.
    """
    names = [*options.split(), *connection]
    return [(name.rstrip("!"), _argument(name.rstrip("!"), name.endswith("!"))) for name in names]


def _argument(name: str, required: bool) -> CLICommandArgument:
    field = Arguments.__dataclass_fields__[name]
    settings = {key: value for key, value in field.metadata.items() if key != "flags"}
    if "type" not in settings and isinstance(field.default, int):
        settings.setdefault("action", None)
        if not isinstance(field.default, bool):
            settings["type"] = int
    default = list(field.default) if isinstance(field.default, tuple) else field.default
    return CLICommandArgument(
        name,
        options_list=list(field.metadata["flags"]),
        required=required,
        default=default,
        **settings,
    )
