"""Each built-in role at each scope on every route: who is let in.

What a role allows is written here by hand, in words of Azure's action strings, and not by way of
the code that is tested. Routes are walked from the registry, so that new ones are met as well.
Nothing of what is named exists: whoever is let in is told so, and nothing is changed.
"""

import re
import uuid

import pytest
import sqlalchemy as sa

from lazulite.identity.applications import for_years, hashed_secret, new_application
from lazulite.identity.principals import new_principal
from lazulite.identity.roles import ROLES, RoleAssignment
from lazulite.identity.tokens import Audience, Holder
from lazulite.store.identity_tables import role_assignments

ML, AUTHORIZATION = "Microsoft.MachineLearningServices", "Microsoft.Authorization"
SUBSCRIPTION = "/subscriptions/00000000-0000-4000-8000-000000000001"
GROUP = f"{SUBSCRIPTION}/resourceGroups/mine"
WORKSPACE = f"{GROUP}/providers/{ML}/workspaces/mine"
SCOPES = {
    "everything": "/",
    "subscription": SUBSCRIPTION,
    "group": GROUP,
    "workspace": WORKSPACE,
    "sibling workspace": f"{GROUP}/providers/{ML}/workspaces/minefield",
    "another group": f"{SUBSCRIPTION}/resourceGroups/mine2",
}
VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}


def owner(action):
    return True


def contributor(action):
    """Everything but what gives others access."""
    return not action.startswith(AUTHORIZATION) or action.endswith(("/read", "/action"))


def reader(action):
    return action.endswith("/read")


def user_access_administrator(action):
    return action.endswith("/read") or action.startswith(AUTHORIZATION)


def rbac_administrator(action):
    return action.endswith("/read") or action in {
        f"{AUTHORIZATION}/roleAssignments/write",
        f"{AUTHORIZATION}/roleAssignments/delete",
    }


def data_scientist(action):
    """All of a workspace but itself, its keys, and changes of its compute."""
    return action.startswith(f"{ML}/workspaces") and action not in {
        f"{ML}/workspaces/write",
        f"{ML}/workspaces/delete",
        f"{ML}/workspaces/listKeys/action",
        f"{ML}/workspaces/computes/write",
        f"{ML}/workspaces/computes/delete",
        f"{ML}/workspaces/computes/listKeys/action",
    }


def compute_operator(action):
    return action.startswith(f"{ML}/workspaces/computes/")


def registry_user(action):
    """Assets of registries, but not the registries themselves."""
    return action == f"{ML}/registries/read" or action.startswith(f"{ML}/registries/assets/")


def connection_secrets_reader(action):
    secrets = f"{ML}/workspaces/connections/listsecrets/action"
    return action.lower() in {secrets.lower(), f"{ML}/workspaces/metadata/secrets/read".lower()}


def blobs_only(action):
    return action.startswith("Microsoft.Storage/storageAccounts/blobServices/")


GRANTS = {
    "Owner": owner,
    "Contributor": contributor,
    "Reader": reader,
    "User Access Administrator": user_access_administrator,
    "Role Based Access Control Administrator": rbac_administrator,
    "AzureML Data Scientist": data_scientist,
    "AzureML Compute Operator": compute_operator,
    "AzureML Registry User": registry_user,
    "Azure Machine Learning Workspace Connection Secrets Reader": connection_secrets_reader,
    "Storage Blob Data Reader": blobs_only,
    "Storage Blob Data Contributor": blobs_only,
    "Storage Blob Data Owner": blobs_only,
}


