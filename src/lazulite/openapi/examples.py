"""What a PUT of each type may say: properties in their internal form, shown in every version's.

A test puts them in this order, named "example" (versions: "1"), so that what they name is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ML = "Microsoft.MachineLearningServices/workspaces"
STORE = "azureml://datastores/workspaceblobstore/paths"
CONDA = "name: scoring\ndependencies:\n  - python=3.11\n  - pip\n  - pip:\n      - scikit-learn\n"

EXAMPLES: Mapping[str, Any] = {
    f"{ML}/datastores": {
        "datastoreType": "AzureBlob",
        "accountName": "mydatastore",
        "containerName": "training-data",
        "credentials": {
            "credentialsType": "AccountKey",
            "secrets": {"secretsType": "AccountKey", "key": "bm90IGEga2V5"},
        },
        "description": "Images to train with.",
    },
    f"{ML}/codes/versions": {"codeUri": f"{STORE}/code/score", "description": "score.py"},
    f"{ML}/models/versions": {
        "modelUri": f"{STORE}/models/sklearn_regression_model.pkl",
        "modelType": "custom_model",
        "tags": {"framework": "scikit-learn"},
    },
    f"{ML}/environments/versions": {
        "image": "mcr.microsoft.com/azureml/openmpi3.1.2-ubuntu18.04",
        "condaFile": CONDA,
    },
    f"{ML}/data/versions": {"dataUri": f"{STORE}/images/", "dataType": "uri_folder"},
    f"{ML}/datasets/versions": {"dataUri": f"{STORE}/images/", "dataType": "uri_folder"},
    f"{ML}/components/versions": {
        "componentSpec": {
            "name": "example",
            "version": "1",
            "type": "command",
            "command": "python train.py",
            "code": "azureml:example:1",
            "environment": "azureml:example:1",
        }
    },
    f"{ML}/connections": {
        "category": "PythonFeed",
        "target": "https://packages.example.com/simple",
        "authType": "PAT",
        "credentials": {"pat": "not-a-secret"},
    },
    f"{ML}/computes": {
        "computeType": "AmlCompute",
        "properties": {
            "vmSize": "STANDARD_DS3_V2",
            "scaleSettings": {
                "minNodeCount": 0,
                "maxNodeCount": 2,
                "nodeIdleTimeBeforeScaleDown": "PT2M",
            },
        },
    },
    f"{ML}/onlineEndpoints": {"authMode": "Key", "description": "Predicts the risk."},
    f"{ML}/onlineEndpoints/deployments": {
        "endpointComputeType": "Managed",
        "model": "azureml:example:1",
        "codeConfiguration": {"codeId": "azureml:example:1", "scoringScript": "score.py"},
        "environmentId": "azureml:example:1",
        "instanceType": "Standard_DS3_v2",
    },
    f"{ML}/batchEndpoints": {
        "authMode": "AADToken",
        "defaults": {"deploymentName": "example"},
        "description": "Scores images at night.",
    },
    f"{ML}/batchEndpoints/deployments": {
        "model": {"referenceType": "Id", "assetId": "azureml:example:1"},
        "codeConfiguration": {"codeId": "azureml:example:1", "scoringScript": "batch.py"},
        "environmentId": "azureml:example:1",
        "compute": "azureml:example",
        "resources": {"instanceCount": 1},
        "miniBatchSize": 10,
        "outputAction": "AppendRow",
        "outputFileName": "predictions.csv",
    },
    f"{ML}/jobs": {
        "jobType": "Command",
        "experimentName": "training",
        "command": "python train.py --epochs 3",
        "codeId": "azureml:example:1",
        "environmentId": "azureml:example:1",
        "computeId": "azureml:example",
        "resources": {"instanceCount": 1},
    },
    f"{ML}/schedules": {
        "displayName": "Every night",
        "trigger": {"triggerType": "Cron", "expression": "0 3 * * *"},
        "action": {
            "actionType": "CreateJob",
            "jobDefinition": {
                "jobType": "Command",
                "command": "python train.py",
                "environmentId": "azureml:example:1",
                "computeId": "azureml:example",
            },
        },
    },
}
