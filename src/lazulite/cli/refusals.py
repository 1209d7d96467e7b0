"""Words and options of `az ml` that nothing here stands behind: refused by name, with a way out."""

from __future__ import annotations

from collections.abc import Sequence

from lazulite.cli.arguments import Arguments
from lazulite.cli.errors import CommandError

_NO_REGISTRY = "there are no registries here; register the asset in the workspace"
_NO_FEATURES = "there is no feature store here; keep features as data: `lazulite ml data create`"
_NO_NETWORK = "this server manages no networks; restrict access to its ports instead"
_SERVERLESS = "deploy the model to an online endpoint: `lazulite ml online-deployment create`"
WORDS = {
    "ml registry": _NO_REGISTRY,
    "ml feature-store": _NO_FEATURES,
    "ml feature-store-entity": _NO_FEATURES,
    "ml feature-set": _NO_FEATURES,
    "ml serverless-endpoint": _SERVERLESS,
    "ml marketplace-subscription": _SERVERLESS,
    "ml capability-host": "nothing stands in for it",
    "ml index": "nothing stands in for it",
    "ml workspace outbound-rule": _NO_NETWORK,
    "ml workspace provision-network": _NO_NETWORK,
    "ml compute connect-ssh": "nodes are processes on the server's machine; use a shell there",
    "ml compute enable-sso": "instances are processes on the server's machine; use a shell there",
    "ml job connect-ssh": (
        "jobs are processes on the server's machine; see their files with `lazulite ml job"
        " download --all`, and their log with `lazulite ml job stream`"
    ),
    "ml data import": "fetch the data yourself, and register it with `lazulite ml data create`",
    "ml data mount": "fetch the data with `lazulite storage blob download-batch`",
    "ml data list-materialization-status": "data are not imported here, so nothing is made of them",
    "ml datastore mount": "fetch the files with `lazulite storage blob download-batch`",
    "ml model package": "name a model and an environment in the deployment; both have versions",
    **{f"ml {noun} share": _NO_REGISTRY for noun in ("model", "environment", "data", "component")},
}
"""The first words of commands, and what to do instead."""
_OPTIONS = {
    "registry_name": ("--registry-name", _NO_REGISTRY),
    "vnet_name": ("--vnet-name", _NO_NETWORK),
    "subnet": ("--subnet", _NO_NETWORK),
    "package_model": ("--package-model", WORDS["ml model package"]),
    "local_enable_gpu": ("--local-enable-gpu", "local deployments are processes without a GPU"),
}


def refuse_words(given: Sequence[str]) -> None:
    """Raise CommandError for a command line that begins with words of the table."""
    words = [word for word in given if not word.startswith("-")]
    for count in (3, 2):
        if instead := WORDS.get(" ".join(words[:count])):
            raise _refused(" ".join(words[:count]), instead)


def refuse_options(arguments: Arguments) -> None:
    """Raise CommandError for an option of the table."""
    for name, (flag, instead) in _OPTIONS.items():
        if getattr(arguments, name):
            raise _refused(flag, instead)


def _refused(what: str, instead: str) -> CommandError:
    return CommandError("NotSupported", f"`{what}` is not supported by this server: {instead}.")
