"""Every option of the `ml` commands, declared once with its type, flags and help."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from knack.arguments import CLICommandArgument


def option(*flags: str, help: str, default: Any = "", **settings: Any) -> Any:  # noqa: A002
    """A field for one option: a text unless the default says otherwise; False makes it a flag."""
    metadata = {"flags": flags, "help": help, **settings}
    if isinstance(default, bool):
        metadata["action"] = "store_true"
    return dataclasses.field(default=default, metadata=metadata)


def several(*flags: str, help: str) -> Any:  # noqa: A002
    """A field for an option with any number of values."""
    return dataclasses.field(
        default=(), metadata={"flags": flags, "help": help, "nargs": "+", "action": "extend"}
    )


def switch(*flags: str, help: str) -> Any:  # noqa: A002
    """A field that is true for --flag and --flag true, as az has some."""
    metadata = {"flags": flags, "help": help, "nargs": "?", "const": True, "type": _is_true}
    return dataclasses.field(default=False, metadata=metadata)


def _is_true(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise ValueError(text)
    return text.lower() == "true"


def repeated(*flags: str, help: str) -> Any:  # noqa: A002
    """A field for an option that may come again: the words of each time in a list of their own."""
    return dataclasses.field(
        default=(), metadata={"flags": flags, "help": help, "nargs": "+", "action": "append"}
    )


def place(name: str, *, help: str) -> Any:  # noqa: A002
    """A field for what stands without a flag; it may be left out unless a command requires it."""
    metadata = {"flags": (name,), "help": help, "metavar": name, "is_place": True}
    return dataclasses.field(default="", metadata=metadata)


DATA_DIR = "Data directory of the server (or LAZULITE_DATA_DIR)."


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServerArguments:
    """Which server, and where on it."""

    subscription_id: str = option("--subscription", help="Id or name of the subscription.")
    resource_group: str = option("--resource-group", "-g", help="Name of the resource group.")
    data_dir: str = option("--data-dir", help=DATA_DIR)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Arguments(ServerArguments):
    """What the user gave; an option left out has its default (texts: empty, numbers: None)."""

    name: str = option("--name", "-n", help="Name of the resource.")
    version: str = option("--version", "-v", help="Version of the asset.")
    label: str = option("--label", "-l", help="Label of the asset's version, such as latest.")
    file: str = option("--file", "-f", help="YAML file with the specification.")
    endpoint_name: str = option("--endpoint-name", "-e", help="Name of the endpoint.")
    deployment_name: str = option(
        "--deployment-name", "--deployment", "-d", help="Name of the deployment to use."
    )
    deployment_file: str = option("--deployment-file", help="YAML file of one deployment.")
    local: bool = switch("--local", help="On this machine, without a server, keys and traffic.")
    debug_port: int | None = option(
        "--debug-port",
        help="Port that a debugger listens on; with --local.",
        default=None,
        type=int,
    )
    vscode_debug: bool = switch(
        "--vscode-debug",
        help="As --debug-port 5678, and print what VS Code needs to attach; with --local.",
    )
    set_values: tuple[str, ...] = several(
        "--set", help="Change a value: --set a.b[0].c=v. May be given several times."
    )
    add_values: tuple[list[str], ...] = repeated(
        "--add", help="Add to a list: --add a.b name=value, or a text or JSON."
    )
    remove_values: tuple[list[str], ...] = repeated(
        "--remove", help="Remove a value, or an item by its index: --remove a.b 0."
    )
    force_string: bool = option(
        "--force-string", help="Take the values of --set and --add as texts.", default=False
    )
    description: str = option("--description", help="Description of the resource.")
    tags: tuple[str, ...] = several("--tags", help="Tags as name=value, separated by spaces.")
    no_wait: bool = option("--no-wait", help="Do not wait until it is done.", default=False)
    auth_mode: str = option("--auth-mode", help="key, aml_token or aad_token.")
    traffic: tuple[str, ...] = several(
        "--traffic", "-r", help='Percent of the requests for each deployment: "blue=90 green=10".'
    )
    mirror_traffic: tuple[str, ...] = several(
        "--mirror-traffic", help='Percent of the requests to copy to a deployment: "green=10".'
    )
    defaults: str = option("--defaults", help="Name of the deployment to invoke by default.")
    all_traffic: bool = option(
        "--all-traffic", help="Give the new deployment all traffic when it is ready.", default=False
    )
    set_default: bool = option(
        "--set-default", help="Make the deployment the endpoint's default.", default=False
    )
    request_file: str = option("--request-file", "-r", help="File with the request's body.")
    key_type: str = option("--key-type", help="Key to make anew: primary or secondary.")
    container: str = option(
        "--container", "-c", help="Whose logs: inference-server or storage-initializer."
    )
    lines: int = option("--lines", "-l", help="How many lines, from the end.", default=5000)
    follow: bool = option(
        "--follow", "-f", help="Go on printing what is written, until Ctrl-C.", default=False
    )
    kind: str = option("--type", "-t", help="Type of the resource.")
    path: str = option("--path", "-p", "--local-path", help="Local file or folder, or a URI.")
    populate_secrets: bool = option("--populate-secrets", help="With the secrets.", default=False)
    stage: str = option("--stage", help="Stage of the model, such as Production.")
    package_model: bool = option("--package-model", help="Not there.", default=False)
    local_enable_gpu: bool = option("--local-enable-gpu", help="Not there.", default=False)
    registry_name: str = option("--registry-name", help="Not there: this server has no registries.")
    os_type: str = option("--os-type", help="Operating system: Linux.")
    datastore: str = option("--datastore", help="Datastore to upload to.")
    image: str = option("--image", "-i", help="Container image of the environment.")
    conda_file: str = option("--conda-file", "-c", help="Conda file of the environment.")
    size: str = option("--size", help="Size of a node, such as Standard_DS3_v2.")
    min_instances: int | None = option(
        "--min-instances", help="Fewest nodes.", default=None, type=int
    )
    max_instances: int | None = option(
        "--max-instances", help="Most nodes.", default=None, type=int
    )
    idle_time: int | None = option(
        "--idle-time-before-scale-down",
        help="Seconds after which an idle node is given back.",
        default=None,
        type=int,
    )
    idle_shutdown: int | None = option(
        "--idle-time-before-shutdown-minutes",
        help="Minutes after which an idle instance stops; kept, not acted upon.",
        default=None,
        type=int,
    )
    tier: str = option("--tier", help="dedicated or low_priority.")
    resource_id: str = option("--resource-id", help="ARM id of what is attached.")
    namespace: str = option("--namespace", help="Kubernetes namespace of what is attached.")
    vnet_name: str = option("--vnet-name", help="Not there: nodes are processes here.")
    subnet: str = option("--subnet", help="Not there: nodes are processes here.")
    node_id: str = option("--node-id", help="Id of the node.")
    input_uri: str = option(
        "--input", help="What to score: a local path, a URI, or azureml:<data>:<version>."
    )
    input_type: str = option("--input-type", help="uri_folder or uri_file.")
    inputs: tuple[str, ...] = several("--inputs", help="What to score, by name: name=<uri>.")
    outputs: tuple[str, ...] = several("--outputs", help="Where to, by name: name=<uri>.")
    rerun_failed: str = option(
        "--rerun-failed", help="Name of a job of the endpoint: score only the files that failed."
    )
    input_path: str = option(
        "--input-path", help="What to score: folder:<uri> or file:<uri>, or a path in a datastore."
    )
    input_local_path: str = option("--input-local-path", help="Local file or folder to score.")
    input_dataset: str = option(
        "--input-dataset", "--input-data", help="Registered data: azureml:<name>:<version>."
    )
    input_datastore: str = option(
        "--input-datastore", help="Datastore that --input-path is a path in."
    )
    output_path: str = option("--output-path", help="Folder for the results: folder:<uri>.")
    output_datastore: str = option(
        "--output-datastore", help="Datastore that --output-path is a path in."
    )
    mini_batch_size: int | None = option(
        "--mini-batch-size", "-m", help="Files per call of run().", default=None, type=int
    )
    instance_count: int | None = option(
        "--instance-count", "-c", help="Nodes to use.", default=None, type=int
    )
    job_name: str = option("--job-name", help="Name of the job.")
    experiment_name: str = option("--experiment-name", help="Experiment of the job.")
    stream: bool = option("--stream", "-s", help="Follow the job until it ends.", default=False)
    web: bool = option(
        "--web", help="Print the address of the page, too, and open it.", default=False
    )
    output_name: str = option("--output-name", help="The one output to download.")
    download_path: str = option(
        "--download-path", "-p", help="Folder to download to (default: this one)."
    )
    all_outputs: bool = option("--all", "-a", help="Download logs as well.", default=False)
    all_results: bool = switch("--all-results", help="All, as without it.")
    yes: bool = option("--yes", "-y", help="Do not ask, if a question is due.", default=False)
    skip_validation: bool = option(
        "--skip-validation", help="Taken as az takes it: what is sent is checked.", default=False
    )
    skip_script_validation: bool = option(
        "--skip-script-validation",
        help="Taken as az takes it: what a script defines is seen when it is loaded.",
        default=False,
    )
    save_as: str = option("--save-as", "-a", help="File to write the submitted job to.")
    node_index: int | None = option(
        "--node-index", help="Which node; jobs have one here.", default=None, type=int
    )
    disabled_only: bool = option("--disabled-only", help="Disabled ones only.", default=False)
    include_disabled: bool = option(
        "--include-disabled", help="Disabled ones as well.", default=False
    )
    older_than: float | None = option(
        "--older-than", help="Only what was last used so many days ago.", default=None, type=float
    )
    max_size: float | None = option(
        "--max-size",
        help="Only as much as is over so many GiB of all, the least recently used first.",
        default=None,
        type=float,
    )
    dry_run: bool = option(
        "--dry-run", help="Say what would go, and change nothing.", default=False
    )
    archived_only: bool = option("--archived-only", help="Archived ones only.", default=False)
    include_archived: bool = option(
        "--include-archived", help="Archived ones as well.", default=False
    )
    build_context: str = option(
        "--build-context", "-b", help="Local folder with the Dockerfile of the environment."
    )
    dockerfile_path: str = option(
        "--dockerfile-path", help="Path of the Dockerfile in the build context."
    )
    max_results: int | None = option(
        "--max-results", "-r", help="At most that many.", default=None, type=int
    )
    role: str = option("--role", help="Name or id of the role.")
    scope: str = option("--scope", help="ARM id of where the role counts; / is everything.")
    scopes: tuple[str, ...] = several("--scopes", help="ARM ids of where the role counts.")
    assignee: str = option("--assignee", help="App id or object id of a service principal.")
    assignee_object_id: str = option(
        "--assignee-object-id", help="Object id of a service principal, which is not looked up."
    )
    assignee_principal_type: str = option(
        "--assignee-principal-type", help="ServicePrincipal: there are no others here."
    )
    include_inherited: bool = option(
        "--include-inherited", help="Roles from above the scope as well.", default=False
    )
    everything: bool = option("--all", help="Everything below the scope, too.", default=False)
    ids: tuple[str, ...] = several("--ids", help="ARM ids of the role assignments.")
    custom_role_only: bool = option("--custom-role-only", help="Custom roles only.", default=False)
    id: str = option("--id", help="App id, or object id, of the service principal.")
    display_name: str = option("--display-name", help="Name to show, or that names begin with.")
    filter: str = option("--filter", help="OData filter, such as \"displayName eq 'ci'\".")
    key_id: str = option("--key-id", help="Id of the secret.")
    years: int | None = option(
        "--years", help="Years until the secret ends (default: 1).", default=None, type=int
    )
    end_date: str = option("--end-date", help="When the secret ends: 2030-01-31T12:00:00Z.")
    append: bool = option("--append", help="Keep the other secrets.", default=False)
    subscription: str = option(
        "--subscription", "-s", "--name", "-n", help="Id or name of the subscription."
    )
    resource: str = option(
        "--resource", help="What the token is for, such as https://ml.azure.com."
    )
    resource_type: str = option("--resource-type", help="arm, aml or ms-graph.")
    list_defaults: bool = option("--list-defaults", "-l", help="Show what is kept.", default=False)
    default_values: tuple[str, ...] = several(
        "--defaults", "-d", help="Names to keep: group=G workspace=W location=L."
    )
    all_resources: bool = option(
        "--all-resources", help="What it depends on, too; here these are records.", default=False
    )
    location: str = option("--location", "-l", help="Region, such as local.")
    method: str = option("--method", "-m", help="get, put, post, patch, delete, head or options.")
    url: str = option("--url", "--uri", "-u", help="URL, or a path such as /subscriptions.")
    body: str = option("--body", "-b", help="The request's body; @FILE for that of a file.")
    headers: tuple[str, ...] = several("--headers", help="Headers: name=value, or one as JSON.")
    uri_parameters: tuple[str, ...] = several("--uri-parameters", help="Query: name=value.")
    output_file: str = option("--output-file", help="File for the answer's body.")
    skip_authorization: bool = option(
        "--skip-authorization-header", help="Send no token.", default=False
    )
    service_principal: bool = option(
        "--service-principal", help="Sign in as a service principal.", default=False
    )
    username: str = option("--username", "-u", help="App id of the service principal.")
    password: str = option("--password", "-p", help="Secret of the service principal.")
    tenant: str = option("--tenant", "-t", help="Tenant of the service principal.")
    identity: bool = option("--identity", "-i", help="Not there.", default=False)
    device_code: bool = option(
        "--use-device-code",
        help="Sign in with a code that an administrator approves elsewhere.",
        default=False,
    )
    approve: str = option("--approve", help="Let the device with this code sign in as --username.")
    cloud_endpoint: str = option(
        "--endpoint-resource-manager", help="Taken as az takes it; has no effect."
    )
    folder: str = option("--folder", help="Folder to write to.")
    target: str = place("DIR", help="Folder to write the command into.")
    noun: str = place("NOUN", help="What the file is of, such as online-deployment.")
    shell: str = place("SHELL", help="bash, zsh or fish; default: that of $SHELL.")
    workspace: str = option("--workspace-name", "--workspace", "-w", help="Name of the workspace.")


CONNECTION = ("subscription_id", "resource_group", "workspace", "data_dir")
"""The options that every `ml` command has."""
IN_SUBSCRIPTION = ("subscription_id", "data_dir")
"""The options of commands that are about a subscription."""
SERVER_ONLY = ("data_dir",)
"""The options of commands that are about no workspace."""


def arguments_of(
    options: str, connection: Sequence[str] = CONNECTION, declared: type[Any] = Arguments
) -> list[tuple[str, CLICommandArgument]]:
    """What knack needs for names separated by spaces; a name that ends in ! is required.

    A name may have one more flag of this command only: "input_path:-p".

    connection: options that say which server, besides the command's own; declared: the dataclass
    whose fields they are.
    """
    return [_named(declared, word) for word in [*options.split(), *connection]]


def _named(declared: type[Any], word: str) -> tuple[str, CLICommandArgument]:
    given, _, flag = word.partition(":")
    name = given.rstrip("!")
    return name, _argument(declared, name, given.endswith("!"), flag)


def _place(name: str, required: bool, settings: dict[str, Any]) -> CLICommandArgument:
    count = {} if required else {"nargs": "?", "default": ""}
    made = CLICommandArgument(name, **count, **settings)
    made.type.settings["options_list"] = []  # how knack says it
    return made


def _argument(declared: type[Any], name: str, required: bool, more: str = "") -> CLICommandArgument:
    field = declared.__dataclass_fields__[name]
    own = {"flags", "is_place"}
    settings = {key: value for key, value in field.metadata.items() if key not in own}
    if field.metadata.get("is_place"):
        return _place(name, required, settings)
    if "type" not in settings and isinstance(field.default, int):
        settings.setdefault("action", None)
        if not isinstance(field.default, bool):
            settings["type"] = int
    default = list(field.default) if isinstance(field.default, tuple) else field.default
    return CLICommandArgument(
        name,
        options_list=[*field.metadata["flags"], *([more] if more else [])],
        required=required,
        default=default,
        **settings,
    )
