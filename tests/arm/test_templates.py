"""Templates of Azure Resource Manager: what their expressions come to, and what is deployed."""

import json
from types import SimpleNamespace

import pytest

from lazulite.arm import template_deployments
from lazulite.arm.template_expressions import Values, evaluate
from lazulite.arm.templates import resources_of
from lazulite.core.errors import ArmError

OWNER = {"subscriptionId": "S", "tenantId": "T"}
GROUP = {"name": "G", "location": "here"}
VALUES = Values(
    {"name": "it's", "many": ["a", "b"], "deep": {"Inner": {"x": 3}}},
    {"twice": "[concat(parameters('name'), parameters('name'))]", "round": "[variables('round')]"},
    OWNER,
    GROUP,
)
STORAGE = "Microsoft.Storage/storageAccounts"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("[[literal]", "[literal]"),
        ("[parameters('NAME')]", "it's"),
        ("['it''s']", "it's"),
        ("[variables('twice')]", "it'sit's"),
        ("[parameters('many')[1]]", "b"),
        ("[parameters('deep').inner.x]", 3),
        ("[if(equals(length(parameters('many')), 2), 'two', parameters('absent'))]", "two"),
        ("[and(not(empty('')), parameters('absent'))]", False),
        ("[or(equals(toLower('A'), 'a'), parameters('absent'))]", True),
        ("[json('null')]", None),
        ("[concat(parameters('many'), createArray('c'))]", ["a", "b", "c"]),
        ("[array('x')]", ["x"]),
        ("[subscription().tenantId]", "T"),
        ("[resourceGroup().location]", "here"),
        (
            f"[resourceId('{STORAGE}', 'x')]",
            f"/subscriptions/S/resourceGroups/G/providers/{STORAGE}/x",
        ),
        (
            f"[resourceId('other', 'group', '{STORAGE}/blobServices', 'x', 'default')]",
            f"/subscriptions/other/resourceGroups/group/providers/{STORAGE}/x/blobServices/default",
        ),
        ({"k": ["[parameters('name')]"]}, {"k": ["it's"]}),
    ],
)
def test_expressions_come_to(text, value):
    assert evaluate(text, VALUES) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[reference('x')]", "'reference' is not known"),
        ("[parameters('absent')]", "'absent' is not declared"),
        ("[variables('round')]", "refers to itself"),
        ("[concat('a']", "',' is missing"),
        ("[concat('a',]", "ends early"),
        ("[concat('a' 'b')]", "',' is missing"),
        ("[concat('a'))]", "is not expected"),
        ("[parameters('deep').none]", "cannot be worked out"),
        (f"[resourceId('{STORAGE}')]", "needs 1 names"),
        ("[resourceId('x')]", "needs a type"),
        ("[int(json('1e999'))]", "cannot be worked out"),
        ("[" + "not(" * 5000 + "]", "too deep"),
    ],
)
def test_faults_of_expressions_are_named(text, said):
    with pytest.raises(ArmError, match="Deployment template validation failed") as error:
        evaluate(text, VALUES)
    assert said in str(error.value)


def wanted(*resources, given=None, **template):
    return resources_of({"resources": list(resources), **template}, given or {}, OWNER, GROUP)


def test_resources_come_behind_what_they_depend_on_and_only_if_they_are_wanted():
    account = {"type": STORAGE, "name": "acc", "apiVersion": "2023-01-01", "kind": "StorageV2"}
    user = {"type": "P/users", "name": "u", "dependsOn": [f"[resourceId('{STORAGE}', 'acc')]"]}
    inside = {**user, "resources": [{"type": "keys", "name": "k", "properties": {"a": "[1]"}}]}
    unwanted = {**account, "name": "no", "condition": "[equals('a', 'b')]"}
    found = wanted(inside, account, unwanted)
    assert [one.path for one in found] == [f"{STORAGE}/acc", "P/users/u", "P/users/u/keys/k"]
    assert (found[0].version, found[0].body) == ("2023-01-01", {"kind": "StorageV2"})


def test_parameters_have_defaults_and_limits():
    declared = {"a": {"defaultValue": "x"}, "b": {"allowedValues": ["1", "2"]}}
    resource = {"type": "P/t", "name": "[concat(parameters('a'), parameters('b'))]"}
    (found,) = wanted(resource, parameters=declared, given={"B": {"value": "2"}})
    assert found.path == "P/t/x2"
    for given, said in (
        ({}, "no value for the parameter 'b'"),
        ({"b": {"value": "3"}}, "must be one of"),
        ({"b": {"value": "1"}, "c": {"value": "1"}}, "declares no parameter 'c'"),
    ):
        with pytest.raises(ArmError, match=said):
            wanted(resource, parameters=declared, given=given)


