"""Service principals. Source: Graph v1.0, servicePrincipal: list, post, get, delete."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lazulite.graph.bodies import needed, read_object
from lazulite.graph.errors import bad, missing
from lazulite.graph.filters import chosen_by
from lazulite.graph.service import Operation
from lazulite.graph.views import Json, principal_view
from lazulite.identity.applications import Applications
from lazulite.identity.principals import Principals, ServicePrincipal, new_principal

_MOST_IDS = 1000  # as Graph


class PrincipalRoutes:
    """Answers below /servicePrincipals and /directoryObjects."""

    def __init__(self, applications: Applications, principals: Principals, tenant_id: str) -> None:
        """tenant_id: of new service principals."""
        self._applications, self._principals = applications, principals
        self._tenant_id = tenant_id

    def operations(self) -> Iterator[Operation]:
        """All of them."""
        every, read = "/servicePrincipals", "servicePrincipals/read"
        yield Operation("GET", every, read, self._list)
        yield Operation("POST", every, "servicePrincipals/write", self._create)
        yield Operation("GET", f"{every}/{{id}}", read, self._show)
        yield Operation("DELETE", f"{every}/{{id}}", "servicePrincipals/delete", self._delete)
        yield Operation("POST", "/directoryObjects/getByIds", read, self._by_ids)

    async def _list(self, http: Request) -> Response:
        chosen = chosen_by(http.query_params.get("$filter", ""))
        views = [principal_view(each) for each in await self._principals.all()]
        return JSONResponse({"value": [view for view in views if chosen(view)]})

    async def _create(self, http: Request) -> Response:
        """Of an application that has none yet."""
        client_id = needed(await read_object(http), "appId").lower()
        for each in await self._applications.all():
            if each.client_id == client_id:
                made = new_principal(self._tenant_id, each)
                await self._principals.add(made)
                return JSONResponse(principal_view(made), 201)
        message = f"The appId '{client_id}' of the service principal does not reference a valid "
        raise bad(f"{message}application object.")

    async def _show(self, http: Request) -> Response:
        return JSONResponse(principal_view(await self._found(http)))

    async def _delete(self, http: Request) -> Response:
        await self._principals.remove((await self._found(http)).object_id)
        return Response(status_code=204)

    async def _by_ids(self, http: Request) -> Response:
        """The objects of these ids, without those that are not there."""
        ids = (await read_object(http)).get("ids")
        if not isinstance(ids, list) or len(ids) > _MOST_IDS:
            raise bad(f"Property ids is required: a list of at most {_MOST_IDS} ids.")
        wanted = {str(each).lower() for each in ids}
        found = [each for each in await self._principals.all() if each.object_id in wanted]
        value: list[Json] = [principal_view(each) for each in found]
        return JSONResponse({"value": value})

    async def _found(self, http: Request) -> ServicePrincipal:
        wanted = http.path_params["id"].lower()
        for each in await self._principals.all():
            if each.object_id == wanted:
                return each
        raise missing(wanted)
