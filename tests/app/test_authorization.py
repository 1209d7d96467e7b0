"""Role assignments and definitions over REST, at any scope."""

import uuid

import pytest

from lazulite.identity.roles import CONTRIBUTOR, DATA_SCIENTIST, OWNER, READER

API = "2022-04-01"
AUTHORIZATION = "/providers/Microsoft.Authorization"
ASSIGNMENTS, DEFINITIONS = f"{AUTHORIZATION}/roleAssignments", f"{AUTHORIZATION}/roleDefinitions"
VERSIONS = ("2015-07-01", "2018-01-01-preview", "2020-04-01-preview", "2022-04-01")


def group_of(plane):
    return plane.workspace.partition("/providers/")[0]


def subscription_of(plane):
    return "/".join(plane.workspace.split("/")[:3])


async def asked(plane, method, path, body=None, **extra):
    return await plane.call(method, path, body, **{"api": API, **extra})


@pytest.mark.parametrize("api", VERSIONS)
async def test_a_role_is_assigned_read_and_taken_back(plane, api):
    object_id, _ = await plane.colleague()
    group, subscription = group_of(plane), subscription_of(plane)
    name = str(uuid.uuid4())
    path = f"{group.upper()}{ASSIGNMENTS}/{name.upper()}"
    role = f"{subscription}{DEFINITIONS}/{READER.id}"
    body = {"properties": {"roleDefinitionId": role, "principalId": object_id}}

    made = await asked(plane, "PUT", path, body, api=api)

    assert made.status_code == 201
    view = made.json()
    assert view["id"] == f"{group}{ASSIGNMENTS}/{name}"
    assert (view["type"], view["name"]) == ("Microsoft.Authorization/roleAssignments", name)
    shown = view["properties"]
    assert (shown["roleDefinitionId"], shown["principalId"]) == (role, object_id)
    assert shown["scope"] == group
    assert ("principalType" in shown) == (api != "2015-07-01")
    assert (await asked(plane, "PUT", path, body, api=api)).status_code == 200
    assert (await asked(plane, "GET", view["id"], api=api)).json() == view
    deleted = await asked(plane, "DELETE", view["id"], api=api)
    assert (deleted.status_code, deleted.json()) == (200, view)
    assert (await asked(plane, "DELETE", view["id"], api=api)).status_code == 204
    assert (await asked(plane, "GET", view["id"], api=api)).status_code == 404


async def test_an_assignment_is_found_only_at_its_own_scope(plane):
    object_id, _ = await plane.colleague()
    made = (await plane.assign(object_id, READER, plane.workspace)).json()
    elsewhere = f"{group_of(plane)}{ASSIGNMENTS}/{made['name']}"

    assert (await asked(plane, "GET", elsewhere)).status_code == 404
    assert (await asked(plane, "DELETE", elsewhere)).status_code == 204
    assert (await asked(plane, "GET", made["id"])).status_code == 200


async def test_roles_act_on_the_next_request(plane):
    object_id, client = await plane.colleague()
    sent = {"headers": {"authorization": f"Bearer {await plane.token(client)}"}}
    assert (await plane.call("GET", "", **sent)).status_code == 403

    made = (await plane.assign(object_id, READER, plane.workspace)).json()

    assert (await plane.call("GET", "", **sent)).status_code == 200
    await asked(plane, "DELETE", made["id"])
    assert (await plane.call("GET", "", **sent)).status_code == 403


async def test_lists_are_filtered_as_in_azure(plane):
    one, _ = await plane.colleague("one")
    two, _ = await plane.colleague("two")
    group, subscription = group_of(plane), subscription_of(plane)
    for object_id, scope in ((one, plane.workspace), (one, subscription), (two, group)):
        assert (await plane.assign(object_id, READER, scope)).status_code == 201

    async def listed(scope, text=None):
        query = {"$filter": text} if text else {}
        answer = await asked(plane, "GET", f"{scope}{ASSIGNMENTS}", **query)
        assert answer.status_code == 200, answer.text
        found = [item["properties"] for item in answer.json()["value"]]
        return {(item["principalId"], item["scope"]) for item in found} & {
            (object_id, scope)
            for object_id in (one, two)
            for scope in (plane.workspace, group, subscription)
        }

    everything = {(one, plane.workspace), (one, subscription), (two, group)}
    assert await listed(group) == everything
    assert await listed(group, "atScope()") == everything - {(one, plane.workspace)}
    assert await listed(group, f"principalId eq '{two}'") == {(two, group)}
    assert await listed("", f"assignedTo('{one.upper()}')") == everything - {(two, group)}
    assert await listed(subscription, f"atScope() and assignedTo('{one}')") == {(one, subscription)}
    for wrong in ("atScope", "name eq 'x'", "atScope() or atScope()", "principalId eq x"):
        answer = await asked(plane, "GET", f"{group}{ASSIGNMENTS}", **{"$filter": wrong})
        assert (answer.status_code, answer.json()["error"]["target"]) == (400, "$filter")


