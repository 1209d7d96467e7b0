"""What a template may cost: its expressions double what they name with every line.

A template is worked out between two requests of others, so it has to be done in a moment.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from lazulite.arm.json_reader import DEEPEST
from lazulite.core.errors import ArmError

MOST = 4 * 1024 * 1024
"""Characters that the expressions of one template may read and make in all."""
EACH = 16
"""Characters that an element of a list or object counts as, beside its own, and a token."""
MOST_RESOURCES = 800
"""Of one template. Source: the limits of templates."""


def wrong(why: str) -> ArmError:
    """The template cannot be deployed."""
    return ArmError("InvalidTemplate", f"Deployment template validation failed: {why}.")


@dataclasses.dataclass
class Effort:
    """What the expressions of one template may still read and make."""

    left: int = MOST

    def spend(self, value: Any) -> None:
        """Count a value with all that it holds, as often as it holds it. Raises ArmError 400."""
        level, levels = [value], 0
        while level:
            if levels > DEEPEST:
                deep = f"an expression comes to more than {DEEPEST} levels of lists and objects"
                raise wrong(f"{deep}: have fewer inside each other")
            below: list[Any] = []
            for one in level:
                self.spend_on(one)
                if isinstance(one, Mapping):
                    below.extend(one)
                    below.extend(one.values())
                elif isinstance(one, list):
                    below.extend(one)
            level, levels = below, levels + 1

    def spend_on(self, one: Any) -> None:
        """Count a value without what it holds, but for the places. Raises ArmError 400."""
        if isinstance(one, str):
            self._take(len(one))
        elif isinstance(one, (Mapping, list)):
            self._take(EACH * len(one))

    def spend_tokens(self, count: int) -> None:
        """Count the tokens of an expression. Raises ArmError 400."""
        self._take(EACH * count)

    def _take(self, characters: int) -> None:
        self.left -= characters
        if self.left < 0:
            raise wrong(
                f"its expressions read and make more than {MOST} characters, an element of a list "
                f"or object and a token counting as {EACH}: write long values out as parameters, "
                "name them less often, or deploy in parts"
            )
