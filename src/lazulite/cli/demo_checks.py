"""Are the demo's numbers right? Each check returns one line about them, or raises CommandError."""

from __future__ import annotations

import csv
import dataclasses
import json
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lazulite.cli.errors import CommandError
from lazulite.cli.http import Http, Request

LEAST_ACCURACY = 0.95
_ROWS_PER_REQUEST = 10


@dataclasses.dataclass(frozen=True)
class Scorer:
    """An online endpoint as any HTTP client sees it."""

    uri: str
    key: str = dataclasses.field(repr=False)
    ca_file: Path | None

    def score(self, http: Http, body: Any) -> Any:
        """What the model answers to the body."""
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        answer = http.send(
            Request(method="POST", url=self.uri, headers=headers, body=json.dumps(body).encode())
        )
        if not answer.is_success:
            raise CommandError("WrongNumbers", f"{self.uri}: {answer.status} {answer.value()}")
        return answer.value()


def online(scorer: Scorer, outputs: Path) -> str:
    """The predictions for held-out digits agree with their labels."""
    rows = json.loads((outputs / "online-request.json").read_text())["data"]
    labels = json.loads((outputs / "online-labels.json").read_text())
    http = Http(scorer.ca_file)
    started, predictions = time.monotonic(), list[Any]()
    for start in range(0, len(rows), _ROWS_PER_REQUEST):
        body = {"data": rows[start : start + _ROWS_PER_REQUEST]}
        predictions += scorer.score(http, body)
    took = time.monotonic() - started
    http.close()
    accuracy = _accuracy(zip(predictions, labels, strict=True))
    requests = -(-len(rows) // _ROWS_PER_REQUEST)
    return f"{len(rows)} digits in {requests} requests in {took:.2f} s, accuracy {accuracy:.4f}"


def mlflow(scorer: Scorer, outputs: Path) -> str:
    """The endpoint's predictions are the MLflow model's own."""
    http = Http(scorer.ca_file)
    predictions = scorer.score(http, json.loads((outputs / "mlflow-request.json").read_text()))
    http.close()
    expected = json.loads((outputs / "mlflow-predictions.json").read_text())
    if predictions != expected:
        raise CommandError(
            "WrongNumbers", "The endpoint's predictions differ from the MLflow model's own."
        )
    return f"{len(expected)} predictions, all equal to the model's own"


def batch(folder: Path, outputs: Path) -> str:
    """Every image has exactly one row, and the rows agree with the labels."""
    with (outputs / "labels.csv").open(newline="") as file:
        labels = {row["file"]: row["digit"] for row in csv.DictReader(file)}
    with (folder / "predictions.csv").open(newline="") as file:
        rows = [(row[0], row[1]) for row in csv.reader(file, delimiter=" ")]
    times = Counter(name for name, _ in rows)
    wrong = [name for name in {*labels, *times} if name not in labels or times[name] != 1]
    if wrong:
        raise CommandError(
            "WrongNumbers",
            f"{len(wrong)} images have no row, several rows, or are unknown: {wrong[:5]}",
        )
    accuracy = _accuracy((digit, labels[name]) for name, digit in rows)
    return f"{len(rows)} images, one row each, accuracy {accuracy:.4f}"


def _accuracy(pairs: Iterable[tuple[Any, Any]]) -> float:
    found = [prediction == label for prediction, label in pairs]
    accuracy = float(sum(found) / len(found))
    if accuracy < LEAST_ACCURACY:
        raise CommandError(
            "WrongNumbers", f"The accuracy is {accuracy:.4f}; at least {LEAST_ACCURACY} is right."
        )
    return accuracy
