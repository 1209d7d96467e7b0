"""Every setting of batch endpoints, deployments and jobs: its names, default, check and test.

The tables of docs/batch-options.md are written from these rows; tests/kinds/test_batch_options.py
holds the product to them.
"""

import dataclasses
import re
from typing import Any


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting of a deployment."""

    yaml: str
    """Its key in seed 004; dots for what is nested."""
    old: str = ""
    """Its key in seed 001, if that is another one."""
    rest: str
    """Its path below the properties of REST."""
    job: str = ""
    """How one job has another value, in the words of `--set`."""
    default: Any = None
    """As REST shows it."""
    rule: str
    good: tuple[Any, ...] = ()
    """Values that are taken, in REST's words."""
    bad: tuple[Any, ...] = ()
    """Values that are refused with 400, naming the property."""
    test: str
    """The test of what it does."""


ENDPOINTS = (
    Setting(yaml="name", rest="(the path)", rule="a letter, then letters, digits and `-`, a letter or digit last; at most 32; required", test="test_an_endpoint_is_held_to_the_rules_of_its_name"),
    Setting(yaml="auth_mode", rest="authMode", default="AADToken", good=("aadToken", "AADToken"), bad=("Key", "AMLToken", "none"), rule="`aad_token`", test="test_what_an_endpoint_can_say"),
    Setting(yaml="defaults.deployment_name", rest="defaults.deploymentName", good=("one", "", None), bad=(["one"],), rule="the deployment that is invoked unless another one is named", test="test_without_a_default_deployment_the_header_must_name_one"),
    Setting(yaml="traffic", rest="traffic (2021-03-01-preview)", rule="2021-05: 0 or 100 for each deployment; the one with 100 is the default", test="test_traffic_of_a_batch_endpoint_is_all_or_nothing"),
    Setting(yaml="type", rest="", rule="2021-05: `batch`", test="test_the_endpoint_has_the_deployment_of_its_file"),
    Setting(yaml="deployments", rest="", rule="2021-05: what is deployed with the endpoint", test="test_the_endpoint_has_the_deployment_of_its_file"),
    Setting(yaml="description", rest="description", good=("d",), bad=(["d"],), rule="a text", test="test_what_an_endpoint_can_say"),
    Setting(yaml="properties", rest="properties", default={}, good=({"a": "b"},), bad=("a",), rule="names and texts", test="test_what_an_endpoint_can_say"),
)  # fmt: skip
SETTINGS = (
    Setting(yaml="model", rest="model", rule="`azureml:<name>:<version>`, or `path`/`local_path` (uploaded), `name`, `version`", test="test_an_added_deployment_changes_nothing_of_the_active_one"),
    Setting(yaml="code_configuration.code", old="code_configuration.code.local_path", rest="codeConfiguration.codeId", rule="a local folder, or `azureml:<name>:<version>`; an MLflow model needs none", test="test_registered_and_local_data_are_scored"),
    Setting(yaml="code_configuration.scoring_script", rest="codeConfiguration.scoringScript", bad=("",), rule="a Python file in that folder with `run(mini_batch)`", test="test_every_file_is_scored_once_and_in_order"),
    Setting(yaml="environment", rest="environmentId", rule="`azureml:<name>:<version>`, or `conda_file`, `image` (`docker.image`), `name`, `version`; an MLflow model brings its own", test="test_an_added_deployment_changes_nothing_of_the_active_one"),
    Setting(yaml="compute", old="compute.target", rest="compute", job="compute", bad=("",), rule="`azureml:<cluster>`; required", test="test_the_invocations_compute_wins"),
    Setting(yaml="resources.instance_count", old="compute.instance_count", rest="resources.instanceCount", job="instance_count", default=1, good=(1, "5", 100), bad=(0, -1, "x"), rule="1 to the cluster's `max_instances`", test="test_more_nodes_than_the_cluster_has_are_refused_with_the_reason"),
    Setting(yaml="max_concurrency_per_instance", rest="maxConcurrencyPerInstance", job="max_concurrency_per_instance", default=1, good=(1, "4"), bad=(0, -1, 1.5, 2_147_483_647), rule="1 to 64 processes on each node, or to 4 for each core if that is more", test="test_init_is_called_once_in_each_process"),
    Setting(yaml="mini_batch_size", rest="miniBatchSize", job="mini_batch_size", default=10, good=(1, "5", 1 << 40), bad=(0, -1, "many"), rule="1 or more files in each call of `run()`", test="test_settings_of_the_invocation_win"),
    Setting(yaml="output_action", rest="outputAction", default="AppendRow", good=("AppendRow", "append_row", "summaryOnly"), bad=("Merge",), rule="`append_row` or `summary_only`", test="test_summary_only_keeps_the_files_of_the_script_and_a_summary"),
    Setting(yaml="output_file_name", rest="outputFileName", job="output_file_name", default="predictions.csv", good=("rows.csv", "x"), bad=("a/b.csv", "..", "", "\\"), rule="a name of a file, without a folder", test="test_settings_of_the_invocation_win"),
    Setting(yaml="retry_settings.max_retries", rest="retrySettings.maxRetries", job="retry_settings.max_retries` or `max_retries", default=3, good=(0, "3"), bad=(-1, "often"), rule="0 or more tries after the first one", test="test_a_mini_batch_is_tried_once_more_than_max_retries"),
    Setting(yaml="retry_settings.timeout", rest="retrySettings.timeout", job="retry_settings.timeout` or `timeout", default="PT30S", good=("PT1S", "P3D", "PT0.5S"), bad=("PT0S", "P4D", "30 s"), rule="seconds for one `run()`, more than 0 and at most 259,200; the process is killed then", test="test_a_run_that_hangs_is_killed_and_counted"),
    Setting(yaml="error_threshold", rest="errorThreshold", job="error_threshold", default=-1, good=(-1, 0, "10", 2_147_483_647), bad=(-2, "none", 2_147_483_648), rule="-1 (any number) to 2147483647 files that may fail", test="test_files_over_the_error_threshold_fail_the_job"),
    Setting(yaml="logging_level", rest="loggingLevel", job="logging_level", default="Info", good=("info", "WARNING", "Debug"), bad=("loud",), rule="`warning`, `info` or `debug`", test="test_the_logging_level_is_that_of_the_script"),
    Setting(yaml="environment_variables", rest="environmentVariables", default={}, good=({"A": "b"},), bad=("A=b", ["A"]), rule="names and texts", test="test_arguments_and_variables_are_seen_by_the_script"),
    Setting(yaml="description", rest="description", rule="a text", good=("d",), test="test_a_job_has_its_status_at_the_top_and_in_properties"),
    Setting(yaml="properties", rest="properties", default={}, good=({"a": "b"},), bad=("a",), rule="names and texts", test="test_extensions_of_a_deployment_are_checked_when_it_is_written"),
    Setting(yaml="properties[lazulite.output_format]", rest="properties[lazulite.output_format]", job="output_format", default="azure", good=("csv", "jsonl", "parquet", "azure"), bad=("xml",), rule="`azure`, `csv`, `jsonl` or `parquet`", test="test_rows_with_columns_are_in_input_order_with_one_header"),
    Setting(yaml="properties[lazulite.program_arguments]", rest="properties[lazulite.program_arguments]", job="program_arguments", default="", good=("--a 1",), bad=("--allowed_failed_count x", "'"), rule="words for `sys.argv`", test="test_arguments_and_variables_are_seen_by_the_script"),
    Setting(yaml="properties[lazulite.mini_batch]", rest="properties[lazulite.mini_batch]", job="mini_batch", default="files", good=("files", "rows:10000"), bad=("rows", "rows:0"), rule="`files`, or `rows:<number>` of a table in each call of `run()`", test="test_a_table_is_scored_by_rows_where_a_property_asks_for_it"),
)  # fmt: skip


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asked:
    """One thing that an invocation can say."""

    cli: str
    """Flags, or keys of `--set` and `--file`."""
    old: str = ""
    """Flags of `az ml endpoint invoke --type batch`, if others."""
    rest: str
    """What the body or a header says."""
    meaning: str
    test: str


