"""The client as a user's script makes it, told by the variables of `lazulite env` alone."""

import os
from pathlib import Path

from azure.ai.ml import MLClient
from azure.identity import DefaultAzureCredential

SUBSCRIPTION = os.environ["AZURE_SUBSCRIPTION_ID"]
GROUP = os.environ["LAZULITE_RESOURCE_GROUP"]
WORKSPACE = os.environ["LAZULITE_WORKSPACE"]
CONDA = "name: plain\ndependencies:\n  - python\n"
ECHO = """\
import json
import os

def init():
    print("begun")

def run(text):
    return {"deployment": os.environ["DEPLOYMENT"], "sum": sum(json.loads(text)["data"])}
"""


def ml_client(workspace=WORKSPACE):
    return MLClient(DefaultAzureCredential(), SUBSCRIPTION, GROUP, workspace)


def written(path, text):
    """A file of the working folder with that text; its path."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def refusal(kind, call, *words):
    """The text of the error that a call must raise; it has all words."""
    try:
        call()
    except kind as error:
        text = str(error)
        assert all(word in text for word in words), text
        return text
    raise AssertionError(f"{kind.__name__} was not raised")
