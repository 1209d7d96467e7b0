"""The body of a request beyond PUT and PATCH, read as leniently as theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from lazulite.arm.faults import faulty
from lazulite.arm.names import canonical

Form = TypeVar("Form", bound=BaseModel)


def read_form(form: type[Form], given: Mapping[str, Any]) -> Form:
    """The value as a model, names and enum values in any case. Raises ArmError 400."""
    try:
        return form.model_validate(canonical(form, given))
    except ValidationError as error:
        raise faulty(error) from error
