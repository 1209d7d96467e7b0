"""Builds of environment versions on request, and their logs. An extension: Azure has no such verbs.

`POST .../versions/{version}/build` and `GET .../versions/{version}/buildLog?offset=N`.
"""

from __future__ import annotations

import asyncio
import dataclasses
from http import HTTPStatus

from pydantic import Field

from lazulite.arm.bodies import read_form
from lazulite.arm.kind import Action, Answer, Call, Properties
from lazulite.core.errors import ArmError, OutageError, SpecError
from lazulite.core.ids import workspace_of
from lazulite.deployments.materials import Workshop
from lazulite.environments.definition import Definition
from lazulite.environments.service import Absent, Building, Built, Environments, Failed
from lazulite.remote.background import StillFetching
from lazulite.store.resources import Json

State = Built | Building | Failed | Absent
STATUS = {Built: "Ready", Building: "Building", Failed: "Failed", Absent: "NotBuilt"}
FETCHING: Json = {"status": "Building", "environment": None, "error": None}
"""While what the definition refers to is on its way."""
LONGEST = 15  # digits of an offset


class BuildRequest(Properties):
    """The body of build."""

    retry: bool = Field(default=True)
    """Whether a build that has failed is tried again."""


@dataclasses.dataclass(frozen=True)
class EnvironmentBuilds:
    """Answers for versions of environments."""

    workshop: Workshop

    @property
    def environments(self) -> Environments:
        """What builds them."""
        return self.workshop.environments

    def actions(self) -> dict[str, Action]:
        """The verbs of a version, by name."""
        return {
            "build": Action(perform=self.build, form=BuildRequest),
            "buildLog": Action(perform=self.log, method="GET", permission="read"),
        }

    async def build(self, call: Call) -> Answer:
        """Start the build unless it is there or runs; one that has failed is tried again.

        Raises ArmError 503 if a container engine is needed and does not answer.
        """
        retry = read_form(BuildRequest, call.body).retry
        try:
            definition = await self._definition(call)
            found = await self.environments.ensure(definition)
            if retry and isinstance(found, Failed):
                await self.environments.retry(found.hash)
                found = await self.environments.ensure(definition)
        except SpecError as error:
            return Answer(body=_never(error))
        except StillFetching:
            return Answer(body=FETCHING)
        except OutageError as outage:
            raise _later(outage) from outage
        return Answer(body=_shown(found))

    async def log(self, call: Call) -> Answer:
        """Whole lines of the build log from ?offset= on, and how far the build is.

        Ask again with nextOffset; the log is at its end when nothing comes and nothing is being
        built. Raises ArmError 400 for an offset that is no number, and 503 as build() does.
        """
        offset = _offset(call.query.get("offset", "0"))
        try:
            found = await self.environments.look(await self._definition(call))
        except SpecError as error:
            return Answer(body={**_never(error), "content": "", "nextOffset": offset})
        except OutageError as outage:
            raise _later(outage) from outage
        except StillFetching:
            return Answer(body={**FETCHING, "content": "", "nextOffset": offset})
        log = await asyncio.to_thread(self.environments.log, found.hash, offset)
        lines = log[: log.rfind(b"\n") + 1] if isinstance(found, Building) else log
        text = lines.decode(errors="replace")
        return Answer(body={**_shown(found), "content": text, "nextOffset": offset + len(lines)})

    async def _definition(self, call: Call) -> Definition:
        return await self.workshop.registered(workspace_of(call.id), call.resource.id)


def _shown(found: State) -> Json:
    error = found.error.body if isinstance(found, Failed) else None
    return {"status": STATUS[type(found)], "environment": found.hash, "error": error}


def _later(outage: OutageError) -> ArmError:
    status = HTTPStatus.SERVICE_UNAVAILABLE
    return ArmError(outage.code, outage.message, status, headers={"Retry-After": "5"})


def _never(error: SpecError) -> Json:
    return {"status": "Failed", "environment": None, "error": error.body}


def _offset(text: str) -> int:
    if not text.isdecimal() or len(text) > LONGEST:
        message = f"offset is {text!r}: it must be a number of bytes, such as the last nextOffset."
        raise ArmError("BadArgument", message, target="offset")
    return int(text)