@pytest.mark.parametrize(
    "resources",
    [
        [{"type": "P/t", "name": name, "dependsOn": [other]} for name, other in ("ab", "ba")],
        [{"type": "P/t", "name": "a", "copy": {"name": "x", "count": 2}}],
        [{"type": "Microsoft.Resources/deployments", "name": "a"}],
        [{"type": "P/t/u", "name": "a"}],
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused(resources):
    with pytest.raises(ArmError, match="Deployment template validation failed"):
        wanted(*resources)


RESOURCE = {"type": "P/t", "name": "x"}
DOUBLING = [
    "[concat(variables('v{0}'), variables('v{0}'))]",
    "[createArray(variables('v{0}'), variables('v{0}'))]",
    ["[variables('v{0}')]", "[variables('v{0}')]"],
    {"a": "[variables('v{0}')]", "b": "[variables('v{0}')]"},
]


def chain(link, length, first="x"):
    """Variables of which each is made of the one before."""
    names = [f"v{at}" for at in range(length)]
    links = [json.loads(json.dumps(link).replace("{0}", str(at))) for at in range(length - 1)]
    return dict(zip(names, [first, *links], strict=True))


@pytest.mark.parametrize("link", DOUBLING, ids=["text", "function", "list", "object"])
def test_a_template_that_doubles_what_it_names_is_refused(link):
    mention = {**RESOURCE, "properties": "[variables('v39')]"}
    with pytest.raises(ArmError, match="more than 4194304 characters"):
        wanted(mention, variables=chain(link, 40))
    defaults = json.loads(json.dumps(chain(link, 40)).replace("variables(", "parameters("))
    declared = {name: {"defaultValue": default} for name, default in defaults.items()}
    with pytest.raises(ArmError, match="more than 4194304 characters"):
        wanted(RESOURCE, parameters=declared)


def test_a_variable_is_worked_out_once():
    variables = chain(DOUBLING[0], 40, first="")
    assert (
        wanted({**RESOURCE, "sum": "[variables('v39')]"}, variables=variables)[0].body["sum"] == ""
    )
    pair = "[createArray(variables('id'), variables('id'))]"
    (found,) = wanted({**RESOURCE, "pair": pair}, variables={"id": "[newGuid()]"})
    assert found.body["pair"][0] == found.body["pair"][1]


@pytest.mark.parametrize(
    "mentions",
    [
        ["[parameters('large')]"] * 5,
        ["[toLower(parameters('large'))]"] * 2,
        ["[equals(parameters('large'), parameters('large'))]"] * 3,
        ["[parameters('wide').n7]"] * 30,
        ["[" + "concat(" + "1," * 11_000 + "1)]"] * 12,
    ],
    ids=["mentions", "calls", "arguments", "members", "tokens"],
)
def test_what_the_expressions_of_a_template_read_is_bounded(mentions):
    declared = {"large": {}, "wide": {}}
    given = {"large": "y" * 1_000_000, "wide": {f"n{at}": at for at in range(10_000)}}
    values = {name: {"value": value} for name, value in given.items()}
    with pytest.raises(ArmError, match=r"more than 4194304 characters.*deploy in parts"):
        wanted({**RESOURCE, "list": mentions}, parameters=declared, given=values)


def test_what_expressions_put_inside_each_other_is_bounded():
    nested = chain([[["[variables('v{0}')]"]]], 40)
    with pytest.raises(ArmError, match="more than 64 levels"):
        wanted({**RESOURCE, "deep": "[variables('v39')]"}, variables=nested)


def test_the_resources_of_a_template_are_counted_and_put_in_order():
    links = [{**RESOURCE, "name": f"n{at}", "dependsOn": [f"P/t/n{at + 1}"]} for at in range(800)]
    ordered = [one.path for one in wanted(*links)]
    assert ordered == [f"P/t/n{at}" for at in reversed(range(800))]
    with pytest.raises(ArmError, match="801 resources, at most are 800"):
        wanted(*links, RESOURCE)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ({"resources": ["x"]}, "a resource must be an object, not 'x'"),
        ({"resources": [None, {"name": "x"}]}, "'name' of a resource"),
        ({"resources": [{"name": "x"}]}, "'type' of the resource 'x' must be a text"),
        ({"resources": [{"type": "P/t"}]}, "'name' of a resource must be a text"),
        ({"resources": [{"type": "P/t", "name": ["x"]}]}, "must be a text"),
        ({"resources": [{"type": "P/t", "name": "x" * 1025}]}, "1 to 1024 characters"),
        ({"resources": [{"type": "P/t", "name": "[json('\"\\ud800\"')]"}]}, "can be printed"),
        ({"resources": [{**RESOURCE, "apiVersion": 0}]}, "'apiVersion' of the resource 'x'"),
        ({"resources": [{**RESOURCE, "dependsOn": "y"}]}, "'dependsOn' of the resource 'x'"),
        ({"resources": [{**RESOURCE, "dependsOn": [1]}]}, "each of 'dependsOn'"),
        ({"resources": [{**RESOURCE, "resources": {}}]}, "'resources' of the resource 'x'"),
        ({"resources": [{**RESOURCE, "resources": [1]}]}, "a resource must be an object"),
        ({"resources": {}}, "no list 'resources'"),
        ({"resources": [], "variables": [1]}, "'variables' must be an object, not [1]"),
        ({"resources": [], "parameters": "x"}, "'parameters' must be an object"),
        ({"resources": [], "parameters": {"a": "x"}}, "the parameter 'a' in 'parameters'"),
        (
            {"resources": [], "parameters": {"a": {"defaultValue": 1, "allowedValues": 1}}},
            "'allowedValues' of 'a' must be a list",
        ),
    ],
)
def test_templates_of_another_shape_are_refused(template, said):
    with pytest.raises(ArmError, match="Deployment template validation failed") as error:
        resources_of(template, {}, OWNER, GROUP)
    assert said in str(error.value)


