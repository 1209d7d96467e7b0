"""The documentation as code: the blocks of its pages, and one shell script out of a page's blocks.

A block in bash is typed in, one in Python is run. A block whose first line is `# name.ext` is that
file. A block after `<!-- not run: reason -->` is left alone.
"""

import dataclasses
import re
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[2]
LANGUAGES = frozenset({"bash", "python", "yaml", "json", "text"})
FENCE = re.compile(
    r"^(?:<!-- not run: (?P<reason>.+) -->\n\n?)?```(?P<language>.*)\n(?P<body>(?s:.*?))^```$",
    re.MULTILINE,
)
FILE_NAME = re.compile(r"# ([\w./-]+\.\w+)\n")
END = "END_OF_BLOCK"


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block of a page. reason: why it is not run."""

    page: str
    line: int
    language: str
    body: str
    reason: str | None

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return f"{self.page}:{self.line}"

    @property
    def file(self) -> str | None:
        """The file that the block is."""
        found = FILE_NAME.match(self.body)
        return found[1] if found else None


def pages() -> list[str]:
    """Every page, by its path in the repository."""
    return ["README.md", *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/**/*.md"))]


def blocks(page: str) -> list[Block]:
    """The blocks of a page, in order."""
    text = (ROOT / page).read_text()
    return [
        Block(
            page=page,
            line=text.count("\n", 0, found.start("language")) + 1,
            language=found["language"],
            body=found["body"],
            reason=found["reason"],
        )
        for found in FENCE.finditer(text)
    ]


def script(chosen: Iterable[Block]) -> str:
    """One bash script that does what a reader of these blocks would do."""
    parts = ["set -euo pipefail\n"]
    for block in chosen:
        if block.reason is None and (body := _typed(block)):
            parts.append(f"echo '== {block.place}' >&2\n{body}")
    return "".join(parts)


def _typed(block: Block) -> str:
    here = f"<<'{END}'\n{block.body}{END}\n"
    if block.file is not None:
        return f"mkdir -p $(dirname {block.file}); cat >{block.file} {here}"
    return {"bash": block.body, "python": f"python - {here}"}.get(block.language, "")
