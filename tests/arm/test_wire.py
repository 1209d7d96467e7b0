"""The table of what api-versions differ in."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import Field

from lazulite.arm.kind import Properties
from lazulite.arm.wire import Renamed, Reshaped, Respelled, Unknown, Wire
from lazulite.core.errors import ArmError


class Compute(Properties):
    target: str | None = None
    instance_count: int | None = None


class Old(Properties):
    compute: Compute = Field(default_factory=Compute)


def _internal(old: Old) -> dict[str, Any]:
    return {"compute": old.compute.target, "instanceCount": old.compute.instance_count}


def _theirs(properties: dict[str, Any]) -> dict[str, Any]:
    rest = {k: v for k, v in properties.items() if k not in {"compute", "instanceCount"}}
    both = {"target": properties["compute"], "instanceCount": properties["instanceCount"]}
    return {**rest, "compute": both}


WIRE = Wire(
    (
        Unknown(("stage",), until="2022-04-30"),
        Renamed("modelType", "modelFormat", until="2021-10-01"),
        Respelled("modelType", {"mlflow_model": "MLFlow"}, until="2021-10-01"),
        Reshaped(Old, _internal, _theirs, until="2021-03-01"),
    )
)
INTERNAL = {"stage": "dev", "modelType": "mlflow_model", "compute": "cpu", "instanceCount": 2}
SHOWN = {
    "2021-03-01-preview": {
        "modelFormat": "MLFlow",
        "compute": {"target": "cpu", "instanceCount": 2},
    },
    "2021-10-01": {"modelFormat": "MLFlow", "compute": "cpu", "instanceCount": 2},
    "2023-10-01": INTERNAL,
}


@pytest.mark.parametrize("version", SHOWN)
def test_every_version_is_shown_its_own_form_and_reads_it_back(version: str) -> None:
    shown = WIRE.write(INTERNAL, version)
    assert shown == SHOWN[version]
    read = WIRE.read(shown, version)
    assert {**read, **WIRE.kept(INTERNAL, read, version)} == INTERNAL


def test_names_and_values_are_read_in_any_case() -> None:
    given = {"MODELFORMAT": "mlflow", "Compute": {"Target": "cpu", "INSTANCECOUNT": 2}}
    read = WIRE.read(given, "2021-03-01-preview")
    assert read == {"modelType": "mlflow_model", "compute": "cpu", "instanceCount": 2}


def test_what_a_version_does_not_know_is_not_read() -> None:
    assert WIRE.read({"Stage": "prod", "compute": "cpu"}, "2021-10-01") == {"compute": "cpu"}


def test_a_form_of_the_wrong_type_is_refused_by_name() -> None:
    with pytest.raises(ArmError) as refused:
        WIRE.read({"compute": {"target": "cpu", "instanceCount": "many"}}, "2021-03-01-preview")
    assert refused.value.details[0].target == "compute.instanceCount"


def test_what_a_form_leaves_out_stays_out() -> None:
    """A PATCH says only what it changes."""
    read = WIRE.read({"compute": {"instanceCount": 3}, "tags": {}}, "2021-03-01-preview")
    assert read == {"tags": {}, "instanceCount": 3}
