"""`lazulite demo`: the whole of the product on real input, with the commands a user would type."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import uv

import lazulite
from lazulite.cli import demo_checks as checks
from lazulite.cli.connection import connect
from lazulite.cli.documents import read
from lazulite.cli.errors import CommandError

_ENVIRONMENT_OF_OTHERS = ("LAZULITE_", "AZURE_", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


def demo(folder: str = "") -> None:
    """Train, deploy and score a model, online and in batch.

    A server of its own is started for it, and stopped at the end. Exit code 0 means that every
    number was right.

    :param folder: Where the server's data and all files go, and stay; else a temporary folder.
    """
    home = Path(folder).absolute() if folder else Path(tempfile.mkdtemp(prefix="lazulite-demo-"))
    home.mkdir(parents=True, exist_ok=True)
    tour = _Tour(home, _examples(), _own_environment(os.environ, home / "data"))
    try:
        _take(tour)
        tour.stop()
    except BaseException:
        _say(f"\nThe demo failed. Its files and the server's logs are kept in {home}.")
        with contextlib.suppress(CommandError):  # what failed first is what counts
            tour.stop()
        raise
    _say(_summary(tour, kept=bool(folder)))
    if not folder:
        shutil.rmtree(home)


@dataclasses.dataclass
class _Tour:
    """One run: where it works, and what it has done so far."""

    home: Path
    examples: Path
    environ: Mapping[str, str]
    steps: list[tuple[str, str, float]] = dataclasses.field(default_factory=list)
    is_up: bool = False

    @property
    def outputs(self) -> Path:
        return self.home / "outputs"

    def step(self, name: str, do: Callable[[], str]) -> None:
        """Do it, and note what came of it and how many seconds it took."""
        _say(f"\n{name}")
        started = time.monotonic()
        result = do()
        self.steps.append((name, result, time.monotonic() - started))
        _say(f"  {result}")

    def lazulite(self, *arguments: str) -> str:
        """Run a command as a user would; what it printed on stdout. Raises CommandError."""
        _say(f"  $ lazulite {shlex.join(_shown(text, self.home) for text in arguments)}")
        return self.run(sys.executable, "-m", "lazulite.cli.main", *arguments)

    def run(self, *command: str) -> str:
        """Run a program; what it printed on stdout. Raises CommandError with its last words."""
        ran = subprocess.run(
            command, cwd=self.home, env=self.environ, capture_output=True, text=True, check=False
        )
        if ran.returncode:
            said = (ran.stderr or ran.stdout)[-8000:]
            raise CommandError(
                "DemoFailed", f"`{' '.join(command)}` exited with {ran.returncode}:\n{said}"
            )
        return ran.stdout

    def stop(self) -> None:
        """Stop the server if it was started. Safe to repeat."""
        if self.is_up:
            self.is_up = False
            self.lazulite("down")


def _take(tour: _Tour) -> None:
    tour.step("Start a server", lambda: _start(tour))
    tour.step("Train a classifier of handwritten digits", lambda: _train(tour))
    tour.step("Register the model, as files and in MLflow's format", lambda: _register(tour))
    tour.step("Deploy it online with a scoring script", lambda: _deploy_online(tour))
    tour.step("Score digits that it has never seen", lambda: _score_online(tour))
    tour.step("Deploy the MLflow model without code", lambda: _deploy_mlflow(tour))
    tour.step("Score columns with it", lambda: _score_mlflow(tour))
    tour.step("Deploy the model for batch scoring on two nodes", lambda: _deploy_batch(tour))
    tour.step("Score all the images in a batch job", lambda: _score_batch(tour))


def _start(tour: _Tour) -> str:
    tour.is_up = True
    tour.lazulite("up", "--detach", "--port", "0", "--http-port", "0")
    return f"{connect(tour.home / 'data', tour.environ).url} answers"


def _train(tour: _Tour) -> str:
    python = _python(tour)
    script = tour.examples / "train.py"
    _say(f"  $ python {script.name} --output outputs")
    printed = tour.run(str(python), str(script), "--output", str(tour.outputs))
    return printed.strip().splitlines()[-1]


def _python(tour: _Tour) -> Path:
    """A Python with the packages of the example's conda file; kept from an earlier run."""
    prefix, tool = tour.home / "python", uv.find_uv_bin()
    python = prefix / "bin" / "python"
    if not (prefix / "ready").exists():
        version, packages = _packages(tour.examples / "environment" / "conda.yml")
        tour.run(tool, "venv", "--quiet", "--clear", "--python", version, str(prefix))
        tour.run(tool, "pip", "install", "--quiet", "--python", str(python), *packages)
        (prefix / "ready").touch()
    return python


def _packages(conda_file: Path) -> tuple[str, list[str]]:
    """The Python version and the pip requirements of a conda file."""
    dependencies = read(conda_file).values["dependencies"]
    version = next(item for item in dependencies if str(item).startswith("python="))
    pip = next(item["pip"] for item in dependencies if isinstance(item, dict))
    return str(version).removeprefix("python="), [str(item) for item in pip]


def _register(tour: _Tour) -> str:
    create, query = (
        ("ml", "model", "create"),
        ("--query", "join(':', [name, version])", "-o", "tsv"),
    )
    files, mlflow = str(tour.outputs / "model"), str(tour.outputs / "mlflow-model")
    first = tour.lazulite(*create, "-n", "digits", "-p", files, *query)
    other = ("-n", "digits-mlflow", "-p", mlflow, "-t", "mlflow_model")
    second = tour.lazulite(*create, *other, *query)
    return f"{first.strip()} and {second.strip()}"


