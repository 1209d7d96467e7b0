"""What is wrong with the properties of a request, in Azure's error shape."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from lazulite.core.errors import ArmError


def faulty(error: ValidationError) -> ArmError:
    """Every fault that the model found, each with its property and value; the first one leads."""
    details = tuple(_detail(fault) for fault in error.errors(include_url=False))
    message = f"The properties are not valid: {details[0].target}: {details[0]}"
    return ArmError("ValidationError", message, target="properties", details=details)


def _detail(fault: Any) -> ArmError:
    where = ".".join(str(part) for part in fault["loc"])
    value = f" (it is {fault['input']!r})" if not isinstance(fault["input"], dict) else ""
    what = fault["msg"].removeprefix("Value error, ")  # the model's own checks say it all
    return ArmError("InvalidProperty", f"{what}{value}", target=where or "properties")
