"""Properties of any kind, generated from its pydantic model."""

import enum
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel

from lazulite.arm.kind import Properties

TEXTS = st.sampled_from(["", "a", "Two words", "née", "1"])
DURATIONS = st.sampled_from(["PT30S", "PT5M", "P1D"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXTS,
    lambda inner: st.dictionaries(st.sampled_from(["a", "B"]), inner, max_size=2),
    max_leaves=3,
)
LEAVES = {
    str: TEXTS,
    int: st.integers(0, 9),
    float: st.sampled_from([0.0, 0.5, 90.0]),
    bool: st.booleans(),
    Any: JSON,
    object: JSON,
}
URIS = st.sampled_from(
    [
        "azureml://datastores/store/paths/folder/file.pkl",
        "azureml://datastores/store/paths/folder/",
        "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/d/paths/x",
        "https://host/account/container/folder",
    ]
)
COUNTS = st.sampled_from(["0", "1", "30"])
PLAUSIBLE = {
    "codeUri": URIS,
    "modelUri": URIS,
    "dataUri": URIS,
    "paths": st.lists(
        st.fixed_dictionaries({"file": URIS}) | st.fixed_dictionaries({"folder": URIS}),
        max_size=3,
    ),
    "expression": st.sampled_from(["0 6 * * MON-FRI", "*/15 0,12 1-7 * 0"]),
    "startTime": st.sampled_from(["2023-01-01T00:00:00"]),
    "endTime": st.sampled_from(["2024-01-01T00:00:00", "2024-01-01"]),
    "interval": st.integers(1, 9),
    "maxConcurrencyPerInstance": st.integers(1, 64),
    "monthDays": st.lists(st.integers(1, 31), max_size=2),
    "modelType": st.sampled_from(["custom_model", "mlflow_model", "triton_model"]),
    "timeZone": st.sampled_from(["UTC", "Pacific Standard Time"]),
    "ScaleCapacity.minimum": COUNTS,
    "ScaleCapacity.maximum": COUNTS,
    "ScaleCapacity.default": COUNTS,
    "ScaleAction.value": COUNTS,
    "FixedDate.start": st.sampled_from(["2023-01-01T00:00:00"]),
    "FixedDate.end": st.sampled_from(["2024-01-01T00:00:00Z"]),
}
"""Values of properties whose type does not say all, by their name or by model and name."""


def _of_paths(data):
    """Of several paths the first one is dataUri; one is not kept beside it."""
    paths = data.pop("paths", None) or []
    if len(paths) < 2:
        return data
    first = paths[0]
    shape = "uri_file" if first.get("file") else "uri_folder"
    uri = first.get("file") or first.get("folder") or ""
    return {**data, "paths": paths, "dataUri": uri, "dataType": shape}


CONSISTENT = {"Data": _of_paths, "Dataset": _of_paths}
"""What makes generated properties fit together, by model."""


def properties_of(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    """What a caller may write; the model's own validators may still refuse some of it."""
    choices = model.models() if issubclass(model, Properties) else (model,)
    return st.one_of([_fields_of(choice) for choice in choices])


def _fields_of(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    required, optional = {}, {}
    for name, field in model.model_fields.items():
        alias = field.alias or name
        value = PLAUSIBLE.get(f"{model.__name__}.{alias}", PLAUSIBLE.get(alias))
        if value is None:
            value = of_type(field.annotation, field.metadata)
        (required if field.is_required() else optional)[alias] = value
    drawn = st.fixed_dictionaries(required, optional=optional)
    return drawn.map(CONSISTENT.get(model.__name__, lambda same: same))


def of_type(annotation: Any, metadata: Any = ()) -> st.SearchStrategy[Any]:
    """Values of a type as they stand in JSON."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if any(isinstance(item, AfterValidator) for item in metadata):
        return DURATIONS
    if origin is Annotated:
        return of_type(arguments[0], arguments[1:])
    if origin in {Union, types.UnionType}:
        return st.one_of([of_type(argument) for argument in arguments])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is list:
        return st.lists(
            of_type(arguments[0]), min_size=_bound(metadata, "min_length", 0), max_size=2
        )
    if origin is dict:
        return st.dictionaries(st.sampled_from(["key", "Two"]), of_type(arguments[1]), max_size=2)
    if annotation is int:
        return st.integers(_bound(metadata, "ge", 0), _bound(metadata, "le", 9))
    return _of_class(annotation)


def _bound(metadata, name, otherwise):
    """A bound that a field declares."""
    said = [each for item in metadata for each in getattr(item, "metadata", [item])]
    return next((getattr(each, name) for each in said if hasattr(each, name)), otherwise)


def _of_class(annotation: Any) -> st.SearchStrategy[Any]:
    if annotation is types.NoneType or annotation is None:
        return st.none()
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return st.sampled_from([member.value for member in annotation])
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return st.deferred(lambda: properties_of(annotation))
    return LEAVES.get(annotation, JSON)
