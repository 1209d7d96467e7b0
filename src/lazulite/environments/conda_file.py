"""A conda file, YAML or JSON, read with the place of every entry.

Scalars stay the text that the user wrote: `3.10` in a conda file is a version, not the number 3.1.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from lazulite.core.errors import SpecError
from lazulite.environments.written import Written

MAX_SIZE = 1 << 18  # characters: a conda file is a page of text
MAX_DEPTH = 16  # of lists and mappings; deeper text takes the parser quadratic time

_READ = {"name", "channels", "dependencies"}
_CODE = "InvalidCondaFile"


@dataclasses.dataclass(frozen=True)
class CondaFile:
    """What a conda file lists, as written."""

    conda: tuple[Written, ...]
    pip: tuple[Written, ...]
    channels: tuple[str, ...]
    ignored: tuple[str, ...]
    """Keys that mean nothing to a build, such as prefix and variables."""


def parse_conda_file(text: str, source: str = "condaFile") -> CondaFile:
    """The file's dependencies. Raises SpecError, with line and column, if it is not a conda file.

    source: what messages call the file.
    """
    top = Reader(source).mapping(text)
    dependencies = top.get("dependencies")
    if not isinstance(dependencies, SequenceNode):
        here = Written(f"{', '.join(top) or 'an empty file'}", source)
        raise here.refusal("a conda file needs a list named dependencies.", code=_CODE)
    reader = Reader(source)
    conda: list[Written] = []
    pip: list[Written] = []
    for entry in dependencies.value:
        if isinstance(entry, MappingNode):
            pip.extend(reader.pip_section(entry))
        else:
            conda.append(reader.scalar(entry, "an entry of dependencies is text or a pip section"))
    return CondaFile(
        tuple(conda),
        tuple(pip),
        tuple(written.text for written in reader.texts(top.get("channels"))),
        tuple(key for key in top if key not in _READ),
    )


@dataclasses.dataclass(frozen=True)
class Reader:
    """Reads YAML nodes of one file; its errors name the place."""

    source: str

    def mapping(self, text: str) -> dict[str, Node]:
        """The top level of a file. Raises SpecError for anything but one mapping."""
        node = self._node(text)
        if not isinstance(node, MappingNode):
            raise Written(text.strip()[:40], self.source).refusal(
                "this is not a conda file: its top level has to be name: value pairs, among them"
                " dependencies.",
                code=_CODE,
            )
        entries: dict[str, Node] = {}
        for key, value in node.value:
            name = self.scalar(key, "a key is text")
            if name.text in entries:
                raise name.refusal("this key stands here twice. Merge the two.", code=_CODE)
            entries[name.text] = value
        return entries

    def pip_section(self, node: MappingNode) -> Iterator[Written]:
        """The lines below `- pip:`."""
        for key, value in node.value:
            name = self.scalar(key, "a key is text")
            if name.text != "pip":
                raise name.refusal("the only section inside dependencies is pip.", code=_CODE)
            yield from self.texts(value)

    def texts(self, node: Node | None) -> Iterator[Written]:
        """The entries of a list of texts; nothing for an absent or empty value."""
        if isinstance(node, SequenceNode):
            for entry in node.value:
                yield self.scalar(entry, "an entry of this list is text")
        elif node is not None and not (isinstance(node, ScalarNode) and _is_null(node)):
            raise self._at(node, "this value").refusal("a list is needed here.", code=_CODE)

    def scalar(self, node: Node, rule: str) -> Written:
        """A text and its place."""
        if not isinstance(node, ScalarNode) or _is_null(node):
            raise self._at(node, "this value").refusal(f"{rule}.", code=_CODE)
        return self._at(node, str(node.value))

    def _node(self, text: str) -> Node | None:
        if len(text) > MAX_SIZE:
            raise SpecError(_CODE, f"{self.source} has {len(text)} characters; {MAX_SIZE} is most.")
        try:
            self._check_depth(text)
            node: Node | None = YAML(pure=True).compose(text)
        except MarkedYAMLError as error:
            raise self._broken(text, error) from error
        except YAMLError as error:
            reason = str(error).partition("\n")[0]
            raise SpecError(_CODE, f"{self.source} is not YAML or JSON: {reason}.") from error
        return node

    def _check_depth(self, text: str) -> None:
        depth = 0
        for event in YAML(pure=True).parse(text):
            depth += isinstance(event, CollectionStartEvent)
            depth -= isinstance(event, CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise SpecError(_CODE, f"{self.source} nests deeper than {MAX_DEPTH} levels.")

    def _broken(self, text: str, error: MarkedYAMLError) -> SpecError:
        mark = error.problem_mark or error.context_mark
        lines = text.splitlines()
        row = mark.line if mark else 0
        wrong = lines[row].strip() if row < len(lines) else "the end of the file"
        here = Written(wrong, self.source, row + 1, mark.column + 1 if mark else 1)
        return here.refusal(f"this is not YAML or JSON: {error.problem}.", code=_CODE)

    def _at(self, node: Node, text: str) -> Written:
        return Written(text, self.source, node.start_mark.line + 1, node.start_mark.column + 1)


def _is_null(node: ScalarNode) -> bool:
    return bool(node.tag == "tag:yaml.org,2002:null")
