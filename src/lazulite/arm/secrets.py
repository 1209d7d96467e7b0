"""Write-only fields: taken out of the properties, sealed together, put back for those who may.

They are found by their path below one object of the properties.
"""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Sequence

from lazulite.arm.kind import Proposal
from lazulite.identity.sealing import SecretBox
from lazulite.store.resources import Json, Resource

HIDDEN = "hidden"
Path = tuple[str, ...]


def with_sealed(proposal: Proposal, box: SecretBox, name: str, paths: Sequence[Path]) -> Proposal:
    """The proposal with null in place of each secret. Those not given again stay as they were.

    name: the property whose object has the secrets; paths: where in it.
    """
    properties = copy.deepcopy(proposal.properties)
    given = _taken(properties.get(name), paths)
    if not given:
        return dataclasses.replace(proposal, properties=properties)
    before = proposal.existing.secrets.get(HIDDEN) if proposal.existing else None
    held = json.loads(box.open(before)) if before else {}
    text = json.dumps({**held, **given}, sort_keys=True)
    secrets = {**proposal.secrets, HIDDEN: box.resealed(text.encode(), before)}
    return dataclasses.replace(proposal, properties=properties, secrets=secrets)


def unsealed(resource: Resource, box: SecretBox) -> dict[str, str]:
    """The secrets by their dotted paths."""
    sealed = resource.secrets.get(HIDDEN)
    found: dict[str, str] = json.loads(box.open(sealed)) if sealed else {}
    return found


def _taken(inner: Json | None, paths: Sequence[Path]) -> dict[str, str]:
    """The secrets by their dotted paths; null is left in their places."""
    found = {}
    for path in paths:
        place = inner
        for part in path[:-1]:
            place = place.get(part) if isinstance(place, dict) else None
        if isinstance(place, dict) and place.get(path[-1]) is not None:
            found[".".join(path)] = str(place[path[-1]])
            place[path[-1]] = None
    return found
