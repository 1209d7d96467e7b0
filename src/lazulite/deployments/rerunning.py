"""Which earlier job a rerun of failed files is about."""

from __future__ import annotations

from lazulite.core.errors import ArmError
from lazulite.deployments.batch_extensions import RERUN_FAILED
from lazulite.deployments.invocations import Invocation, input_of
from lazulite.store.resources import Json, Resource


def inputs_of(invocation: Invocation, earlier: Resource | None) -> Json:
    """The inputs and `rerunOf` of a job. earlier: the job that the invocation names, if it does.

    Raises ArmError 400 for an invocation with inputs of its own, 409 for a job that has nothing to
    run again.
    """
    if earlier is None:
        name, data = input_of(invocation)
        return {"inputs": {name: data}, "rerunOf": None}
    if invocation.dataset is not None or invocation.input_data:
        raise ArmError(
            "BadArgument",
            f"{RERUN_FAILED} takes the inputs of the job that it names: give no others.",
            target="inputData",
        )
    status = earlier.observed.get("status")
    if status != "Completed":
        raise _conflict(
            f"The job {earlier.name!r} is {status or 'NotStarted'}: only what failed in a job that "
            "is Completed can be run alone, as another one has published nothing. Invoke the "
            "endpoint with all files."
        )
    if not (earlier.observed.get("progress") or {}).get("failed_items"):
        raise _conflict(f"No file failed in the job {earlier.name!r}: there is nothing to run.")
    return {"inputs": earlier.properties["inputs"], "rerunOf": earlier.uid}


def _conflict(message: str) -> ArmError:
    return ArmError("Conflict", message, 409, target=f"properties.{RERUN_FAILED}")