async def test_faults_have_azures_codes(plane):
    object_id, _ = await plane.colleague()
    group, name = group_of(plane), str(uuid.uuid4())
    good = {"roleDefinitionId": READER.id, "principalId": object_id}
    await plane.assign(object_id, READER, group)
    cases = [
        (group, name, good, 409, "RoleAssignmentExists"),
        (group, "not-a-guid", good, 400, "InvalidRoleAssignmentId"),
        (f"{group}x", name, good, 404, "ResourceNotFound"),
        (group, name, good | {"principalId": name}, 400, "PrincipalNotFound"),
        (group, name, good | {"roleDefinitionId": name}, 404, "RoleDefinitionDoesNotExist"),
        (group, name, good | {"principalType": "User"}, 400, "UnmatchedPrincipalType"),
        (group, name, good | {"condition": "@Resource"}, 400, "BadArgument"),
        (group, name, {"principalId": object_id}, 400, "InvalidRequestContent"),
        (group, name, [], 400, "InvalidRequestContent"),
    ]
    for scope, given, properties, status, code in cases:
        answer = await asked(
            plane, "PUT", f"{scope}{ASSIGNMENTS}/{given}", {"properties": properties}
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert (await asked(plane, "GET", f"{group}{ASSIGNMENTS}", api="")).status_code == 400
    assert (await asked(plane, "GET", f"{group}{ASSIGNMENTS}", api="2014-01-01")).status_code == 400
    assert (await asked(plane, "POST", f"{group}{ASSIGNMENTS}")).status_code == 405
    assert (await asked(plane, "GET", f"{group}{AUTHORIZATION}/locks")).status_code == 404


async def test_nobody_takes_the_last_owner_away(plane):
    (mine,) = [
        item
        for item in (await asked(plane, "GET", ASSIGNMENTS)).json()["value"]
        if item["properties"]["roleDefinitionId"].endswith(OWNER.id)
    ]
    refused = await asked(plane, "DELETE", mine["id"])
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "CannotDeleteLastRbacAdminAssignment"


async def test_only_who_may_assign_roles_assigns_them(plane):
    object_id, client = await plane.colleague()
    await plane.assign(object_id, CONTRIBUTOR, "/")
    plane.bearer = await plane.token(client)

    for method, path in (
        ("PUT", f"{plane.workspace}{ASSIGNMENTS}/{uuid.uuid4()}"),
        ("DELETE", f"{plane.workspace}{ASSIGNMENTS}/{uuid.uuid4()}"),
        ("PUT", f"{plane.workspace}{DEFINITIONS}/{uuid.uuid4()}"),
    ):
        answer = await asked(plane, method, path, {"properties": {}})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "AuthorizationFailed")
    assert (await asked(plane, "GET", f"{plane.workspace}{ASSIGNMENTS}")).status_code == 200


async def test_roles_of_a_deleted_resource_do_not_come_back_with_its_name(plane):
    object_id, client = await plane.colleague()
    endpoint = "/batchEndpoints/scorer"
    await plane.put(endpoint, {})
    assert (await plane.assign(object_id, READER, plane.workspace + endpoint)).status_code == 201
    sent = {"headers": {"authorization": f"Bearer {await plane.token(client)}"}}
    assert (await plane.call("GET", endpoint, **sent)).status_code == 200

    await plane.call("DELETE", endpoint)
    await plane.settle_kinds("Endpoints")
    assert (await plane.call("GET", endpoint, **sent)).status_code == 404
    assert (await plane.put(endpoint, {})).status_code == 201
    await plane.colleague("another")  # a change after which nobody's roles are remembered

    assert (await plane.call("GET", endpoint, **sent)).status_code == 403


async def test_built_in_roles_are_shown_with_azures_ids(plane):
    subscription = subscription_of(plane)
    found = await asked(
        plane, "GET", f"{plane.workspace}{DEFINITIONS}",
        **{"$filter": "roleName eq 'azureml data scientist'"},
    )  # fmt: skip
    (shown,) = found.json()["value"]
    assert shown["id"] == f"{subscription}{DEFINITIONS}/f6c7c914-8db3-469d-8ca1-694a8f32e121"
    assert shown["properties"]["type"] == "BuiltInRole"
    (permission,) = shown["properties"]["permissions"]
    assert "Microsoft.MachineLearningServices/workspaces/*/read" in permission["actions"]
    assert "Microsoft.MachineLearningServices/workspaces/delete" in permission["notActions"]
    assert (await asked(plane, "GET", shown["id"])).json() == shown
    assert (await asked(plane, "PUT", shown["id"], custom(plane))).status_code == 403
    assert (await asked(plane, "DELETE", shown["id"])).status_code == 403


def custom(plane, **changes):
    permission = {
        "actions": ["Microsoft.MachineLearningServices/workspaces/*/read"],
        "notActions": ["Microsoft.MachineLearningServices/workspaces/models/*"],
    }
    properties = {
        "roleName": "Looker",
        "description": "Looks.",
        "assignableScopes": [group_of(plane)],
        "permissions": [permission],
    }
    return {"properties": {**properties, **changes}}


