from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, RootModel, ValidationError
from pydantic.alias_generators import to_camel
from typing_extensions import TypeAliasType

from lazulite.arm.names import canonical
from lazulite.core.errors import ArmError


class Wire(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class AuthMode(StrEnum):
    KEY = "Key"
    AML_TOKEN = "AMLToken"
    AAD_TOKEN = "AADToken"


class Probe(Wire):
    initial_delay: str = "PT10S"
    failure_threshold: int = 30


class UriFile(Wire):
    job_input_type: Literal["uri_file"]
    uri: str


class UriFolder(Wire):
    job_input_type: Literal["uri_folder", "mltable"]
    uri: str
    mode: Literal["ReadOnlyMount", "Download"] | None = None


class LiteralInput(Wire):
    job_input_type: Literal["literal"]
    value: str


JobInput = Annotated[UriFile | UriFolder | LiteralInput, Field(discriminator="job_input_type")]


class Endpoint(Wire):
    auth_mode: AuthMode = AuthMode.KEY
    liveness_probe: Probe | None = None
    probes: list[Probe] = []
    by_name: dict[str, Probe] = {}
    by_mode: dict[AuthMode, int] = {}
    inputs: dict[str, JobInput] = {}
    main_input: JobInput | None = None
    one_input: UriFile | UriFolder | None = Field(None, discriminator="job_input_type")
    scale: Literal["auto"] | int = 1
    traffic: dict[str, int] = {}
    mini_batch_size: int = 10
    anything: Any = None


def test_property_names_are_matched_without_case_at_every_level() -> None:
    given_body = {
        "AUTHMODE": "Key",
        "LivenessProbe": {"InitialDelay": "PT1S", "failurethreshold": 3},
        "Probes": [{"FAILURETHRESHOLD": 1}, {"failureThreshold": 2}],
        "ByName": {"Blue": {"FailureThreshold": 4}},
        "Traffic": {"Blue": 100},
    }

    assert canonical(Endpoint, given_body) == {
        "authMode": "Key",
        "livenessProbe": {"initialDelay": "PT1S", "failureThreshold": 3},
        "probes": [{"failureThreshold": 1}, {"failureThreshold": 2}],
        "byName": {"Blue": {"failureThreshold": 4}},
        "traffic": {"Blue": 100},
    }


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        ("aadToken", "AADToken"),
        ("amltoken", "AMLToken"),
        ("aml_token", "AMLToken"),
        ("AAD_TOKEN", "AADToken"),
        ("KEY", "Key"),
        ("AADToken", "AADToken"),
        ("nothing", "nothing"),
        ("", ""),
        (7, 7),
        (None, None),
        (["key"], ["key"]),
    ],
)
def test_enum_values_are_matched_without_case_and_underscores(given_value, expected) -> None:
    assert canonical(Endpoint, {"authMode": given_value}) == {"authMode": expected}


@pytest.mark.parametrize(
    "spelling", ["uri_folder", "UriFolder", "URIFOLDER", "urifolder", "URI_Folder"]
)
@pytest.mark.parametrize("name", ["jobInputType", "JobInputType", "JOBINPUTTYPE"])
def test_discriminator_is_found_in_any_spelling_and_position(name: str, spelling: str) -> None:
    body = {"Uri": "azureml://x", "MODE": "download", name: spelling}

    for field, value in (("MainInput", body), ("oneInput", body)):
        (found,) = canonical(Endpoint, {field: value}).values()
        assert found == {"uri": "azureml://x", "mode": "Download", "jobInputType": "uri_folder"}
    inputs = canonical(Endpoint, {"Inputs": {"MyData": body}})
    assert Endpoint.model_validate(inputs).inputs["MyData"] == UriFolder(
        jobInputType="uri_folder", uri="azureml://x", mode="Download"
    )


def test_unknown_discriminator_is_left_for_a_good_refusal() -> None:
    for wrong in ({"JobInputType": "strange"}, {}, {"jobInputType": 3}):
        found = canonical(Endpoint, {"mainInput": wrong})
        with pytest.raises(ValidationError, match=r"job_input_type|jobInputType"):
            Endpoint.model_validate(found)
    assert canonical(Endpoint, {"mainInput": {"JobInputType": "strange"}}) == {
        "mainInput": {"jobInputType": "strange"}
    }


def test_unknown_properties_and_free_values_pass_untouched() -> None:
    body = {"Strange": {"AUTHMODE": "KEY"}, "anything": {"AuthMode": "KEY"}, "mini_batch_size": 1}

    assert canonical(Endpoint, body) == body


