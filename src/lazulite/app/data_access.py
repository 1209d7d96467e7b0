"""How the server reaches data: its own blobs in place, allowed folders, other servers' data."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from lazulite.app.documents import STORAGE_SUFFIX
from lazulite.app.layout import Layout
from lazulite.blobs.outside import OutsideSources
from lazulite.core.settings import Settings
from lazulite.datastores.folders import LocalFolders
from lazulite.datastores.reading import Readers
from lazulite.deployments.blob_paths import BlobPaths
from lazulite.deployments.places import DataPlaces
from lazulite.deployments.resolving import Resolver
from lazulite.fetch.limits import Limits
from lazulite.fetch.rules import Rules
from lazulite.fetch.session import Fetcher
from lazulite.identity.sealing import SecretBox
from lazulite.remote.background import Bringer
from lazulite.remote.cache import Cache
from lazulite.runs.fetched import FOLDER, keys_in_use
from lazulite.store.resources import Resources

GIB = 1 << 30


@dataclasses.dataclass(frozen=True)
class Reach:
    """What may be read besides the server's own storage."""

    fetcher: Fetcher
    bringer: Bringer
    folders: LocalFolders
    copies: OutsideSources

    @classmethod
    def of(cls, settings: Settings, layout: Layout) -> Reach:
        """As the settings say. Raises SettingError."""
        size = int(settings.fetched_gib * GIB)
        rules = Rules.parse(settings.fetch_hosts, settings.aliases)
        fetcher = Fetcher(rules, Limits(size=size))
        in_use = partial(keys_in_use, layout.folder("jobs"))
        cache = Cache(layout.folder(FOLDER), size, in_use)
        folders = LocalFolders(settings.folders)
        return cls(fetcher, Bringer(fetcher, cache), folders, OutsideSources(fetcher))

    async def close(self) -> None:
        """End what is being fetched."""
        self.copies.close()
        await self.bringer.close()

    def places(
        self,
        stored: tuple[Resources, SecretBox],
        origins: frozenset[str],
        keys: Callable[[str], Awaitable[Sequence[bytes]]],
        blobs: BlobPaths,
    ) -> DataPlaces:
        """What finds data. stored: the rows and what opens their secrets; keys: of an account."""
        resources, box = stored
        readers = Readers(resources, box, self.folders)
        rules = self.fetcher.rules
        resolver = Resolver(resources, readers, rules, origins, STORAGE_SUFFIX)
        return DataPlaces(resolver, blobs, keys, self.bringer)
