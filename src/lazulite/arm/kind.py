"""A resource kind is a value: routes, permissions, operations and lists derive from it.

A kind without a reconcile step is a record: its PUT is done when it is written.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, WithJsonSchema, model_validator
from pydantic.alias_generators import to_camel

from lazulite.arm.listing import Listing
from lazulite.arm.reports import Report
from lazulite.arm.watching import BY_SERVICE, Watching
from lazulite.arm.wire import Wire
from lazulite.core.durations import parse_duration
from lazulite.core.ids import ENDPOINT_NAME as ENDPOINT_NAME
from lazulite.core.ids import ML, Address, parse_path, spelled
from lazulite.operations.reconciler import Reconcile
from lazulite.store.resources import Json, Resource

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}")
ALL_VERBS = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})
ALIKE = Wire()
EVERYTHING = Listing()
READ_ONLY = frozenset({"GET", "HEAD"})
ASSET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}")


def _is_duration(text: str) -> str:
    parse_duration(text)
    return text


_LEXICAL = {"type": "string", "pattern": r"^P(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$"}
Duration = Annotated[str, AfterValidator(_is_duration), WithJsonSchema(_LEXICAL)]
"""An ISO 8601 duration, kept as it was written. Raises ArmError for anything else."""


class Properties(BaseModel):
    """Properties of a kind: snake_case here, camelCase on the wire; unknown ones are ignored.

    null says the same as leaving a property out. Source: spec/REST.md 2.7.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="ignore",
        protected_namespaces=(),
        allow_inf_nan=False,
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return {name: value for name, value in given.items() if value is not None}

    @classmethod
    def chosen(cls, given: Json) -> type[Properties]:
        """The model for these properties; a kind with types of its own looks at which it is."""
        return cls

    @classmethod
    def models(cls) -> tuple[type[Properties], ...]:
        """All that chosen() may give."""
        return (cls,)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Proposal:
    """A PUT on its way: what is asked for, beside what is there."""

    id: str
    properties: Json
    envelope: Json
    secrets: Json
    existing: Resource | None
    actor: str
    query: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Parameters of the request, names in lower case."""
    given: Json = dataclasses.field(default_factory=dict)
    """What was said of the properties, in the internal form, what the model lacks included."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Call:
    """One action on one resource."""

    id: str
    existing: Resource | None
    """None for an action on what is not there yet."""
    body: Json
    query: Mapping[str, str]
    base: str
    actor: str
    version: str = ""
    """The api-version; "" of services that have none."""

    @property
    def resource(self) -> Resource:
        """The row. Raises LookupError in an action that may come before it, and did."""
        if self.existing is None:
            raise LookupError(self.id)
        return self.existing


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """What an action answers."""

    body: Json | None = None
    status: int = 200
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Action:
    """A verb of a kind beyond the usual ones, such as listKeys."""

    perform: Callable[[Call], Awaitable[Answer]]
    method: str = "POST"
    permission: str = "action"
    """"action" for what changes or reveals, "read" for what only shows."""
    comes_before: bool = False
    """Whether it can be asked for before the resource is there."""
    form: type[BaseModel] | None = None
    """What the body says, for documents; perform reads it."""
    shows: bool = True
    """Whether the answer has a body."""


async def unchanged(proposal: Proposal) -> Proposal:
    """Nothing to check or add."""
    return proposal


async def allowed(resource: Resource) -> None:
    """Nothing speaks against deleting it."""


async def allowed_so(resource: Resource, query: Mapping[str, str]) -> None:
    """Nothing speaks against deleting it in the way that the query says."""


async def nothing(resource: Resource, base: str) -> Json:
    """No read-only properties."""
    return {}


