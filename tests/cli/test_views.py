"""What is shown can be put again: an update must lose nothing."""

from datetime import UTC, datetime

import pytest
from azure.core.pipeline import PipelineContext, PipelineRequest
from azure.core.pipeline.transport import HttpRequest
from azure.storage.blob._shared.authentication import SharedKeyCredentialPolicy
from hypothesis import given
from hypothesis import strategies as st

from lazulite.cli import (
    batch_deployments,
    batch_endpoints,
    compute_bodies,
    online_deployments,
    online_endpoints,
)
from lazulite.cli.batch_inputs import guess, prefixed
from lazulite.cli.batch_invocations import settings_body
from lazulite.cli.downloads import parse
from lazulite.cli.errors import CommandError
from lazulite.cli.http import Request
from lazulite.cli.shared_key import signed
from lazulite.cli.wire import camel, snake

texts = st.text("abcXYZ-_. 1é", min_size=1, max_size=8)
counts = st.integers(0, 1000)
probes = st.fixed_dictionaries({}, optional={
    "failure_threshold": counts, "success_threshold": counts, "period": counts,
    "initial_delay": counts, "timeout": counts})  # fmt: skip
online = st.fixed_dictionaries(
    {"name": texts, "instance_count": st.integers(1, 9), "tags": st.dictionaries(texts, texts)},
    optional={
        "description": texts,
        "model": texts,
        "environment": texts,
        "code_configuration": st.fixed_dictionaries({"code": texts, "scoring_script": texts}),
        "environment_variables": st.dictionaries(texts, texts),
        "instance_type": texts,
        "app_insights_enabled": st.booleans(),
        "request_settings": st.fixed_dictionaries(
            {"request_timeout_ms": st.integers(1, 180_000), "max_queue_wait_ms": counts}
        ),
        "liveness_probe": probes.filter(bool),
        "readiness_probe": probes.filter(bool),
        "scale_settings": st.fixed_dictionaries(
            {"type": st.just("target_utilization"), "min_instances": counts,
             "polling_interval": counts}
        ),
    },
)  # fmt: skip
batch = st.fixed_dictionaries(
    {
        "name": texts,
        "compute": texts,
        "resources": st.fixed_dictionaries({"instance_count": st.integers(1, 9)}),
    },
    optional={
        "description": texts,
        "model": texts,
        "mini_batch_size": counts,
        "error_threshold": st.integers(-1, 9),
        "output_action": st.sampled_from(["append_row", "summary_only"]),
        "logging_level": st.sampled_from(["info", "debug", "warning"]),
        "retry_settings": st.fixed_dictionaries({"max_retries": counts, "timeout": counts}),
    },
)


@given(online)
def test_an_online_deployment_shown_is_the_one_put(values):
    body = online_deployments.to_body(values, "here")
    shown = online_deployments.view({"name": values["name"], **body})
    assert values.items() <= shown.items()


@given(batch)
def test_a_batch_deployment_shown_is_the_one_put(values):
    body = batch_deployments.to_body(values, "here")
    shown = batch_deployments.view({"name": values["name"], **body})
    assert values.items() <= shown.items()


@given(st.dictionaries(texts, counts), st.sampled_from(["key", "aml_token", "aad_token"]))
def test_an_online_endpoint_shown_is_the_one_put(traffic, mode):
    values = {"name": "e", "traffic": traffic, "auth_mode": mode, "tags": {"A b": "1"}}
    body = online_endpoints.to_body(values, "here")
    assert values.items() <= online_endpoints.view({"name": "e", **body}).items()


def test_a_batch_endpoint_shown_is_the_one_put():
    values = {"name": "e", "auth_mode": "aad_token", "defaults": {"deployment_name": "d"}}
    body = batch_endpoints.to_body(values, "here")
    assert values.items() <= batch_endpoints.view({"name": "e", **body}).items()


def test_a_compute_shown_is_the_one_put():
    values = {
        "name": "c",
        "type": "amlcompute",
        "tier": "low_priority",
        "size": "S",
        "min_instances": 0,
        "max_instances": 3,
        "idle_time_before_scale_down": 7,
    }
    body = compute_bodies.to_body(values, "here")
    assert values.items() <= compute_bodies.view({"name": "c", **body}).items()


@given(st.from_regex(r"[a-z]{2,5}(_[a-z]{2,5}){0,3}", fullmatch=True))
def test_snake_case_is_undone_by_camel_case(name):
    assert snake(camel(name)) == name


def test_settings_may_be_nested_or_at_the_root():
    nested = {"compute": "c", "settings": {"mini_batch_size": 5, "retry_settings": {"timeout": 9}}}
    assert batch_deployments.flattened(nested) == {
        "compute": "c",
        "mini_batch_size": 5,
        "retry_settings": {"timeout": 9},
    }


def test_the_compute_mapping_of_june_2021_is_read():
    flat = batch_deployments.flattened({"compute": {"target": "azureml:c", "instance_count": 3}})
    assert flat == {"compute": "azureml:c", "resources": {"instance_count": 3}}


def test_overrides_may_be_nested_or_bare():
    expected = {"retrySettings": {"maxRetries": 1, "timeout": "PT9S"}}
    assert settings_body({"max_retries": 1, "timeout": 9}) == expected
    assert settings_body({"retry_settings": {"max_retries": 1, "timeout": 9}}) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("folder:azureml://a", ("uri_folder", "azureml://a")),
        ("file:https://a/b.csv", ("uri_file", "https://a/b.csv")),
        ("https://a/b", ("", "https://a/b")),
        ("file:///a", ("", "file:///a")),
    ],
)
def test_prefixes_of_2021_tell_the_type(text, expected):
    assert prefixed(text) == expected


def test_a_uri_with_a_suffix_is_taken_for_a_file():
    assert guess("https://a.b/c/d.csv?sig=x") == "uri_file"
    assert guess("https://a.b/c/d") == "uri_folder"


@pytest.mark.parametrize(
    "uri",
    [
        "azureml://datastores/d/paths/a/b",
        "azureml://subscriptions/s/resourcegroups/g/workspaces/w/datastores/d/paths/a/b",
    ],
)
def test_both_forms_of_a_data_uri_are_read(uri):
    assert parse(uri) == ("d", "a/b")


def test_other_uris_are_refused():
    with pytest.raises(CommandError, match="azureml://datastores"):
        parse("https://a/b")


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("PUT", "/store.blob.core.local/c/LocalUpload/a%20b/%C3%A9.png", ""),
        ("GET", "/store.blob.core.local/c", "restype=container&comp=list&prefix=a%2Fb&marker="),
    ],
)
def test_shared_keys_are_signed_as_azure_storage_blob_signs(tmp_path, method, path, query):
    """The oracle is Microsoft's own client. Source: spec/CLIENTS.md 4.2."""
    body = tmp_path / "body"
    body.write_bytes(b"12345")
    date = datetime(2026, 1, 2, tzinfo=UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    headers = {"x-ms-version": "2021-08-06", "x-ms-date": date, "If-None-Match": "*"}
    url = f"https://localhost:8443{path}?{query}"
    request = Request(
        method=method, url=url, headers=headers, body=body if method == "PUT" else None
    )
    ours = signed(request, "c2VjcmV0")
    theirs = HttpRequest(method, url, headers=dict(headers))
    if method == "PUT":
        theirs.headers["Content-Length"] = "5"
    policy = SharedKeyCredentialPolicy("store", "c2VjcmV0")
    policy.on_request(PipelineRequest(theirs, PipelineContext(None)))
    assert ours.headers["Authorization"] == theirs.headers["Authorization"]
