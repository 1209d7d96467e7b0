from __future__ import annotations

import pytest

from lazulite.identity import roles
from lazulite.identity.roles import ROLES, RoleAssignment, allows, matches, reaches

ML = "Microsoft.MachineLearningServices/workspaces"
BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
GROUP = "/subscriptions/s/resourceGroups/g"
WORKSPACE = f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/w"


def given(role: roles.Role, scope: str) -> list[RoleAssignment]:
    return [RoleAssignment(name="n", object_id="o", role_id=role.id, scope=scope)]


@pytest.mark.parametrize(
    ("pattern", "action", "expected"),
    [
        ("*", "anything/at/all", True),
        ("*/read", f"{ML}/read", True),
        ("*/read", f"{ML}/jobs/write", False),
        ("*/read", "read", False),
        (f"{ML}/*/read", f"{ML}/jobs/read", True),
        (f"{ML}/*/read", f"{ML}/onlineEndpoints/deployments/read", True),
        (f"{ML}/*/read", f"{ML}/read", True),  # /*/ matches a single / too
        (f"{ML}/*/read", f"{ML}read", False),
        (f"{ML}/*/write", f"{ML}/computes/write", True),
        (f"{ML}/computes/*/write", f"{ML}/computes/write", True),
        (f"{ML}/computes/*", f"{ML}/computes/start/action", True),
        (f"{ML}/computes/*", f"{ML}/computesX/read", False),
        (f"{ML}/listKeys/action", f"{ML.upper()}/LISTKEYS/ACTION", True),
        (f"{ML}/read", f"{ML}/read/", False),
        (f"{ML}/read", f"x{ML}/read", False),
        ("a.b/read", "aXb/read", False),
    ],
)
def test_action_patterns(pattern: str, action: str, expected: bool) -> None:
    assert matches(pattern, action) is expected


# rows: action below `workspaces/`; columns as in spec/SECURITY.md 3.7
COLUMNS = (
    roles.OWNER,
    roles.CONTRIBUTOR,
    roles.DATA_SCIENTIST,
    roles.READER,
    roles.COMPUTE_OPERATOR,
)
MATRIX = {
    "read": "YYYYN",
    "write": "YYNNN",
    "delete": "YYNNN",
    "computes/read": "YYYYY",
    "computes/write": "YYNNY",
    "computes/delete": "YYNNY",
    "computes/start/action": "YYYNY",
    "computes/listKeys/action": "YYNNY",
    "listKeys/action": "YYNNN",
    "jobs/write": "YYYNN",
    "jobs/cancel/action": "YYYNN",
    "models/versions/delete": "YYYNN",
    "onlineEndpoints/write": "YYYNN",
    "onlineEndpoints/score/action": "YYYNN",
    "onlineEndpoints/listkeys/action": "YYYNN",
    "onlineEndpoints/deployments/read": "YYYYN",
    "batchEndpoints/jobs/write": "YYYNN",
    "datastores/listsecrets/action": "YYYNN",
    "connections/listsecrets/action": "YYYNN",
    "hubs/write": "YYNNN",
}


@pytest.mark.parametrize("action", MATRIX)
def test_roles_grant_what_azure_documents(action: str) -> None:
    granted = [allows(given(role, WORKSPACE), f"{ML}/{action}", WORKSPACE) for role in COLUMNS]

    assert "".join("NY"[each] for each in granted) == MATRIX[action]


def test_contributor_and_data_scientist_cannot_give_roles() -> None:
    action = "Microsoft.Authorization/roleAssignments/write"

    for role in (roles.CONTRIBUTOR, roles.DATA_SCIENTIST, roles.READER):
        assert not allows(given(role, GROUP), action, GROUP)
    for role in (roles.OWNER, roles.USER_ACCESS_ADMINISTRATOR, roles.RBAC_ADMINISTRATOR):
        assert allows(given(role, GROUP), action, GROUP)


def test_blob_contents_need_a_data_role() -> None:
    assert not allows(given(roles.OWNER, "/"), f"{BLOBS}/read", GROUP)
    assert allows(given(roles.BLOB_READER, GROUP), f"{BLOBS}/read", GROUP)
    assert not allows(given(roles.BLOB_READER, GROUP), f"{BLOBS}/write", GROUP)
    assert allows(given(roles.BLOB_CONTRIBUTOR, GROUP), f"{BLOBS}/write", GROUP)
    assert not allows(given(roles.BLOB_OWNER, GROUP), f"{ML}/read", GROUP)


@pytest.mark.parametrize(
    ("ancestor", "scope", "expected"),
    [
        ("/", WORKSPACE, True),
        ("/", "/", True),
        ("/subscriptions/s", WORKSPACE, True),
        ("/SUBSCRIPTIONS/S/", WORKSPACE, True),
        (GROUP, GROUP.upper(), True),
        (GROUP, GROUP + "2", False),
        (WORKSPACE, GROUP, False),
        (f"{WORKSPACE}/onlineEndpoints/a", f"{WORKSPACE}/onlineEndpoints/b", False),
        (f"{WORKSPACE}/onlineEndpoints/a", f"{WORKSPACE}/onlineEndpoints/a/deployments/d", True),
        ("/subscriptions/other", WORKSPACE, False),
    ],
)
def test_roles_are_inherited_downwards_only(ancestor: str, scope: str, expected: bool) -> None:
    assert reaches(ancestor, scope) is expected
    assert allows(given(roles.OWNER, ancestor), f"{ML}/read", scope) is expected


@pytest.mark.parametrize(
    "scope", ["", "relative", f"{GROUP}/../h", f"{GROUP}//x", f"{GROUP}/./x", "//", f"{GROUP}/.."]
)
def test_scope_that_is_no_plain_path_is_denied_to_all(scope: str) -> None:
    assert not allows(given(roles.OWNER, GROUP), f"{ML}/read", scope)


def test_not_actions_of_one_role_do_not_limit_another() -> None:
    both = given(roles.DATA_SCIENTIST, WORKSPACE) + given(roles.COMPUTE_OPERATOR, WORKSPACE)

    assert allows(both, f"{ML}/computes/write", WORKSPACE)
    assert not allows(both, f"{ML}/write", WORKSPACE)


def test_unknown_role_and_no_role_grant_nothing() -> None:
    unknown = RoleAssignment(name="n", object_id="o", role_id="0" * 36, scope="/")

    assert not allows([unknown], f"{ML}/read", WORKSPACE)
    assert not allows([], f"{ML}/read", WORKSPACE)


def test_role_ids_are_azures_guids_once_each() -> None:
    assert len(ROLES) == 12
    assert (
        roles.role_id_of(f"/subscriptions/s/providers/x/roleDefinitions/{roles.OWNER.id}") in ROLES
    )
    assert roles.role_id_of(roles.OWNER.id.upper()) == roles.OWNER.id
