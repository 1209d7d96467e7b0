"""Curated environments: the names that Azure brings along, and what stands for them here.

Azure's are images whose contents change from version to version. Here each name is one set of
PyPI packages: the framework that the name says, at that version, and what scripts for it import.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from types import MappingProxyType

from lazulite.core.errors import SpecError

PREFIX = "AzureML-"
"""Names that start so, in any case, are Azure's own: nobody else registers them."""

_SDK = ("azureml-defaults",)
_SCORING = ("inference-schema[numpy-support,pandas-support]",)
_TABLES = ("joblib", "matplotlib", "pandas")
_OLD_PROTOBUF = "protobuf<3.21"  # what TensorFlow of 2021 was generated with
_REGISTRY = re.compile(
    r"(?:azureml:)?(?:azureml:)?//registries/(?P<registry>[^/]+)/environments/(?P<name>[^/]+)"
    r"(?:/(?:versions|labels)/[^/]+)?/?",
    re.IGNORECASE,
)
_NAMED = re.compile(
    rf"(?:azureml:\s*)?(?:.*/workspaces/[^/]+/environments/)?(?P<name>{PREFIX}[^:@/]+)"
    r"(?:(?:[:@]|/versions/(?:labels/)?)[^:@/]+)?/?",
    re.IGNORECASE,
)
_IMAGE = re.compile(
    r"mcr\.microsoft\.com/azureml/(?:curated/)?(?P<name>[^:@/]+)(?:[:@].*)?", re.IGNORECASE
)


@dataclasses.dataclass(frozen=True)
class Curated:
    """One curated environment."""

    name: str
    """Azure's name for it in a workspace; the registry `azureml` and images leave PREFIX out."""
    python: str
    packages: tuple[str, ...]
    """Lines of pip's requirements language."""

    @property
    def short_name(self) -> str:
        """The name without PREFIX."""
        return self.name.removeprefix(PREFIX)

    @property
    def conda_file(self) -> str:
        """The same as a conda file."""
        lines = [f"name: {self.short_name}", "dependencies:", f"- python={self.python}"]
        lines += ["- pip", *(["- pip:"] if self.packages else [])]
        return "\n".join([*lines, *(f'  - "{line}"' for line in self.packages)]) + "\n"


_ALL = (
    Curated("AzureML-Minimal", "3.8", _SDK),
    Curated("AzureML-Tutorial", "3.7", (*_SDK, "scikit-learn==0.22.*", *_TABLES)),
    Curated("AzureML-minimal-ubuntu18.04-py37-cpu-inference", "3.7", _SCORING),
    Curated("AzureML-minimal-ubuntu20.04-py38-cpu-inference", "3.8", _SCORING),
    Curated("AzureML-minimal-py312-inference", "3.12", ("azureml-inference-server-http",)),
    Curated(
        "AzureML-sklearn-0.24-ubuntu18.04-py37-cpu",
        "3.7",
        (*_SDK, *_SCORING, "scikit-learn==0.24.*", *_TABLES),
    ),
    Curated(
        "AzureML-sklearn-0.24.1-ubuntu18.04-py37-cpu-inference",
        "3.7",
        (*_SCORING, "scikit-learn==0.24.1", *_TABLES),
    ),
    Curated(
        "AzureML-sklearn-1.0-ubuntu20.04-py38-cpu",
        "3.8",
        (*_SDK, *_SCORING, "scikit-learn==1.0.*", *_TABLES),
    ),
    Curated("AzureML-sklearn-1.1", "3.9", (*_SDK, "scikit-learn==1.1.*", *_TABLES)),
    Curated("AzureML-sklearn-1.5", "3.10", (*_SDK, "scikit-learn==1.5.*", *_TABLES)),
    Curated(
        "AzureML-lightgbm-3.2-ubuntu18.04-py37-cpu",
        "3.7",
        (*_SDK, "lightgbm==3.2.*", "scikit-learn==0.24.*", *_TABLES),
    ),
    Curated(
        "AzureML-xgboost-0.9-ubuntu18.04-py37-cpu-inference",
        "3.7",
        (*_SCORING, "xgboost==0.90", "scikit-learn==0.24.*", *_TABLES),
    ),
    Curated(
        "AzureML-onnxruntime-1.6-ubuntu18.04-py37-cpu-inference",
        "3.7",
        (*_SCORING, "onnxruntime==1.6.*", _OLD_PROTOBUF),
    ),
    Curated(
        "AzureML-tensorflow-1.15-ubuntu18.04-py37-cpu-inference",
        "3.7",
        (*_SCORING, "tensorflow==1.15.*", _OLD_PROTOBUF),
    ),
    Curated(
        "AzureML-tensorflow-2.4-ubuntu18.04-py37-cpu-inference",
        "3.7",
        (*_SCORING, "tensorflow==2.4.*", _OLD_PROTOBUF),
    ),
    Curated(
        "AzureML-pytorch-1.7-ubuntu18.04-py37-cpu-inference",
        "3.7",
        (*_SCORING, "torch==1.7.*", "torchvision"),
    ),
    Curated(
        "AzureML-pytorch-1.10-ubuntu18.04-py38-cuda11-gpu",
        "3.8",
        (*_SDK, "torch==1.10.*", "torchvision", *_TABLES),
    ),
)
CURATED = MappingProxyType({each.name: each for each in _ALL})
"""By name, in Azure's spelling."""
_FOLDED = {each.name.casefold(): each for each in _ALL} | {
    each.short_name.casefold(): each for each in _ALL
}


def is_reserved(name: str) -> bool:
    """Whether a name is one that only Azure gives."""
    return name.casefold().startswith(PREFIX.casefold())


def curated_name(reference: str) -> str | None:
    """The curated name that a reference to an environment says; None for any other reference.

    Every version and label of a name is the same set. Raises SpecError for a registry that is
    not `azureml`: there is no other one here.
    """
    text = reference.strip()
    if found := _REGISTRY.fullmatch(text):
        if found["registry"].casefold() != "azureml":
            raise SpecError(
                "RegistryNotSupported",
                f"{reference!r} is in the registry {found['registry']!r}: this server has none but "
                "the curated environments of `azureml`. Register the environment in the workspace.",
                target="environmentId",
            )
        return found["name"]
    found = _NAMED.fullmatch(text)
    return found["name"] if found else None


def find_curated(name: str) -> Curated:
    """The environment of a name, with or without PREFIX, in any case.

    Raises SpecError with the closest name and all others if there is none.
    """
    if (found := _FOLDED.get(name.casefold())) is not None:
        return found
    close = difflib.get_close_matches(name.casefold(), _FOLDED, n=1, cutoff=0.5)
    nearest = f" The closest is {_FOLDED[close[0]].name}." if close else ""
    raise SpecError(
        "CuratedEnvironmentNotFound",
        f"There is no curated environment {name!r} on this server.{nearest} Here are:"
        f" {', '.join(CURATED)}. Or register an environment of your own with a conda file.",
        target="environmentId",
    )


def of_image(image: str) -> Curated | None:
    """The environment whose image that is; None for any other image."""
    found = _IMAGE.fullmatch(image.strip())
    return _FOLDED.get(found["name"].casefold()) if found else None