def routes(plane):
    """Every route of ARM and the services: method, path, the action it asks for, and where."""
    for kind in plane.server.registry.kinds:
        if kind.resource_type == "tenants":
            continue  # above all scopes but the root
        item, above = path_of(kind)
        what = f"{kind.provider}/{kind.resource_type}"
        for method in kind.verbs:
            yield method, item, f"{what}/{VERBS[method]}", item
        if above:  # the list at the top shows each caller their own, and refuses nobody
            yield "GET", item.rpartition("/")[0], f"{what}/read", above
        for name, action in kind.actions.items():
            verb = "read" if action.method == "GET" else "action"
            yield action.method, f"{item}/{name}", f"{what}/{name}/{verb}", item
    for service, route in plane.server.app.services.routes():
        path = re.sub(r"{\w+(:path)?}", "mine", route.path)
        action = f"{ML}/workspaces/{route.permission}"
        yield route.method, f"{service.prefix}{WORKSPACE}/{path}", action, WORKSPACE
    yield from reports(plane)
    for (kind, is_item), methods in plane.server.roles.operations.items():
        for method, operation in methods.items():
            for scope in (SUBSCRIPTION, WORKSPACE, f"{WORKSPACE}/onlineEndpoints/e"):
                tail = f"/{uuid.uuid4()}" if is_item else ""
                path = f"{scope}/providers/{AUTHORIZATION}/{kind}{tail}"
                name = {"roleassignments": "roleAssignments", "roledefinitions": "roleDefinitions"}
                verb = VERBS[method]
                assert operation.action == f"{AUTHORIZATION}/{name.get(kind, kind)}/{verb}"
                yield method, path, operation.action, scope


def reports(plane):
    """What is asked below a subscription, and is no resource."""
    for report in plane.server.registry.reports:
        path = "/".join(part.replace("*", "mine") for part in report.path)
        yield (
            report.method,
            f"{SUBSCRIPTION}/providers/{report.provider}/{path}",
            report.action,
            SUBSCRIPTION,
        )


def path_of(kind):
    """The id of a resource of the kind, and what a list of them is asked at."""
    types = kind.resource_type.split("/")
    if kind.provider == "Microsoft.Resources":
        names = {"subscriptions": SUBSCRIPTION, "resourceGroups": GROUP}
        if types[-1] in names:
            item = names[types[-1]]
        else:
            item = SUBSCRIPTION + "".join(f"/{part}/mine" for part in types[1:])
        return item, SUBSCRIPTION if len(types) > 1 else ""
    item = f"{GROUP}/providers/{kind.provider}" + "".join(f"/{part}/mine" for part in types)
    return item, item.rsplit("/", 2)[0] if len(types) > 1 else GROUP


def is_seen(method, path, scope):
    """A role anywhere in a subscription shows that it is there, and what of its groups one may."""
    shown = {SUBSCRIPTION, f"{SUBSCRIPTION}/resourceGroups"}
    near = lies_in(scope, SUBSCRIPTION) or lies_in(SUBSCRIPTION, scope)
    return method in {"GET", "HEAD"} and path in shown and near


def lies_in(path, scope):
    return f"{path}/".startswith(f"{scope.rstrip('/')}/")


async def caller(plane, resource="https://management.azure.com"):
    """A principal without roles, straight into the directory, and its headers."""
    directory = plane.server.directory
    application = new_application("caller", plane.base.resources.clock())
    await directory.applications.add(application)
    principal = new_principal(directory.tokens.tenant_id, application)
    await directory.principals.add(principal)
    lasts = for_years(application.created_at, 1)
    secret = hashed_secret(application.client_id, "xyz", "hash", lasts)
    await directory.applications.add_secret(secret, application.created_at)
    holder = Holder(principal=principal, credential=secret.key_id)
    origin = directory.tokens.origins[0]
    found = directory.tokens.mint(holder, resource, origin=origin)
    return principal.object_id, {"authorization": f"Bearer {found.token}"}


async def give(plane, object_id, role, scope):
    name = str(uuid.uuid4())
    given = RoleAssignment(name=name, object_id=object_id, role_id=role.id, scope=scope)
    await plane.server.directory.assignments.assign(given, "test")
    return name


async def walk(plane, headers, allows, scope):
    """Every route that answers otherwise than it should, and how many there were."""
    wrong, walked = [], 0
    for method, path, action, target in routes(plane):
        query = {"api-version": "2021-10-01"}
        answer = await plane.client.request(
            method, path, params=query, headers=headers, json={} if method[0] == "P" else None
        )
        expected = (allows(action) and lies_in(target, scope)) or is_seen(method, path, scope)
        assert answer.status_code not in {200, 201, 202, 401, 500}, (method, path, answer.text)
        if (answer.status_code != 403) != expected:
            wrong.append((method, path, action, answer.status_code))
        walked += 1
    return wrong, walked