@pytest.mark.parametrize(
    "body",
    [
        {"livenessProbe": "text", "probes": {"a": 1}, "byName": [1], "inputs": "x"},
        {"probes": [1, None, "x", [1]], "mainInput": [], "scale": {"a": 1}},
        {"livenessProbe": None, "probes": None, "mainInput": None},
    ],
)
def test_values_of_the_wrong_shape_are_left_to_validation(body: dict[str, Any]) -> None:
    assert canonical(Endpoint, body) == body


def test_numbers_as_strings_are_left_to_pydantic() -> None:
    found = canonical(Endpoint, {"MiniBatchSize": "5", "Scale": "AUTO"})

    assert found == {"miniBatchSize": "5", "scale": "auto"}
    assert Endpoint.model_validate(found).mini_batch_size == 5


def test_dictionary_keys_that_are_enums_are_matched_too() -> None:
    assert canonical(Endpoint, {"byMode": {"aadtoken": 1}}) == {"byMode": {"AADToken": 1}}


@pytest.mark.parametrize(
    ("body", "target"),
    [
        ({"authMode": "Key", "AuthMode": "Key"}, "authMode"),
        ({"probes": [{}, {"initialDelay": "a", "INITIALDELAY": "b"}]}, "probes[1].initialDelay"),
        ({"byName": {"x": {"initialDelay": 1, "InitialDelay": 1}}}, "byName.x.initialDelay"),
    ],
)
def test_two_spellings_of_one_property_are_refused(body: dict[str, Any], target: str) -> None:
    with pytest.raises(ArmError) as caught:
        canonical(Endpoint, body)
    assert (caught.value.status, caught.value.target) == (400, target)
    assert target in caught.value.message


def test_dictionary_keys_that_differ_by_case_are_the_users_own() -> None:
    body = {"traffic": {"blue": 50, "Blue": 50}}

    assert canonical(Endpoint, body) == body


class Tree(Wire):
    child_node: Tree | None = None
    children: list[Tree] = []


def test_models_may_contain_themselves() -> None:
    body = {"CHILDNODE": {"ChildNode": {"Children": [{"CHILDREN": []}]}}}

    assert canonical(Tree, body) == {"childNode": {"childNode": {"children": [{"children": []}]}}}


Mode = TypeAliasType("Mode", Literal["fast", "slow_and_safe"])


class Odd(BaseModel):
    plain: Literal["A"] = "A"
    chosen: Mode = "fast"
    several: int = Field(0, validation_alias=AliasChoices("newName", "oldName"))
    wrapped: Annotated[Literal["On", "Off"], Field(alias="theSwitch")] = "On"
    pair: tuple[Probe, ...] = ()
    names: RootModel[list[Probe]] | None = None
    any_model: Probe | Tree | None = None
    either: list[Probe] | Probe | None = None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"PLAIN": "a"}, {"plain": "A"}),
        ({"Chosen": "SlowAndSafe"}, {"chosen": "slow_and_safe"}),
        ({"OLDNAME": 3}, {"newName": 3}),
        ({"THESWITCH": "off"}, {"theSwitch": "Off"}),
        ({"pair": [{"INITIALDELAY": "x"}]}, {"pair": [{"initialDelay": "x"}]}),
        ({"names": [{"INITIALDELAY": "x"}]}, {"names": [{"initialDelay": "x"}]}),
        ({"any_model": {"CHILDNODE": None}}, {"any_model": {"childNode": None}}),
        ({"any_model": {"INITIALDELAY": "x"}}, {"any_model": {"initialDelay": "x"}}),
        ({"either": [{"INITIALDELAY": "x"}]}, {"either": [{"initialDelay": "x"}]}),
        ({"either": {"INITIALDELAY": "x"}}, {"either": {"initialDelay": "x"}}),
    ],
)
def test_all_forms_of_annotation_are_walked(body: dict[str, Any], expected: dict[str, Any]) -> None:
    assert canonical(Odd, body) == expected


CASED = st.sampled_from([str.lower, str.upper, str.title, str.swapcase])


@given(CASED, CASED, st.sampled_from(list(AuthMode)), st.integers())
def test_any_capitalisation_validates_as_the_canonical_one(names, values, mode, number) -> None:
    body = {
        names("authMode"): values(mode.value),
        names("livenessProbe"): {names("failureThreshold"): number},
        names("mainInput"): {names("uri"): "U", names("jobInputType"): values("uri_file")},
    }

    found = Endpoint.model_validate(canonical(Endpoint, body))

    assert found.auth_mode is mode
    assert found.liveness_probe == Probe(failureThreshold=number)
    assert found.main_input == UriFile(jobInputType="uri_file", uri="U")
    assert canonical(Endpoint, canonical(Endpoint, body)) == canonical(Endpoint, body)
