"""What an invocation of a batch endpoint means, in the forms of 2021 and of 2023."""

import pytest

from lazulite.core.errors import ArmError
from lazulite.deployments.invocations import input_of, output_of, read_invocation

URL = "https://pipelinedata.blob.core.windows.net/sampledata/mnist"
DATASET = "/subscriptions/s/resourceGroups/g/providers/p/workspaces/w/datasets/mnist/versions/2"


def read(**properties):
    return read_invocation({"properties": properties})


@pytest.mark.parametrize(
    ("dataset", "uri"),
    [
        ({"dataInputType": "DataUrl", "Path": URL}, URL),
        ({"DataInputType": "dataurl", "path": URL}, URL),
        ({"path": URL}, URL),
        (
            {"dataInputType": "DatasetVersion", "datasetName": "mnist", "datasetVersion": "17"},
            "azureml:mnist:17",
        ),
        ({"dataInputType": "DatasetVersion", "datasetName": "mnist"}, "azureml:mnist@latest"),
        ({"dataInputType": "DatasetId", "datasetId": DATASET}, DATASET),
    ],
)
def test_a_dataset_of_2021(dataset, uri):
    assert input_of(read(dataset=dataset)) == ("input", {"jobInputType": "uri_folder", "uri": uri})


@pytest.mark.parametrize(
    ("spelling", "kind"),
    [
        ({"JobInputType": "UriFolder", "Uri": URL}, "uri_folder"),
        ({"jobInputType": "uri_file", "uri": URL}, "uri_file"),
        ({"uri": URL, "mode": "ReadOnlyMount"}, "uri_folder"),
    ],
)
def test_an_input_of_2023(spelling, kind):
    invocation = read_invocation({"PROPERTIES": {"InputData": {"mnist": spelling}}})
    assert input_of(invocation) == ("mnist", {"jobInputType": kind, "uri": URL})


@pytest.mark.parametrize(
    ("properties", "why"),
    [
        ({"dataset": {"dataInputType": "DataUrl", "datasetName": "x"}}, "path for DataUrl"),
        ({"dataset": {"dataInputType": "Tape"}}, "'Tape'"),
        ({}, "0 inputs"),
        ({"inputData": {"a": {"uri": URL}, "b": {"uri": URL}}}, "2 inputs"),
        (
            {"inputData": {"a": {"jobInputType": "Literal", "value": "5"}}},
            "LiteralJobInput is not supported",
        ),
        ({"inputData": {"a": {"jobInputType": "CustomModel", "uri": URL}}}, "custom_model"),
        ({"dataset": {"path": URL}, "partitionKeys": ["year"]}, "partitionKeys"),
        ({"dataset": {"path": URL}, "loggingLevel": "loud"}, "'loud'"),
        ({"dataset": {"path": URL}, "maxConcurrencyPerInstance": 1_000_000}, "1000000 is too many"),
        ({"dataset": {"path": URL}, "miniBatchSize": 0}, "miniBatchSize"),
        ({"dataset": {"path": URL}, "retrySettings": {"timeout": "PT0S"}}, "PT0S"),
        ({"dataset": {"path": URL}, "outputFileName": "../x"}, "'../x'"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(properties, why):
    with pytest.raises(ArmError) as refused:
        input_of(read(**properties))
    assert refused.value.status == 400
    assert why in refused.value.message


@pytest.mark.parametrize("body", [[], {"dataset": {}}, {"properties": "all"}])
def test_a_body_without_properties_is_refused(body):
    with pytest.raises(ArmError) as refused:
        read_invocation(body)
    assert refused.value.code == "InvalidRequestContent"


@pytest.mark.parametrize(
    ("properties", "uri"),
    [
        ({}, "azureml://datastores/workspaceblobstore/paths/azureml/j/score"),
        (
            {"OutputDataset": {"DatastoreId": "/a/workspaces/w/datastores/s", "Path": "/out/"}},
            "azureml://datastores/s/paths/out",
        ),
        (
            {"OutputData": {"any": {"JobOutputType": "UriFolder", "Uri": "azureml://x/paths/o/"}}},
            "azureml://x/paths/o",
        ),
    ],
)
def test_where_the_output_goes(properties, uri):
    assert output_of(read(**properties), "j") == uri
