"""Words of `az` that scripts say besides `az ml`, and what goes with them."""

from __future__ import annotations

from lazulite.cli.commands import Command

AZ = (
    Command("group list", "groups#listing", "List the resource groups."),
    Command("group show", "groups#show", "Show a resource group.", "name"),
    Command("group create", "groups#create", "Create a resource group.", "name! location tags"),
    Command("group exists", "groups#exists", "Say whether there is a resource group.", "name!"),
    Command(
        "group delete",
        "groups#delete",
        "Delete a resource group, which has to be empty.",
        "name! no_wait",
        "Delete the resource group?",
    ),
    Command(
        "rest",
        "rest#rest",
        "Send a request to the server, signed in.",
        "method url! body headers uri_parameters resource output_file skip_authorization",
    ),
    Command("account list-locations", "account#locations", "List the regions."),
    Command("account tenant list", "account#tenants", "List the tenants."),
)
"""Functions of lazulite.cli's modules, as those of ML; they are about no workspace."""

ALONE = (
    Command(
        "login",
        "signing_in#login",
        "Sign in: as a service principal, or as the administrator of a server on this machine.",
        "service_principal username password tenant identity device_code approve yes",
    ),
    Command("logout", "signing_in#logout", "Sign out.", "username"),
    Command("account clear", "signing_in#logout", "Sign out."),
    Command("cloud show", "clouds#show", "Show the cloud that commands work on.", "name"),
    Command("cloud list", "clouds#listing", "List the clouds: this server is the only one."),
    Command("cloud list-profiles", "clouds#profiles", "List the profiles of API versions."),
    Command("cloud set", "clouds#unchanged", "Change nothing; for scripts of az.", "name"),
    Command(
        "cloud register",
        "clouds#unchanged",
        "Change nothing; for scripts of az.",
        "name cloud_endpoint",
    ),
    Command("cloud unregister", "clouds#unchanged", "Change nothing; for scripts of az.", "name"),
    Command("az-shim", "shim#write", "Write a command `az` that calls this one.", "target!"),
    Command(
        "schema", "schemas#schema", "Print or write the JSON schemas of YAML files.", "noun folder"
    ),
    Command("completion", "completion#script", "Print what makes a shell complete.", "shell"),
)
"""Called with the arguments, the environment and a report: they need no server."""

AZ_GROUPS = {
    "group": "Resource groups.",
    "cloud": "Which cloud: there is one, this server.",
    "account tenant": "The tenants.",
}
