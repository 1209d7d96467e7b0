"""Run history: the artifacts of runs. The same files that artifact/v2.0 has, by run.

Source: spec/REST.md 9.2 and 9.5.
"""

from __future__ import annotations

import dataclasses

from starlette.responses import JSONResponse, Response

from lazulite.core.errors import ArmError
from lazulite.dataplane.artifact_files import READ, Artifact, ArtifactFiles, Found
from lazulite.dataplane.artifact_form import (
    ArtifactPathList,
    describe,
    show,
    show_batch,
    show_page,
)
from lazulite.dataplane.history_runs import OF_EXPERIMENT
from lazulite.dataplane.requests import Asked
from lazulite.dataplane.run_views import ORIGIN, container_of
from lazulite.dataplane.services import ServiceRoute
from lazulite.runs.run_rows import Runs

READING = "metadata/artifacts/read"


@dataclasses.dataclass(frozen=True)
class ArtifactHistory:
    """Answers for the artifacts of runs."""

    runs: Runs
    files: ArtifactFiles

    def routes(self) -> tuple[ServiceRoute, ...]:
        """The operations on artifacts; paths are in the query, or in the path of old clients."""
        of = f"{OF_EXPERIMENT}/artifacts"
        return (
            ServiceRoute("GET", of, READING, self.listed),
            ServiceRoute("GET", f"{of}/path", READING, self.listed),
            ServiceRoute("GET", f"{of}/metadata", READING, self.shown),
            ServiceRoute("GET", f"{of}/artifacturi", READING, self.uri),
            ServiceRoute("POST", f"{of}/batch/metadata", READING, self.several, ArtifactPathList),
            ServiceRoute("GET", f"{of}/prefix/contentinfo", READING, self.contents),
            ServiceRoute("GET", f"{of}/prefix/contentinfo/{{path:path}}", READING, self.contents),
            ServiceRoute("GET", f"{of}/contentinfo", READING, self.content),
            ServiceRoute("GET", f"{of}/contentinfo/{{path:path}}", READING, self.content),
        )

    async def listed(self, asked: Asked) -> Response:
        """The artifacts, or those whose path begins with `path`."""
        found, token = await self._page(asked)
        return JSONResponse(show_page(asked, [show(one) for one in found], token))

    async def shown(self, asked: Asked) -> Response:
        """One artifact. Raises ArmError 404."""
        return JSONResponse(show(await self._found(asked)))

    async def uri(self, asked: Asked) -> Response:
        """The data URI of an artifact, whether it is there yet or not."""
        artifact = await self._artifact(asked)
        return JSONResponse(f"azureml://datastores/workspaceartifactstore/paths/{artifact.id}")

    async def content(self, asked: Asked) -> Response:
        """Where the content of an artifact is fetched, without a token. Raises ArmError 404."""
        found = await self._found(asked)
        return JSONResponse(await describe(self.files, asked, found.artifact, READ))

    async def contents(self, asked: Asked) -> Response:
        """The same for all artifacts whose path begins with `path`."""
        found, token = await self._page(asked)
        infos = [await describe(self.files, asked, one.artifact, READ) for one in found]
        return JSONResponse(show_page(asked, infos, token))

    async def several(self, asked: Asked) -> Response:
        """Artifacts and where their content is, by path; those not there are among the errors."""
        container, form = await self._container(asked), await asked.model(ArtifactPathList)
        artifacts, infos, errors = {}, {}, {}
        for path in (one.path for one in form.paths):
            try:
                found = await self.files.find(asked.workspace, Artifact(ORIGIN, container, path))
                artifacts[path] = show(found)
                infos[path] = await describe(self.files, asked, found.artifact, READ)
            except ArmError as error:
                errors[path] = {"error": error.body}
        return JSONResponse(show_batch(artifacts, infos, errors))

    async def _page(self, asked: Asked) -> tuple[list[Found], str | None]:
        prefix = asked.names.get("path") or asked.query.get("path", "")
        token = asked.query.get("continuationtoken")
        container = await self._container(asked)
        return await self.files.page(asked.workspace, ORIGIN, container, prefix, token)

    async def _found(self, asked: Asked) -> Found:
        return await self.files.find(asked.workspace, await self._artifact(asked))

    async def _artifact(self, asked: Asked) -> Artifact:
        path = asked.names.get("path") or asked.query.get("path")
        if not path:
            message = "The query has no path: name the artifact."
            raise ArmError("BadArgument", message, target="path")
        return Artifact(ORIGIN, await self._container(asked), path)

    async def _container(self, asked: Asked) -> str:
        names = asked.names
        run = await self.runs.find(asked.workspace.id, names["run"], names["experiment"])
        return container_of(run)
