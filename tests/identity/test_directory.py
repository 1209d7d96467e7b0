from __future__ import annotations

import dataclasses
import uuid

import pytest

from lazulite.core.errors import ArmError
from lazulite.identity import roles
from lazulite.identity.access import Access
from lazulite.identity.applications import MOST_SECRETS, for_years, hashed_secret
from lazulite.identity.assignments import RoleAssignments
from lazulite.identity.principals import ServicePrincipal
from lazulite.identity.roles import RoleAssignment

ML = "Microsoft.MachineLearningServices/workspaces"
SUBSCRIPTION = "/subscriptions/s"


def assignment(principal: ServicePrincipal, role: roles.Role, scope: str) -> RoleAssignment:
    name = str(uuid.uuid4())
    return RoleAssignment(name=name, object_id=principal.object_id, role_id=role.id, scope=scope)


async def added(directory) -> ServicePrincipal:
    return (await directory.holder("tester")).principal


async def test_principals_are_found_without_case_and_only_once(directory) -> None:
    principal = await added(directory)

    assert await directory.principals.find(principal.client_id.upper()) == principal
    assert await directory.principals.find("' OR 1=1 --") is None
    assert await directory.principals.all() == [principal]
    with pytest.raises(ArmError) as caught:
        await directory.principals.add(principal)
    assert caught.value.status == 409


async def test_secrets_that_have_ended_make_room(directory, clock) -> None:
    principal = await added(directory)
    for _ in range(MOST_SECRETS - 1):
        ended = await directory.secret(principal)
    with pytest.raises(ArmError, match=f"has {MOST_SECRETS} secrets, which is the most"):
        await directory.secret(principal)
    clock.move(366 * 86400)
    lasts = for_years(clock(), 1)
    made = hashed_secret(principal.client_id, "abc", "hash", lasts)
    await directory.applications.add_secret(made, clock())
    (kept,) = await directory.applications.secrets(principal.client_id)
    assert kept.key_id == made.key_id != ended


async def test_secret_hash_is_not_shown_by_repr(directory) -> None:
    principal = await added(directory)
    (secret,) = await directory.applications.secrets(principal.client_id)
    assert secret.secret_hash == "hash"
    assert "hash" not in repr(secret)


async def test_role_works_from_the_moment_it_is_given_until_it_is_taken(directory) -> None:
    principal = await added(directory)

    async def may_read() -> bool:
        found = await directory.access.principal(principal.object_id)
        return found.may(f"{ML}/read", f"{SUBSCRIPTION}/resourceGroups/g")

    assert not await may_read()  # which is cached now
    given = assignment(principal, roles.READER, SUBSCRIPTION)
    assert await directory.assignments.assign(given, "admin") is True
    assert await may_read()
    assert await directory.assignments.unassign(given.name.upper()) is True
    assert not await may_read()
    assert await directory.assignments.unassign(given.name) is False


async def test_change_by_another_process_is_seen_after_a_second(directory, clock) -> None:
    principal = await added(directory)
    given = assignment(principal, roles.READER, SUBSCRIPTION)
    await directory.assignments.assign(given, "admin")
    found = await directory.access.principal(principal.object_id)
    assert len(found.assignments) == 1
    other = RoleAssignments(directory.engine, Access(directory.engine, clock), clock)

    await other.unassign(given.name)
    clock.move(1)

    found = await directory.access.principal(principal.object_id)
    assert found.assignments == ()


async def test_clock_set_back_does_not_keep_the_cache(directory, clock) -> None:
    principal = await added(directory)
    await directory.access.principal(principal.object_id)
    other = Access(directory.engine, clock)
    await RoleAssignments(directory.engine, other, clock).assign(
        assignment(principal, roles.READER, "/"), "admin"
    )

    clock.move(-3600)

    assert (await directory.access.principal(principal.object_id)).assignments


async def test_repeated_assignment_is_idempotent_and_conflicts_have_azures_codes(directory) -> None:
    principal = await added(directory)
    given = assignment(principal, roles.READER, SUBSCRIPTION)
    assert await directory.assignments.assign(given, "admin") is True

    assert await directory.assignments.assign(given, "admin") is False
    respelled = dataclasses.replace(
        given, name=given.name.upper(), scope=SUBSCRIPTION.upper() + "/"
    )
    assert await directory.assignments.assign(respelled, "admin") is False

    cases = {
        "RoleAssignmentExists": assignment(principal, roles.READER, SUBSCRIPTION.upper()),
        "RoleAssignmentUpdateNotPermitted": RoleAssignment(
            name=given.name, object_id=given.object_id, role_id=roles.OWNER.id, scope=SUBSCRIPTION
        ),
        "RoleDefinitionDoesNotExist": RoleAssignment(
            name="x", object_id=given.object_id, role_id="nothing", scope=SUBSCRIPTION
        ),
        "PrincipalNotFound": RoleAssignment(
            name="x", object_id="nobody", role_id=roles.READER.id, scope=SUBSCRIPTION
        ),
        "InvalidScope": assignment(principal, roles.READER, "/subscriptions/../x"),
    }
    for code, wrong in cases.items():
        with pytest.raises(ArmError) as caught:
            await directory.assignments.assign(wrong, "admin")
        assert caught.value.code == code


async def test_assignments_are_listed_around_a_scope(directory) -> None:
    principal = await added(directory)
    scopes = ["/subscriptions/a_b", "/subscriptions/a_b/resourceGroups/g", "/subscriptions/aXb"]
    for scope in scopes:
        await directory.assignments.assign(assignment(principal, roles.READER, scope), "admin")

    async def listed(scope: str) -> list[str]:
        found = await directory.assignments.around(scope)
        assert all(each.created_by == "admin" for each in found)
        return [each.assignment.scope for each in found]

    assert await listed("/subscriptions/A_B") == scopes[:2]  # _ is no wildcard
    assert sorted(await listed("/")) == sorted(scopes)
    assert await listed("/subscriptions/a") == []
    assert await listed(f"{scopes[1]}/providers/x") == scopes[:2]


async def test_owner_of_everything_lets_the_last_of_a_subscription_go(directory) -> None:
    first, second = await added(directory), await added(directory)
    mine = assignment(first, roles.OWNER, SUBSCRIPTION)
    root = assignment(second, roles.OWNER, "/")
    await directory.assignments.assign(mine, "admin")
    await directory.assignments.assign(root, "admin")

    assert await directory.assignments.unassign(mine.name) is True
    with pytest.raises(ArmError):
        await directory.assignments.unassign(root.name)


async def test_last_owner_of_a_subscription_cannot_be_removed(directory) -> None:
    first, second = await added(directory), await added(directory)
    mine = assignment(first, roles.OWNER, SUBSCRIPTION)
    await directory.assignments.assign(mine, "admin")

    for attempt in (
        directory.assignments.unassign(mine.name),
        directory.principals.remove(first.object_id),
    ):
        with pytest.raises(ArmError) as caught:
            await attempt
        assert caught.value.code == "CannotDeleteLastRbacAdminAssignment"
    await directory.assignments.assign(assignment(second, roles.OWNER, SUBSCRIPTION), "admin")
    assert await directory.principals.remove(first.object_id) is True

    assert await directory.access.principal(first.object_id) is None
    assert await directory.assignments.find(mine.name) is None
    assert await directory.principals.remove(first.object_id) is False