ASKED = (
    Asked(cli="--input", rest="inputData.<any>.uri, .jobInputType", meaning="a local path (uploaded), a URI or `azureml:<data>:<version>`; exactly one input", test="test_every_form_of_input_is_read"),
    Asked(cli="--input-type", rest="inputData.<any>.jobInputType", meaning="`uri_folder`, `uri_file` or `mltable`, where it is not plain from the path", test="test_every_form_of_input_is_read"),
    Asked(cli="--inputs, inputs.<name>.path, inputs.<name>.type", rest="inputData.<name>", meaning="the same by a name, which has no effect; literals are refused", test="test_inputs_and_outputs_can_have_names"),
    Asked(cli="--input-path", rest="dataset.dataInputType DataUrl, dataset.path", meaning="`folder:<uri>` or `file:<uri>`; a folder of a public container is listed", test="test_a_folder_and_a_file_of_the_cloud_are_scored"),
    Asked(cli="--input-datastore", rest="inputData.<any>.uri", meaning="the datastore that `--input-path` is a path in", test="test_data_may_be_registered_in_a_datastore_or_here"),
    Asked(cli="--input-local-path", rest="inputData.<any>.uri", meaning="a local path, uploaded and registered under the hash of its content", test="test_a_local_path_of_2021_is_registered_under_its_content"),
    Asked(cli="--input-dataset", old="--input-data", rest="dataset.dataInputType DatasetVersion or DatasetId, .datasetName, .datasetVersion, .datasetId", meaning="registered data; without a version the latest", test="test_registered_and_local_data_are_scored"),
    Asked(cli="--deployment-name", old="--deployment", rest="header azureml-model-deployment", meaning="another deployment than the default one", test="test_the_path_or_the_header_chooses_the_deployment"),
    Asked(cli="--output-path", rest="outputDataset.path, outputData.<any>.uri", meaning="the folder of the output; a file in it must not be there", test="test_output_and_settings_are_those_of_the_invocation"),
    Asked(cli="--output-datastore", rest="outputDataset.datastoreId", meaning="the datastore that `--output-path` is a path in", test="test_settings_of_one_job_are_sent_with_it"),
    Asked(cli="--outputs, outputs.<name>.path, outputs.<name>.type", rest="outputData.<name>.uri, .jobOutputType", meaning="the same by a name; a `uri_file` with a dot in its name is folder and file name", test="test_inputs_and_outputs_can_have_names"),
    Asked(cli="--mini-batch-size", rest="miniBatchSize", meaning="see above", test="test_settings_of_one_job_are_sent_with_it"),
    Asked(cli="--instance-count, resources.instance_count, compute.instance_count", rest="compute.instanceCount", meaning="see above", test="test_settings_of_one_job_are_sent_with_it"),
    Asked(cli="--job-name, job_name", rest="name", meaning="the job's name instead of a GUID; one that is taken is refused", test="test_a_name_that_is_taken_is_refused"),
    Asked(cli="--experiment-name, experiment_name", rest="properties.experimentName", meaning="the experiment, instead of the endpoint's name", test="test_settings_of_one_job_are_sent_with_it"),
    Asked(cli="--rerun-failed", rest="properties[lazulite.rerun_failed]", meaning="the name of a job: only what failed in it", test="test_only_what_failed_is_run_again"),
    Asked(cli="description, tags, properties", rest="description, tags, properties", meaning="kept with the job", test="test_a_job_has_its_status_at_the_top_and_in_properties"),
    Asked(cli="--file", rest="the body", meaning="a YAML file with any of the keys", test="test_a_file_says_what_options_would"),
    Asked(cli="--set", rest="the body", meaning="any key, over the file and the options", test="test_settings_of_one_job_are_sent_with_it"),
    Asked(cli="every invocation", rest="header repeatability_request-id, or x-ms-client-request-id with a GUID", meaning="a repeat of the request gets the job that is there", test="test_repeats_at_the_same_time_are_one_job"),
)  # fmt: skip


