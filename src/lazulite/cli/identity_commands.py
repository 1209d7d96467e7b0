"""The commands about who may do what, on which subscription: `account`, `ad`, `role`."""

from __future__ import annotations

from lazulite.cli.commands import Command

IDENTITY = (
    Command(
        "account show",
        "account#show",
        "Show the subscription that commands work on.",
        "subscription",
    ),
    Command("account list", "account#listing", "List the subscriptions."),
    Command(
        "account set", "account#choose", "Work on a subscription from now on.", "subscription!"
    ),
    Command(
        "account get-access-token",
        "account#access_token",
        "Print a token for other tools, such as curl.",
        "resource resource_type scope",
    ),
    Command(
        "configure",
        "account#configure",
        "Keep a resource group and a workspace, so that commands need not name them.",
        "default_values list_defaults",
    ),
    Command(
        "ad sp create-for-rbac",
        "ad#create_for_rbac",
        "Create a service principal with a secret, and give it a role.",
        "name role scopes years display_name",
    ),
    Command("ad sp create", "ad#create", "Create an application's service principal.", "id!"),
    Command("ad sp list", "ad#listing", "List service principals.", "display_name filter"),
    Command("ad sp show", "ad#show", "Show a service principal.", "id!"),
    Command(
        "ad sp delete",
        "ad#delete",
        "Delete a service principal, its application, secrets and roles.",
        "id!",
    ),
    Command(
        "ad sp credential reset",
        "ad#reset_credential",
        "Make a new secret of a service principal, and void the others.",
        "id! append display_name years end_date",
    ),
    Command(
        "ad sp credential list",
        "ad#list_credentials",
        "List the secrets of a service principal, without their values.",
        "id!",
    ),
    Command(
        "ad sp credential delete",
        "ad#delete_credential",
        "Delete a secret of a service principal.",
        "id! key_id!",
    ),
    Command("ad key list", "ad#list_keys", "List the keys that tokens are signed with."),
    Command("ad key rotate", "ad#rotate_key", "Sign tokens with a new key from now on."),
    Command(
        "role assignment create",
        "roles#create_assignment",
        "Give a service principal a role.",
        "role! scope! assignee assignee_object_id assignee_principal_type",
    ),
    Command(
        "role assignment list",
        "roles#list_assignments",
        "List who has which role.",
        "scope assignee assignee_object_id role everything include_inherited",
    ),
    Command(
        "role assignment delete",
        "roles#delete_assignment",
        "Take a role back.",
        "ids scope assignee assignee_object_id role",
    ),
    Command(
        "role definition list",
        "roles#list_definitions",
        "List the roles that there are.",
        "name scope custom_role_only",
    ),
)
"""Functions of lazulite.cli's modules, as those of ML; they are about no workspace."""