def _deploy_online(tour: _Tour) -> str:
    folder = tour.examples / "online"
    tour.lazulite("ml", "online-endpoint", "create", "-f", str(folder / "endpoint.yml"))
    blue = str(folder / "blue-deployment.yml")
    tour.lazulite("ml", "online-deployment", "create", "-f", blue, "--all-traffic")
    return "blue takes all traffic of digits"


def _score_online(tour: _Tour) -> str:
    sample = str(tour.examples / "online" / "sample-request.json")
    tour.lazulite("ml", "online-endpoint", "invoke", "-n", "digits", "-r", sample)
    return checks.online(_scorer(tour, "digits"), tour.outputs)


def _deploy_mlflow(tour: _Tour) -> str:
    folder = tour.examples / "mlflow"
    tour.lazulite("ml", "online-endpoint", "create", "-f", str(folder / "endpoint.yml"))
    deployment = str(folder / "deployment.yml")
    tour.lazulite("ml", "online-deployment", "create", "-f", deployment, "--all-traffic")
    return "nocode takes all traffic of digits-mlflow"


def _score_mlflow(tour: _Tour) -> str:
    return checks.mlflow(_scorer(tour, "digits-mlflow"), tour.outputs)


def _deploy_batch(tour: _Tour) -> str:
    folder = tour.examples / "batch"
    tour.lazulite("ml", "compute", "create", "-f", str(folder / "compute.yml"))
    tour.lazulite("ml", "batch-endpoint", "create", "-f", str(folder / "endpoint.yml"))
    deployment = str(folder / "deployment.yml")
    tour.lazulite("ml", "batch-deployment", "create", "-f", deployment, "--set-default")
    return "classifier is the default of digits-batch"


def _score_batch(tour: _Tour) -> str:
    images = str(tour.outputs / "images")
    invoke = ("invoke", "-n", "digits-batch", "--input", images, "--query", "name", "-o", "tsv")
    job = tour.lazulite("ml", "batch-endpoint", *invoke).strip()
    tour.lazulite("ml", "job", "stream", "-n", job)
    target = tour.home / "download" / job
    tour.lazulite("ml", "job", "download", "-n", job, "-p", str(target))
    return checks.batch(target / "named-outputs" / "score", tour.outputs)


def _scorer(tour: _Tour, endpoint: str) -> checks.Scorer:
    """What any HTTP client needs to score: the address, a key, the server's certificates."""
    show = ("ml", "online-endpoint", "show", "-n", endpoint, "--query", "scoring_uri", "-o", "tsv")
    keys = ("ml", "online-endpoint", "get-credentials", "-n", endpoint)
    return checks.Scorer(
        uri=tour.lazulite(*show).strip(),
        key=tour.lazulite(*keys, "--query", "primaryKey", "-o", "tsv").strip(),
        ca_file=connect(tour.home / "data", tour.environ).ca_file,
    )


def _examples() -> Path:
    """The digits example: beside the package in a wheel, at the top of a checkout."""
    package = Path(lazulite.__file__).parent
    for folder in (package / "examples" / "digits", package.parents[1] / "examples" / "digits"):
        if (folder / "train.py").is_file():
            return folder
    raise CommandError(
        "ExamplesNotFound", f"The digits example is neither in {package} nor in its checkout."
    )


def _own_environment(environ: Mapping[str, str], data_dir: Path) -> dict[str, str]:
    """The user's environment without what points at other servers, such as real Azure."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith(_ENVIRONMENT_OF_OTHERS)
    }
    own = {"LAZULITE_DATA_DIR": str(data_dir), "LAZULITE_CLI_CORE_NO_COLOR": "true"}
    if kept.get("PIP_INDEX_URL"):  # uv has variables of its own
        own["UV_DEFAULT_INDEX"] = kept.get("UV_DEFAULT_INDEX", kept["PIP_INDEX_URL"])
    return {**kept, **own}


def _summary(tour: _Tour, *, kept: bool) -> str:
    width = max(len(name) for name, _, _ in tour.steps)
    lines = [f"{name:<{width}}  {took:6.1f} s  {result}" for name, result, took in tour.steps]
    total = sum(took for _, _, took in tour.steps)
    if kept:
        onward = f"  lazulite up --data-dir {tour.home / 'data'}     # all of it again, as it was"
    else:
        onward = "  lazulite demo --folder my-demo     # again, and keep the server's data"
    return "\n".join(
        [
            "",
            *lines,
            f"{'All numbers are right':<{width}}  {total:6.1f} s",
            "",
            "How to go on:",
            onward,
            "  lazulite up                        # your own server; Ctrl-C stops it",
            '  eval "$(lazulite env)"             # for azure-ai-ml, azure-identity and curl',
            '  eval "$(lazulite az-register)"     # for the Azure CLI',
            f"  {tour.examples}     # the files of this demo, to start from",
        ]
    )


def _shown(text: str, home: Path) -> str:
    """A path below the demo's folder without that folder."""
    return text.removeprefix(f"{home}{os.sep}")


def _say(text: str) -> None:
    print(text, flush=True)