@pytest.mark.parametrize("role", ROLES.values(), ids=lambda role: role.name)
async def test_a_role_opens_what_azure_says_and_nothing_else(plane, role):
    object_id, headers = await caller(plane)
    for where, scope in SCOPES.items():
        name = await give(plane, object_id, role, scope)
        wrong, walked = await walk(plane, headers, GRANTS[role.name], scope)
        assert wrong == [], f"{role.name} at {where}"
        assert walked > 100
        await plane.server.directory.assignments.unassign(name)


async def test_no_role_opens_nothing(plane):
    _, headers = await caller(plane)
    wrong, _ = await walk(plane, headers, lambda _: False, "/nowhere")
    assert wrong == []


async def test_the_walk_changed_nothing(plane):
    object_id, headers = await caller(plane)
    before = await rows(plane)
    await give(plane, object_id, next(iter(ROLES.values())), "/")
    await walk(plane, headers, owner, "/")
    assert await rows(plane) == before


async def rows(plane):
    async with plane.base.engine.begin() as connection:
        query = "select key, revision, deleting from resources order by key"
        found = (await connection.execute(sa.text(query))).all()
        given = sa.select(sa.func.count()).where(role_assignments.c.created_by != "test")
        return found, (await connection.execute(given.select_from(role_assignments))).scalar()


GRAPH = {
    "Owner": {"read", "write", "delete"},
    "User Access Administrator": {"read", "write", "delete"},
    "Contributor": {"read"},
    "Reader": {"read"},
    "Role Based Access Control Administrator": {"read"},
}
"""At "/", what a role may do with applications, principals and signing keys."""


@pytest.mark.parametrize("role", ROLES.values(), ids=lambda role: role.name)
async def test_graph_is_for_those_who_may_give_access_to_everything(plane, role):
    directory = plane.server.directory
    object_id, headers = await caller(plane, "https://graph.microsoft.com")
    for scope in ("/", SUBSCRIPTION):
        name = await give(plane, object_id, role, scope)
        for operation in directory.operations():
            if operation.path == "/tokenSigningKeys" and operation.method == "POST":
                continue  # a key takes long to make; the guard is the same
            path = "/graph/v1.0" + re.sub(r"{\w+}", str(uuid.uuid4()), operation.path)
            answer = await plane.client.request(operation.method, path, headers=headers)
            verb = operation.action.rpartition("/")[2]
            expected = scope == "/" and verb in GRAPH.get(role.name, ())
            assert (answer.status_code != 403) == expected, (operation, answer.text)
            assert answer.status_code not in {401, 500}
        await directory.assignments.unassign(name)


RESOURCES = {
    Audience.MANAGEMENT: "https://management.azure.com",
    Audience.ML: "https://ml.azure.com",
    Audience.STORAGE: "https://storage.azure.com",
    Audience.GRAPH: "https://graph.microsoft.com",
}


async def surfaces(plane):
    """A path of each surface that the administrator may read, and whose tokens it takes."""
    accounts = await plane.base.resources.of_type("Microsoft.Storage/storageAccounts")
    await plane.put("/batchEndpoints/scorer", {})
    arm, graph = Audience.MANAGEMENT, Audience.GRAPH
    permissions = f"{plane.workspace}/providers/{AUTHORIZATION}/permissions"
    return {
        f"{plane.workspace}?api-version=2021-10-01": arm,
        f"{permissions}?api-version=2022-04-01": arm,
        f"/mferp/managementfrontend{plane.workspace}/batchEndpoints/scorer/jobs": arm | Audience.ML,
        "/inference/scorer/jobs": Audience.ML,
        f"/{accounts[0].name}/azureml-blobstore?restype=container&comp=list": Audience.STORAGE,
        "/graph/v1.0/applications": graph,
        "/graph/v1.0/tokenSigningKeys": graph,
    }


@pytest.mark.parametrize("given", RESOURCES, ids=lambda each: each.name)
async def test_each_surface_takes_tokens_of_its_own_audience_only(plane, given):
    token = await plane.token(plane.credentials, RESOURCES[given])
    for path, wanted in (await surfaces(plane)).items():
        answer = await plane.client.get(
            path, headers={"authorization": f"Bearer {token}", "x-ms-version": "2021-12-02"}
        )
        assert answer.status_code == (200 if given in wanted else 401), (path, answer.text)
