"""Run history: the artifacts of runs, listed and named. Source: spec/REST.md 9.2 and 9.5."""

from __future__ import annotations

import dataclasses

from starlette.responses import JSONResponse, Response

from lazulite.arm.envelope import timestamp
from lazulite.core.errors import ArmError
from lazulite.dataplane.continuation import next_link, page
from lazulite.dataplane.history_forms import Paths
from lazulite.dataplane.history_runs import OF_EXPERIMENT
from lazulite.dataplane.requests import Asked
from lazulite.dataplane.run_files import RunFile, RunFiles
from lazulite.dataplane.services import ServiceRoute
from lazulite.runs.run_rows import Runs
from lazulite.store.resources import Json, Resource

READ, READ_CONTENT = "metadata/artifacts/read", "metadata/artifacts/read"
ORIGIN = "ExperimentRun"


@dataclasses.dataclass(frozen=True)
class ArtifactHistory:
    """Answers for the artifacts of runs."""

    runs: Runs
    files: RunFiles

    def routes(self) -> tuple[ServiceRoute, ...]:
        """The operations on artifacts; paths are in the query, or in the path of old clients."""
        of = f"{OF_EXPERIMENT}/artifacts"
        return (
            ServiceRoute("GET", of, READ, self.listed),
            ServiceRoute("GET", f"{of}/path", READ, self.listed),
            ServiceRoute("GET", f"{of}/metadata", READ, self.shown),
            ServiceRoute("GET", f"{of}/artifacturi", READ, self.uri),
            ServiceRoute("POST", f"{of}/batch/metadata", READ, self.several),
            ServiceRoute("GET", f"{of}/prefix/contentinfo", READ, self.contents),
            ServiceRoute("GET", f"{of}/prefix/contentinfo/{{path:path}}", READ, self.contents),
            ServiceRoute("GET", f"{of}/contentinfo", READ, self.content),
            ServiceRoute("GET", f"{of}/contentinfo/{{path:path}}", READ, self.content),
        )

    async def listed(self, asked: Asked) -> Response:
        """The artifacts, or those whose path begins with `path`."""
        run = await self._run(asked)
        files = await self.files.list(run, asked.query.get("path", ""))
        return await self._page(asked, [_artifact(run, file) for file in files])

    async def shown(self, asked: Asked) -> Response:
        """One artifact."""
        run = await self._run(asked)
        return JSONResponse(_artifact(run, await self.files.one(run, _path(asked))))

    async def uri(self, asked: Asked) -> Response:
        """The data URI of an artifact, whether it is there yet or not."""
        run = await self._run(asked)
        where = f"azureml://datastores/workspaceartifactstore/paths/{ORIGIN}/dcid.{run.name}"
        return JSONResponse(f"{where}/{_path(asked).strip('/')}")

    async def content(self, asked: Asked) -> Response:
        """Where the content of an artifact is fetched, without a token."""
        run = await self._run(asked)
        file = await self.files.one(run, _path(asked))
        (info,) = await self._infos(asked, run, [file])
        return JSONResponse(info)

    async def contents(self, asked: Asked) -> Response:
        """The same for all artifacts whose path begins with `path`."""
        run = await self._run(asked)
        files = await self.files.list(run, _path(asked))
        return await self._page(asked, await self._infos(asked, run, files))

    async def several(self, asked: Asked) -> Response:
        """Artifacts and where their content is, by path; those not there are among the errors."""
        run, form = await self._run(asked), await asked.model(Paths)
        known = {file.path: file for file in await self.files.list(run)}
        files = [known[path] for path in form.paths if path in known]
        infos = await self._infos(asked, run, files)
        missing = [path for path in form.paths if path not in known]
        return JSONResponse(
            {
                "artifacts": {file.path: _artifact(run, file) for file in files},
                "artifactContentInformation": {info["path"]: info for info in infos},
                "errors": {path: {"error": {"code": "ArtifactNotFound"}} for path in missing},
            }
        )

    async def _page(self, asked: Asked, items: list[Json]) -> Response:
        token = asked.query.get("continuationtoken")
        shown = page(items, lambda item: str(item["path"]), token=token)
        link = next_link(asked, "continuationToken", shown.token)
        body = {"value": shown.items, "continuationToken": shown.token, "nextLink": link}
        return JSONResponse(body)

    async def _infos(self, asked: Asked, run: Resource, files: list[RunFile]) -> list[Json]:
        urls = await self.files.urls(run, files, asked.base)
        return [{"contentUri": urls[file.path], **_place(run, file.path)} for file in files]

    async def _run(self, asked: Asked) -> Resource:
        return await self.runs.find(
            asked.workspace.id, asked.names["run"], asked.names["experiment"]
        )


def _path(asked: Asked) -> str:
    path = asked.names.get("path") or asked.query.get("path")
    if path is None:
        raise ArmError("BadArgument", "The query has no path: name the artifact.", target="path")
    return path


def _place(run: Resource, path: str) -> Json:
    return {"origin": ORIGIN, "container": f"dcid.{run.name}", "path": path}


def _artifact(run: Resource, file: RunFile) -> Json:
    """An Artifact."""
    place = _place(run, file.path)
    store = {"dataStoreName": "workspaceartifactstore"}
    return {
        "artifactId": "/".join(place.values()),
        **place,
        "etag": f'"{file.modified.timestamp():.6f}"',
        "createdTime": timestamp(file.modified),
        "dataPath": {**store, "relativePath": "/".join(place.values())},
        "size": file.size,
    }