@pytest.mark.parametrize("given", [["x"], {"a": "x"}, {"a": ["x"]}])
def test_parameters_of_another_shape_are_refused(given):
    with pytest.raises(ArmError, match="must be an object, not"):
        wanted(RESOURCE, parameters={"a": {}}, given=given)


async def test_a_deployment_makes_its_resources(plane):
    group = plane.workspace.partition("/providers")[0]
    path = f"{group}/providers/Microsoft.Resources/deployments/d"
    vault = {
        "type": "Microsoft.KeyVault/vaults",
        "apiVersion": "2023-07-01",
        "name": "[parameters('vault')]",
        "location": "[resourceGroup().location]",
        "properties": {"tenantId": "[subscription().tenantId]"},
    }
    template = {"parameters": {"vault": {}}, "resources": [vault]}
    properties = {"mode": "Incremental", "template": template}
    properties["parameters"] = {"vault": {"value": "my-vault"}}
    made = await plane.call("PUT", path, {"properties": properties}, api="2020-06-01")
    assert (made.status_code, made.json()["properties"]["provisioningState"]) == (201, "Succeeded")
    arm_id = made.json()["properties"]["outputResources"][0]["id"]
    assert (await plane.call("GET", arm_id, api="2023-07-01")).json()["name"] == "my-vault"
    listed = f"{group}/deployments/d/operations"
    assert (await plane.call("GET", listed, api="2020-06-01")).json() == {"value": []}
    vault["type"] = "Microsoft.Nothing/things"
    failed = await plane.call("PUT", path, {"properties": properties}, api="2020-06-01")
    assert (failed.status_code, failed.json()["error"]["code"]) == (409, "DeploymentFailed")
    assert "Microsoft.Nothing" in failed.json()["error"]["message"]
    complete = {"properties": {**properties, "mode": "Complete"}}
    assert (await plane.call("PUT", path, complete, api="2020-06-01")).status_code == 501
    for shape in ("x", ["x"], {**properties, "template": {"resources": ["x"]}}):
        refused = await plane.call("PUT", path, {"properties": shape}, api="2020-06-01")
        assert refused.status_code == 400
    nobody = await plane.client.put(path, json={"properties": properties})
    assert nobody.status_code == 401


async def test_a_deployment_looks_less_often_at_what_takes_long(plane, monkeypatch):
    pauses = []

    async def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 7:
            await plane.settle_kinds("/computes")

    monkeypatch.setattr(template_deployments, "asyncio", SimpleNamespace(sleep=sleep))
    group, _, workspace = plane.workspace.partition("/providers/")
    cluster = {
        "type": "Microsoft.MachineLearningServices/workspaces/computes",
        "apiVersion": "2021-10-01",
        "name": f"{workspace.rpartition('/')[2]}/c",
        "location": "local",
        "properties": {"computeType": "AmlCompute", "properties": {"vmSize": "Standard_D1"}},
    }
    properties = {"mode": "Incremental", "template": {"resources": [cluster]}}
    path = f"{group}/providers/Microsoft.Resources/deployments/d"
    made = await plane.call("PUT", path, {"properties": properties}, api="2020-06-01")
    assert made.status_code == 201, made.text
    assert pauses == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0]
