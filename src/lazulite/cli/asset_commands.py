"""The commands of `ml` about what is registered: models, environments, data, components."""

from __future__ import annotations

from collections.abc import Iterator

from lazulite.cli.commands import GENERIC, Command

ASSET = "name file version description tags set_values registry_name"
_WHICH = "name! version label registry_name"
_LIST = "name archived_only include_archived max_results registry_name"
_UPDATE = f"file name version label description tags {GENERIC} registry_name"


def _rest(noun: str, module: str, what: str) -> Iterator[Command]:
    """What can be done alike with all that has versions. what: a version in words."""
    yield Command(f"{noun} show", f"{module}#show", f"Show {what}.", _WHICH)
    summary = f"List the {noun}s, or the versions of one."
    if noun == "data":
        summary = "List data, or the versions of one."
    yield Command(f"{noun} list", f"{module}#listing", summary, _LIST)
    summary = f"Change tags, description or properties of {what}."
    options = f"{_UPDATE} stage" if noun == "model" else _UPDATE
    yield Command(f"{noun} update", f"{module}#update", summary, options)
    summary = f"Leave {what}, or all of a name, out of lists."
    yield Command(f"{noun} archive", f"{module}#archive", summary, _WHICH)
    yield Command(f"{noun} restore", f"{module}#restore", "Undo archive.", _WHICH)
    yield Command(
        f"{noun} delete",
        f"{module}#delete",
        f"Delete {what} (words of 2021).",
        "name! version!",
        "Jobs and deployments that use it will fail. Delete it?",
    )


ASSETS = (
    Command(
        "model create",
        "models#create",
        "Register a model.",
        f"{ASSET} path kind datastore stage no_wait",
    ),
    *_rest("model", "models", "a version of a model"),
    Command(
        "model download",
        "models#download",
        "Download the files of a model.",
        "name! version! download_path registry_name",
    ),
    Command(
        "environment create",
        "environments#create",
        "Register an environment.",
        f"{ASSET} image conda_file build_context dockerfile_path os_type datastore no_wait",
    ),
    *_rest("environment", "environments", "a version of an environment"),
    Command(
        "data create",
        "data#create",
        "Register data.",
        f"{ASSET} path kind datastore skip_validation no_wait",
    ),
    *_rest("data", "data", "a version of data"),
    Command(
        "dataset create",
        "datasets#create",
        "Register data as paths (words of 2021-10).",
        f"{ASSET} path datastore",
    ),
    *_rest("dataset", "datasets", "a version of a dataset"),
    Command(
        "component create",
        "components#create",
        "Register a component: a step that pipelines refer to.",
        ASSET,
    ),
    *_rest("component", "components", "a version of a component"),
    Command("code show", "codes#show", "Show a version of code.", "name! version!"),
    Command(
        "datastore create",
        "datastores#create",
        "Create a datastore.",
        "name file description tags set_values",
    ),
    Command("datastore show", "datastores#show", "Show a datastore.", "name!"),
    Command("datastore list", "datastores#listing", "List the datastores.", "max_results"),
    Command(
        "datastore update",
        "datastores#update",
        "Change a datastore.",
        f"name! file description tags {GENERIC}",
    ),
    Command(
        "datastore delete", "datastores#delete", "Forget a datastore; its files stay.", "name!"
    ),
)
"""Beside those of ENDPOINTS."""
ASSET_COLUMNS = {
    "ml model": ("name", "version", "latest_version", "type", "path"),
    "ml environment": ("name", "version", "latest_version", "image"),
    "ml data": ("name", "version", "latest_version", "type", "path"),
    "ml dataset": ("name", "version", "latest_version"),
    "ml component": ("name", "version", "latest_version", "type", "display_name"),
    "ml code": ("name", "version", "path"),
    "ml datastore": ("name", "type", "container_name", "is_default"),
}
ASSET_GROUPS = {
    "ml model": "Registered models.",
    "ml environment": "The packages that code runs with.",
    "ml data": "Registered data.",
    "ml dataset": "Registered data, in the words of 2021-10.",
    "ml component": "Registered steps of pipelines.",
    "ml code": "Code that deployments and jobs have uploaded.",
    "ml datastore": "Where files are kept.",
}
