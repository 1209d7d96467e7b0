"""ETag conditions under concurrent writers: every race has an order that explains all answers."""

import asyncio
import contextlib
import dataclasses
import itertools
import tempfile
from pathlib import Path

import httpx2
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from obstore.store import MemoryStore

from lazulite.blobs.gateway import Gateway
from lazulite.blobs.objects import Objects
from lazulite.core.clock import utc_now
from tests.blobs.conftest import opened_store

BLOCK = {"x-ms-blob-type": "BlockBlob"}
VERBS = ("put", "metadata", "delete", "get")
CONDITIONS = ("", "match now", "match old", "match any", "none any", "none now")
SUCCESS = {"put": 201, "metadata": 200, "delete": 202, "get": 200}


@dataclasses.dataclass(frozen=True)
class Version:
    """What is there. text: the content."""

    etag: str
    text: str


@dataclasses.dataclass(frozen=True)
class Told:
    """One request of a race and its answer."""

    verb: str
    headers: dict
    text: str
    status: int
    etag: str
    body: str


def holds(headers, found):
    """Whether the conditions hold for the version that is there."""
    match, none = headers.get("If-Match"), headers.get("If-None-Match")
    if match is not None:
        return found is not None and match in {"*", found.etag}
    return none is None or found is None or none not in {"*", found.etag}


def refusal(told, found):
    """The status that the model expects of a request that fails; 0 for one that succeeds."""
    if found is None and told.verb != "put":
        return 404
    if holds(told.headers, found):
        return 0
    if told.verb == "put" and told.headers.get("If-None-Match") == "*":
        return 409
    return 304 if told.verb == "get" and "If-None-Match" in told.headers else 412


def after(told, found):
    """The version that is there after the request; raises Unexplained if it cannot have been."""
    refused = refusal(told, found)
    if refused or told.status != SUCCESS[told.verb]:
        if told.status != refused:
            raise Unexplained
        return found
    if told.verb == "get":
        if (told.etag, told.body) != (found.etag, found.text):
            raise Unexplained
        return found
    if told.verb == "delete":
        return None
    return Version(told.etag, told.text if told.verb == "put" else found.text)


class Unexplained(Exception):  # noqa: N818
    """This order does not explain the answers."""


def outcomes(race, found):
    """The versions that may be there after a race, by every order that explains its answers."""
    for order in itertools.permutations(race):
        with contextlib.suppress(Unexplained):
            now = found
            for told in order:
                now = after(told, now)
            yield now


class Races(RuleBasedStateMachine):
    """One blob and up to four clients at a time."""

    def objects(self):
        """What keeps the blob; None: a file."""

    def __init__(self):
        super().__init__()
        self.stack, self.runner = contextlib.AsyncExitStack(), asyncio.Runner()
        self.found, self.old, self.count = None, '"0x1"', 0

    @initialize()
    def open(self):
        self.folder = tempfile.TemporaryDirectory(prefix="lz-races-")
        self.runner.run(self._open(Path(self.folder.name)))

    @rule(asked=st.lists(st.tuples(*map(st.sampled_from, (VERBS, CONDITIONS))), max_size=4))
    def race(self, asked):
        race = self.runner.run(self._race(asked))
        there = self.runner.run(self._read())
        assert there in list(outcomes(race, self.found)), (self.found, race, there)
        self.old = self.found.etag if self.found else self.old
        self.found = there

    def teardown(self):
        self.runner.run(self.stack.aclose())
        self.runner.close()
        self.folder.cleanup()

    async def _open(self, folder):
        store = await self.stack.enter_async_context(opened_store(folder, objects=self.objects()))
        await store.containers.create("mlstore", "files")

        async def allow(*_):
            """Everyone may do everything."""

        transport = httpx2.ASGITransport(Gateway(store, allow, utc_now))
        client = httpx2.AsyncClient(transport=transport, base_url="http://h/mlstore/files/")
        self.client = await self.stack.enter_async_context(client)

    async def _race(self, asked):
        return await asyncio.gather(*(self._told(*each) for each in asked))

    async def _told(self, verb, condition):
        self.count += 1
        headers, text = self._headers(condition), f"text {self.count}"
        sent = {**headers, "x-ms-meta-n": str(self.count)}
        if verb == "put":
            answer = await self.client.put("b", content=text, headers={**BLOCK, **sent})
        elif verb == "metadata":
            answer = await self.client.put("b?comp=metadata", headers=sent)
        else:
            answer = await self.client.request(verb.upper(), "b", headers=headers)
        etag = answer.headers.get("etag", "")
        return Told(verb, headers, text, answer.status_code, etag, answer.text)

    async def _read(self):
        answer = await self.client.get("b")
        if answer.status_code == 404:
            return None
        return Version(answer.headers["etag"], answer.text)

    def _headers(self, condition):
        name, _, which = condition.partition(" ")
        now = self.found.etag if self.found else '"0x2"'
        value = {"now": now, "old": self.old, "any": "*", "": ""}[which]
        return {"match": {"If-Match": value}, "none": {"If-None-Match": value}, "": {}}[name]


class RacesOverObjects(Races):
    """The same where an object store keeps the blob."""

    def objects(self):
        return Objects(MemoryStore())


Races.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=12,
    suppress_health_check=list(HealthCheck),
)
RacesOverObjects.TestCase.settings = Races.TestCase.settings
TestRaces = Races.TestCase
TestRacesOverObjects = RacesOverObjects.TestCase