async def nobody(address: Address) -> Resource | None:
    """There is no row but those that were written."""
    return None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """One ARM resource type, declared once."""

    resource_type: str
    """Below the provider, in Azure's spelling: "workspaces/computes"."""
    properties: type[Properties]
    called: str = ""
    """What callers call it, where that is not what its rows are called: a second view of them."""
    provider: str = ML
    name: re.Pattern[str] = NAME
    envelope: frozenset[str] = frozenset()
    """Top-level fields kept beside properties: location, tags, sku, identity, kind."""
    reconcile: Reconcile | None = None
    show: Callable[[Resource, str], Awaitable[Json]] = nothing
    """Read-only properties, from the row and the server's base URL."""
    show_all: Callable[[Sequence[Resource], str], Awaitable[list[Json]]] | None = None
    """The same as show, of a whole page, where that takes fewer queries."""
    shape: Callable[[Resource], Json] | None = None
    """The whole answer, for the few types that have no properties."""
    prepare: Callable[[Proposal], Awaitable[Proposal]] = unchanged
    """Checks and completes a PUT; raises ArmError."""
    may_delete: Callable[[Resource], Awaitable[None]] = allowed
    """Raises ArmError if something speaks against it."""
    may_delete_so: Callable[[Resource, Mapping[str, str]], Awaitable[None]] = allowed_so
    """The same, of what the query of a DELETE says; names are in lower case."""
    actions: Mapping[str, Action] = dataclasses.field(default_factory=dict)
    wire: Wire = ALIKE
    """What api-versions differ in."""
    since: str = "2018-11-19"
    """The day of the first api-version that has the type."""
    until: str = "9999-99-99"
    """The day of the last one."""
    seen_from_inside: bool = False
    """Whether any role inside of one is enough to read it: with such a one people sign in."""
    lists_own: bool = False
    """Whether a list shows callers with a role inside of its scope what they may read."""
    verbs: frozenset[str] = ALL_VERBS
    """The methods that a resource of this kind knows; lists know GET."""
    made_by_versions: bool = False
    """A container of versions: PUT of a version makes it."""
    inherited: frozenset[str] = frozenset()
    """Properties that such a container takes from the version that makes it."""
    fixed: frozenset[str] = frozenset()
    """Properties that cannot change once written."""
    listing: Listing = EVERYTHING
    """How its lists are filtered."""
    watching: Watching = BY_SERVICE
    """How a write that takes long is watched."""
    has_operation_uri: bool = False
    """Whether properties.properties carries AzureAsyncOperationUri. Source: spec/REST.md 2.4."""
    created: int = 201
    """What a PUT of a new one is answered with: some providers say 200."""
    etag_until: str = ""
    """The day of the last api-version whose bodies have an etag, which is null."""
    stand_in: Callable[[Address], Awaitable[Resource | None]] = nobody
    """What is read in the place of a row that is not there."""
    has_state: bool = True
    """Whether properties show a provisioningState."""

    @property
    def full_type(self) -> str:
        """With the provider: the type that rows and answers carry."""
        return f"{self.provider}/{self.resource_type}"

    @property
    def shown_type(self) -> str:
        """The type that callers see."""
        return f"{self.provider}/{self.called or self.resource_type}"

    def shown_id(self, arm_id: str) -> str:
        """The id of a row as callers see it."""
        if not self.called:
            return arm_id
        return spelled(parse_path(arm_id), self.provider, self.called).id

    @property
    def parent_type(self) -> str:
        """The type one level up, with the provider; "" for a top-level type."""
        parent = self.resource_type.rpartition("/")[0]
        return f"{self.provider}/{parent}" if parent else ""

    def permission(self, verb: str) -> str:
        """The RBAC action: "Microsoft.MachineLearningServices/workspaces/computes/write"."""
        return f"{self.full_type}/{verb}"


class Registry:
    """The kinds that a server knows, found by type in any case."""

    def __init__(self, kinds: tuple[Kind, ...], reports: tuple[Report, ...] = ()) -> None:
        """kinds: each type once; reports: what can be asked below no resource."""
        self.kinds, self.reports = kinds, reports
        self._by_type: dict[str, Kind] = {kind.shown_type.casefold(): kind for kind in kinds}

    def find(self, provider: str, resource_type: str) -> Kind | None:
        """The kind of a type."""
        return self._by_type.get(f"{provider}/{resource_type}".casefold())

    def of(self, full_type: str) -> Kind | None:
        """The kind of a row's type."""
        return self._by_type.get(full_type.casefold())

    def has_provider(self, provider: str) -> bool:
        """Whether any kind is the provider's."""
        return any(kind.provider.casefold() == provider.casefold() for kind in self.kinds)

    def reconcilers(self) -> dict[str, Reconcile]:
        """The reconcile step of each type that has one."""
        return {kind.full_type: kind.reconcile for kind in self.kinds if kind.reconcile}


def said(given: Json, name: str) -> Any:
    """What was given under a name in any case of letters; the last one if there are two."""
    found = [value for key, value in given.items() if key.casefold() == name.casefold()]
    return found[-1] if found else None


def model_dump(properties: BaseModel) -> dict[str, Any]:
    """The internal form of a validated model: camelCase, JSON values, defaults filled in."""
    return properties.model_dump(mode="json", by_alias=True)
