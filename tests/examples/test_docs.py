"""Every code block of the documentation, in order, against a real server."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.live import running
from tests.examples.pages import LANGUAGES, ROOT, blocks, pages, script

BLOCKS = [block for page in pages() for block in blocks(page)]
TOUR = ("README.md", "docs/tour.md")
"""The tour goes on where the README ends; they start and stop a server of their own."""
RUN = [page for page in pages() if page not in TOUR and script(blocks(page)).count("\n") > 1]
FOLDERS = {"docs/data.md": "LAZULITE_LOCAL_FOLDERS"}
"""Pages that need a server of their own: the variable that names the folder they are typed in."""
OF_OTHERS = ("LAZULITE_", "AZURE_", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


def environment(folder, **own):
    """What a reader's shell has: the product's commands, and nothing that leads elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OF_OTHERS)}
    tools = Path(sys.executable).parent
    return {**kept, "PATH": f"{tools}:{kept['PATH']}", "TMPDIR": str(folder), **own}


def run(folder, text, environ):
    """Type the blocks into a shell; what it printed. Fails with its last words."""
    (folder / "examples").symlink_to(ROOT / "examples")
    command = ["bash", "-c", text]
    ran = subprocess.run(
        command, cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, f"{ran.stdout[-3000:]}\n{ran.stderr[-5000:]}"
    return ran.stdout


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_tour_works_as_typed(tmp_path):
    data_dir = tmp_path / "data"
    environ = environment(
        tmp_path, LAZULITE_DATA_DIR=str(data_dir), LAZULITE_PORT="0", LAZULITE_HTTP_PORT="0"
    )
    try:
        printed = run(tmp_path, script([each for page in TOUR for each in blocks(page)]), environ)
    finally:
        down = [sys.executable, "-m", "lazulite", "down", f"--data-dir={data_dir}"]
        subprocess.run(down, capture_output=True, check=False, timeout=60)
    assert "digit-0000.png 0" in printed
    assert (tmp_path / "download/named-outputs/score/predictions.csv").read_text().count("\n") > 1000


@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", RUN)
def test_the_blocks_of_a_page_work_as_typed(page, request, tmp_path, tmp_path_factory):
    with contextlib.ExitStack() as stack:
        if page in FOLDERS:
            place = tmp_path_factory.mktemp("told")
            server = stack.enter_context(running(place, **{FOLDERS[page]: str(tmp_path)}))
        else:
            server = request.getfixturevalue("server")
        environ = environment(tmp_path, LAZULITE_DATA_DIR=str(server.data_dir))
        run(tmp_path, script(blocks(page)), environ)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_a_block_is_in_a_language_that_is_checked(block):
    assert block.language in LANGUAGES, f"{block.place}: write ```text for what is only shown"
    if block.language == "python":
        compile(block.body, block.place, "exec")
    if block.language == "yaml":
        assert isinstance(YAML(typ="safe").load(block.body), dict)
        assert block.file is not None or block.reason, f"{block.place}: name the file"
    if block.language == "json":
        assert json.loads(block.body)
