"""Templates of Azure Resource Manager: from a template and its parameters to what is to be PUT.

Source: learn.microsoft.com, "Understand the structure and syntax of ARM templates".
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from lazulite.arm.template_expressions import Values, evaluate, path_of
from lazulite.arm.template_limits import MOST_RESOURCES, wrong
from lazulite.store.resources import Json

_OURS = {"condition", "type", "apiversion", "name", "dependson", "comments", "resources", "copy"}
_NESTED = "microsoft.resources/deployments"
_LONGEST = 1024
"""Characters of a type, a name or an api-version."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """A resource that a template wants to be there."""

    path: str
    """Below "providers/"."""
    version: str
    body: Json
    after: tuple[str, ...]
    """Ids or names of what comes first."""


def resources_of(template: Json, given: Json, subscription: Json, group: Json) -> list[Wanted]:
    """What a template wants, in the order of its dependencies. Raises ArmError 400.

    given: {"name": {"value": ...}}. subscription, group: what their functions answer.
    """
    declared = _folded(_object(template.get("parameters"), "'parameters'"))
    empty = Values({}, {}, subscription, group)
    parameters = _parameters(declared, given, empty)
    variables = _folded(_object(template.get("variables"), "'variables'"))
    values = dataclasses.replace(empty, parameters=parameters, variables=variables)
    resources = template.get("resources")
    if not isinstance(resources, list):
        raise wrong("it has no list 'resources'")
    wanted = [one for each in resources for one in _wanted(each, values, "", [])]
    if len(wanted) > MOST_RESOURCES:
        raise wrong(
            f"it has {len(wanted)} resources, at most are {MOST_RESOURCES}: deploy in parts"
        )
    return _ordered(wanted)


def _parameters(declared: Mapping[str, Any], given: Json, empty: Values) -> dict[str, Any]:
    told = _folded(_object(given, "'parameters' beside the template"))
    if unknown := sorted(told.keys() - declared.keys()):
        raise wrong(f"it declares no parameter {unknown[0]!r}")
    found: dict[str, Any] = {}
    for name, declared_as in declared.items():
        declaration = _object(declared_as, f"the parameter {name!r} in 'parameters'")
        value = _object(told.get(name), f"the value of the parameter {name!r}").get("value")
        if value is not None:
            found[name] = value
        elif "defaultValue" in declaration:
            so_far = dataclasses.replace(empty, parameters=found)
            found[name] = evaluate(declaration["defaultValue"], so_far)
        else:
            raise wrong(f"there is no value for the parameter {name!r}")
        allowed = _list(declaration.get("allowedValues"), f"'allowedValues' of {name!r}")
        if declaration.get("allowedValues") is not None and found[name] not in allowed:
            raise wrong(f"the parameter {name!r} is {found[name]!r}: it must be one of {allowed}")
    return found


def _wanted(given: Any, values: Values, above: str, names: list[str]) -> list[Wanted]:
    """The resource and those inside it; nothing if its condition does not hold."""
    resource = _object(given, "a resource")
    if not evaluate(resource.get("condition", True), values):
        return []
    if "copy" in resource or str(resource.get("type", "")).lower() == _NESTED:
        raise wrong(f"{resource.get('name')!r} is a loop or another deployment, unknown here")
    name = _text(evaluate(resource.get("name"), values), "'name' of a resource")
    of = f"of the resource {name!r}"
    full_type = "/".join(filter(None, (above, _text(resource.get("type"), f"'type' {of}"))))
    names = [*names, *name.split("/")]
    own = {key: item for key, item in resource.items() if key.lower() not in _OURS}
    version = evaluate(resource.get("apiVersion", ""), values)
    after = _list(evaluate(resource.get("dependsOn"), values), f"'dependsOn' {of}")
    mine = Wanted(
        path_of(full_type, names),
        version if version == "" else _text(version, f"'apiVersion' {of}"),
        evaluate(own, values),
        tuple(_text(each, f"each of 'dependsOn' {of}") for each in after),
    )
    inside = _list(resource.get("resources"), f"'resources' {of}")
    return [mine, *(one for each in inside for one in _wanted(each, values, full_type, names))]


def _ordered(wanted: list[Wanted]) -> list[Wanted]:
    """Each behind what it depends on, as far as the template has that."""
    paths = [one.path.casefold() for one in wanted]
    needed = {at: _needed(one, paths) for at, one in enumerate(wanted)}
    try:
        return [wanted[at] for at in TopologicalSorter(needed).static_order()]
    except CycleError as error:
        raise wrong(f"{wanted[error.args[1][0]].path!r} depends on itself") from error


def _needed(one: Wanted, paths: list[str]) -> list[int]:
    """Where in the paths are those that a resource depends on."""
    own = one.path.casefold()
    after = {each.casefold().rpartition("/providers/")[2] for each in one.after}
    return [
        at
        for at, path in enumerate(paths)
        if path in after or path.rpartition("/")[2] in after or own.startswith(f"{path}/")
    ]


def _folded(given: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name).lower(): item for name, item in given.items()}


def _object(value: Any, what: str) -> Json:
    """An object; null is an empty one."""
    if not isinstance(value, dict | None):
        raise wrong(f"{what} must be an object, not {_shown(value)}")
    return value or {}


def _list(value: Any, what: str) -> list[Any]:
    """A list; null is an empty one."""
    if not isinstance(value, list | None):
        raise wrong(f"{what} must be a list, not {_shown(value)}")
    return value or []


def _text(value: Any, what: str) -> str:
    """What can be part of an address."""
    if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= _LONGEST:
        rule = f"a text of 1 to {_LONGEST} characters that can be printed"
        raise wrong(f"{what} must be {rule}, not {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    return "null" if value is None else ascii(value)[:200]
