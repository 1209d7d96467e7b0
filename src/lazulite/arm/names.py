"""Names and enum values in any case, brought into the spelling that a pydantic model declares.

Azure compares both without case, and callers rely on it: published scripts send `InstanceType`,
`Docker`, `aadToken`, and `UriFolder` for `uri_folder`. Source: spec/REST.md 2.2.
"""

from __future__ import annotations

import enum
import types
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel, Discriminator, RootModel
from pydantic.fields import FieldInfo
from typing_extensions import TypeAliasType

from lazulite.core.errors import ArmError

_UNIONS = (Union, types.UnionType)
_SEQUENCES = (list, tuple, set, frozenset, Sequence)
_MAPPINGS = (dict, Mapping, MutableMapping)


def canonical(model: type[BaseModel], value: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping with every property name and enum value as the model spells it, at all levels.

    Unknown properties and values of the wrong shape stay as they are: the model's validation
    ignores or refuses them. Enum values are compared without case and underscores. Raises
    ArmError 400 if two spellings of one property are given.
    """
    return _of_model(model, value, "")


def _of_model(model: type[BaseModel], value: Mapping[str, Any], path: str) -> dict[str, Any]:
    fields = dict(_spellings(model))
    result: dict[str, Any] = {}
    for given, inner in value.items():
        name, field = fields.get(given.casefold(), (given, None))
        if name in result:
            message = f"The property '{path}{name}' is given twice, in two spellings; keep one."
            raise ArmError("InvalidRequestContent", message, target=f"{path}{name}")
        if field is None:
            result[name] = inner
        else:
            result[name] = _of_field(field, inner, f"{path}{name}")
    return result


def _of_field(field: FieldInfo, value: Any, path: str) -> Any:
    discriminator = _discriminator([field, *field.metadata])
    return _of_type(field.annotation, value, path, discriminator)


def _of_type(annotation: Any, value: Any, path: str, discriminator: str | None = None) -> Any:
    """The value as the annotation spells it. discriminator: of the union that this is, if any."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, TypeAliasType):
        return _of_type(annotation.__value__, value, path, discriminator)
    if origin is Annotated:
        inner = _discriminator(arguments[1:]) or discriminator
        return _of_type(arguments[0], value, path, inner)
    if origin in _UNIONS:
        return _of_union(annotation, value, path, discriminator)
    if origin is Literal:
        return _spelled(arguments, value)
    if isinstance(annotation, type) and origin is None:
        return _of_class(annotation, value, path)
    return _of_items(origin, arguments, value, path)


def _of_class(annotation: type, value: Any, path: str) -> Any:
    if issubclass(annotation, enum.Enum):
        return _spelled((member.value for member in annotation), value)
    if issubclass(annotation, RootModel):
        return _of_field(annotation.model_fields["root"], value, path)
    if issubclass(annotation, BaseModel) and isinstance(value, Mapping):
        return _of_model(annotation, value, f"{path}.")
    return value


def _of_items(origin: Any, arguments: tuple[Any, ...], value: Any, path: str) -> Any:
    if origin in _SEQUENCES and arguments and isinstance(value, list):
        return [_of_type(arguments[0], item, f"{path}[{at}]") for at, item in enumerate(value)]
    if origin in _MAPPINGS and arguments and isinstance(value, Mapping):
        return {
            _of_type(arguments[0], name, path): _of_type(arguments[1], item, f"{path}.{name}")
            for name, item in value.items()
        }
    return value


def _of_union(annotation: Any, value: Any, path: str, discriminator: str | None) -> Any:
    if discriminator is not None and isinstance(value, Mapping):
        return _of_tagged(list(_models(annotation)), value, path, discriminator)
    members = [member for member in get_args(annotation) if member is not types.NoneType]
    if len(members) == 1:
        return _of_type(members[0], value, path, discriminator)
    models = list(_models(annotation))
    if models and isinstance(value, Mapping):
        return _of_model(max(models, key=lambda model: _known(model, value)), value, f"{path}.")
    spelled = (_of_type(member, value, path) for member in members)
    return next((found for found in spelled if found != value), value)


def _of_tagged(
    models: list[type[BaseModel]], value: Mapping[str, Any], path: str, discriminator: str
) -> dict[str, Any]:
    """The value by the model that its discriminator names, wherever that stands in it."""
    wire = ""
    for model in models:
        field = model.model_fields[discriminator]
        wire = _wire_names(discriminator, field)[0]
        tags = [tag for name, tag in value.items() if name.casefold() == wire.casefold()]
        if tags and _of_field(field, tags[0], path) in _options(field.annotation):
            return _of_model(model, value, f"{path}.")
    return {wire if name.casefold() == wire.casefold() else name: v for name, v in value.items()}


def _spellings(model: type[BaseModel]) -> Iterator[tuple[str, tuple[str, FieldInfo]]]:
    for attribute, field in model.model_fields.items():
        names = _wire_names(attribute, field)
        for name in names:
            yield name.casefold(), (names[0], field)


def _wire_names(attribute: str, field: FieldInfo) -> list[str]:
    """What the field is called in JSON; the first one is what to write."""
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        choices = [choice for choice in alias.choices if isinstance(choice, str)]
        return choices or [attribute]
    return [alias if isinstance(alias, str) else field.alias or attribute]


def _known(model: type[BaseModel], value: Mapping[str, Any]) -> int:
    names = {name for name, _ in _spellings(model)}
    return sum(given.casefold() in names for given in value)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models among a union's members, those of unions inside it too."""
    if isinstance(annotation, TypeAliasType):
        yield from _models(annotation.__value__)
    elif get_origin(annotation) is Annotated:
        yield from _models(get_args(annotation)[0])
    elif get_origin(annotation) in _UNIONS:
        for member in get_args(annotation):
            yield from _models(member)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation


def _options(annotation: Any) -> list[Any]:
    """The values that a discriminator field can have."""
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return [member.value for member in annotation]
    return [option for member in get_args(annotation) for option in _options(member)]


def _discriminator(metadata: Iterable[Any]) -> str | None:
    """The attribute that tells a union's members apart, if the metadata name one."""
    for item in metadata:
        found = item.discriminator if isinstance(item, FieldInfo | Discriminator) else None
        found = found.discriminator if isinstance(found, Discriminator) else found
        if isinstance(found, str):
            return found
    return None


def _spelled(options: Iterable[Any], value: Any) -> Any:
    """The option that the value means; the value itself if none."""
    known = list(options)
    if not isinstance(value, str) or value in known:
        return value
    matching = (option for option in known if _folded(option) == _folded(value))
    return next(matching, value)


def _folded(value: Any) -> Any:
    return value.casefold().replace("_", "") if isinstance(value, str) else value
