"""The inputs and outputs of a command job, from what its row says to values on this machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from lazulite.core.errors import SpecError
from lazulite.core.ids import workspace_of
from lazulite.deployments.job_outputs import outputs_of
from lazulite.deployments.places import DataPlaces
from lazulite.store.resources import Json, Resource

FILE, LITERAL = "uri_file", "literal"


@dataclasses.dataclass(frozen=True)
class Bindings:
    """Values by name: paths, or literals as they are. None: an input that was left out."""

    inputs: Mapping[str, str | None]
    outputs: Mapping[str, str]
    places: tuple[str, ...]
    """The files and folders that are inputs."""
    folders: tuple[str, ...]
    """What must be made before the command starts."""

    def variables(self) -> dict[str, str]:
        """The variables that scripts read. Source: spec/REST.md 5."""
        given = {name: value for name, value in self.inputs.items() if value is not None}
        return {
            **{f"AZURE_ML_INPUT_{name}": value for name, value in given.items()},
            **{f"AZUREML_DATAREFERENCE_{name}": value for name, value in given.items()},
            **{f"AZURE_ML_OUTPUT_{name}": value for name, value in self.outputs.items()},
        }


async def bind(job: Resource, data: DataPlaces) -> Bindings:
    """Find the job's data.

    Raises SpecError naming the input or output that leads nowhere, and StillFetching.
    """
    workspace, outputs = workspace_of(job.id), outputs_of(job)
    inputs = {
        name: await _input(workspace, name, item, data)
        for name, item in (job.properties["inputs"] or {}).items()
    }
    kinds = {name: output["jobOutputType"] for name, output in outputs.items()}
    places = {
        name: await data.output(workspace, output["uri"], job.uid, kinds[name])
        for name, output in outputs.items()
    }
    folders = [place.parent if kinds[name] == FILE else place for name, place in places.items()]
    return Bindings(
        inputs=inputs,
        outputs={name: str(place) for name, place in places.items()},
        places=tuple(_places(job.properties["inputs"] or {}, inputs)),
        folders=tuple(map(str, folders)),
    )


def _places(items: Mapping[str, Json | None], inputs: Mapping[str, str | None]) -> Iterator[str]:
    for name, item in items.items():
        path = inputs[name]
        if item is not None and path is not None and item["jobInputType"] != LITERAL:
            yield path


async def _input(workspace: str, name: str, item: Json | None, data: DataPlaces) -> str | None:
    if item is None:
        return None
    if item["jobInputType"] == LITERAL:
        return str(item["value"])
    place = await data.locate(workspace, item["uri"])
    if not place.exists():
        raise SpecError(
            "InputNotFound",
            f"The input {name!r} is not there: {item['uri']!r} names no file or folder. Upload it "
            "before you submit the job.",
            target=f"inputs.{name}",
        )
    return str(place)