def settings_table() -> str:
    """What a deployment says, and a job may say otherwise."""
    head = "| YAML | REST | one job: `--set` | default | allowed | test |"
    lines = [head, "|---|---|---|---|---|---|"]
    for each in SETTINGS:
        yaml = f"`{each.yaml}`" + (f"; 2021-05: `{each.old}`" if each.old else "")
        default = "" if each.default in (None, {}, "") else f"`{each.default}`"
        job = f"`{each.job}`" if each.job else ""
        cells = (yaml, f"`{each.rest}`", job, default, each.rule, f"`{each.test}`")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def endpoints_table() -> str:
    """What an endpoint says."""
    lines = ["| YAML | REST | default | allowed | test |", "|---|---|---|---|---|"]
    for each in ENDPOINTS:
        default = f"`{each.default}`" if each.default else ""
        cells = (f"`{each.yaml}`", _coded(each.rest), default, each.rule, f"`{each.test}`")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def asked_table() -> str:
    """What an invocation says besides."""
    lines = ["| command line | REST | meaning | test |", "|---|---|---|---|"]
    for each in ASKED:
        flags = ", ".join(f"`{flag}`" for flag in each.cli.split(", "))
        flags += f"; 2021-05: `{each.old}`" if each.old else ""
        lines.append(f"| {flags} | {_coded(each.rest)} | {each.meaning} | `{each.test}` |")
    return "\n".join(lines)


def _coded(text: str) -> str:
    """With the names that are no plain words as code."""
    name = r"[\w.<>\[\]-]*[.<_\[-][\w.<>\[\]-]*|\b[a-z]+[A-Z]\w*"
    return re.sub(name, r"`\g<0>`", text)