async def test_a_custom_role_is_made_assigned_changed_and_deleted(plane):
    object_id, client = await plane.colleague()
    sent = {"headers": {"authorization": f"Bearer {await plane.token(client)}"}}
    role_id = str(uuid.uuid4())
    path = f"{group_of(plane)}{DEFINITIONS}/{role_id}"
    made = await asked(plane, "PUT", path, custom(plane))
    assert (made.status_code, made.json()["properties"]["type"]) == (201, "CustomRole")
    given = {"roleDefinitionId": made.json()["id"], "principalId": object_id}
    at = f"{plane.workspace}{ASSIGNMENTS}/{uuid.uuid4()}"
    assert (await asked(plane, "PUT", at, {"properties": given})).status_code == 201

    assert (await plane.call("GET", "/codes", **sent)).status_code == 200
    assert (await plane.call("GET", "/models", **sent)).status_code == 403
    wider = custom(plane, permissions=[{"actions": ["*/read"]}])
    assert (await asked(plane, "PUT", path, wider)).status_code == 200
    assert (await plane.call("GET", "/models", **sent)).status_code == 200

    used = await asked(plane, "DELETE", path)
    assert (used.status_code, used.json()["error"]["code"]) == (400, "RoleDefinitionHasAssignments")
    await asked(plane, "DELETE", at)
    assert (await asked(plane, "DELETE", path)).status_code == 200
    assert (await asked(plane, "DELETE", path)).status_code == 204


async def test_a_custom_role_is_shown_where_it_can_be_given(plane):
    path = f"{DEFINITIONS}/{uuid.uuid4()}"
    await asked(plane, "PUT", group_of(plane) + path, custom(plane))
    for scope in (subscription_of(plane), group_of(plane), plane.workspace):
        assert (await asked(plane, "GET", scope + path)).status_code == 200
    hidden = await asked(plane, "GET", f"{subscription_of(plane)}/resourceGroups/other{path}")
    code = hidden.json()["error"]["code"]
    assert (hidden.status_code, code) == (404, "RoleDefinitionDoesNotExist")


async def test_a_custom_role_reaches_no_further_than_its_scopes(plane):
    object_id, _ = await plane.colleague()
    path = f"{group_of(plane)}{DEFINITIONS}/{uuid.uuid4()}"
    await asked(plane, "PUT", path, custom(plane))
    given = {"roleDefinitionId": path, "principalId": object_id}
    at = f"{subscription_of(plane)}{ASSIGNMENTS}/{uuid.uuid4()}"

    answer = await asked(plane, "PUT", at, {"properties": given})

    code = answer.json()["error"]["code"]
    assert code == "RoleAssignmentScopeNotAssignableToRoleDefinition"


async def test_an_owner_of_a_workspace_makes_no_role_for_more(plane):
    object_id, client = await plane.colleague()
    await plane.assign(object_id, OWNER, plane.workspace)
    role_id = uuid.uuid4()
    await asked(plane, "PUT", f"{group_of(plane)}{DEFINITIONS}/{role_id}", custom(plane))
    plane.bearer = await plane.token(client)
    path = f"{plane.workspace}{DEFINITIONS}/{role_id}"

    narrowed = custom(plane, assignableScopes=[plane.workspace])
    assert (await asked(plane, "PUT", path, narrowed)).status_code == 403
    assert (await asked(plane, "DELETE", path)).status_code == 403
    own = f"{plane.workspace}{DEFINITIONS}/{uuid.uuid4()}"
    assert (await asked(plane, "PUT", own, custom(plane))).status_code == 403
    mine = custom(plane, assignableScopes=[plane.workspace], roleName="Mine")
    assert (await asked(plane, "PUT", own, mine)).status_code == 201


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"roleName": "owner"}, "RoleDefinitionWithSameNameExists"),
        ({"assignableScopes": ["/"]}, "BadArgument"),
        ({"assignableScopes": []}, "InvalidRequestContent"),
        ({"permissions": [{"actions": ["read"]}]}, "InvalidActionOrNotAction"),
        ({"permissions": [{"actions": ["a b/c"]}]}, "InvalidActionOrNotAction"),
        ({"permissions": []}, "InvalidRequestContent"),
    ],
)
async def test_a_faulty_custom_role_is_refused(plane, changes, code):
    path = f"{group_of(plane)}{DEFINITIONS}/{uuid.uuid4()}"
    answer = await asked(plane, "PUT", path, custom(plane, **changes))
    assert (answer.status_code in {400, 409}, answer.json()["error"]["code"]) == (True, code)


async def test_permissions_are_the_callers_own(plane):
    object_id, client = await plane.colleague()
    await plane.assign(object_id, READER, group_of(plane))
    await plane.assign(object_id, DATA_SCIENTIST, plane.workspace)
    plane.bearer = await plane.token(client)

    at_group = await asked(plane, "GET", f"{group_of(plane)}{AUTHORIZATION}/permissions")
    inside = await asked(plane, "GET", f"{plane.workspace}{AUTHORIZATION}/permissions")

    assert [each["actions"] for each in at_group.json()["value"]] == [["*/read"]]
    assert len(inside.json()["value"]) == 2
