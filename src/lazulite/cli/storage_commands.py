"""The table of `lazulite storage ...`: the words of `az storage`."""

from __future__ import annotations

from lazulite.cli.commands import Command

_CONTENT = (
    "content_type content_encoding content_language content_disposition content_cache metadata"
)
_LIST = "prefix num_results marker include"
_SAS = "permissions expiry start ip https_only"
_CONDITIONS = "if_match if_none_match"

ACCOUNTS = (
    Command("account list", "storage_accounts#listing", "List the storage accounts."),
    Command("account show", "storage_accounts#show", "Show a storage account.", "account"),
    Command("account keys list", "storage_accounts#keys", "List an account's keys.", "account"),
    Command(
        "account keys renew",
        "storage_accounts#renew_key",
        "Make one of an account's keys anew; what was signed with it is void.",
        "account key!",
    ),
    Command(
        "account show-connection-string",
        "storage_accounts#connection_string",
        "Show what a client needs to connect.",
        "account",
    ),
)
"""About accounts, over ARM."""

CONTENTS = (
    Command(
        "container create",
        "storage_containers#create",
        "Create a container.",
        "container! metadata public_access fail_on_exist",
    ),
    Command("container list", "storage_containers#listing", "List the containers.", _LIST),
    Command("container show", "storage_containers#show", "Show a container.", "container!"),
    Command(
        "container exists",
        "storage_containers#exists",
        "Whether there is a container.",
        "container!",
    ),
    Command(
        "container delete",
        "storage_containers#delete",
        "Delete a container with all its blobs.",
        "container! fail_not_exist",
    ),
    Command(
        "container generate-sas",
        "storage_sas#container",
        "Sign a SAS for a container.",
        f"container! {_SAS}",
    ),
    Command(
        "container set-permission",
        "storage_containers#set_permission",
        "Say whether anyone may read.",
        "container! public_access!",
    ),
    Command(
        "blob upload",
        "storage_uploads#upload",
        "Upload a file.",
        f"file! container_name! blob overwrite {_CONTENT} {_CONDITIONS} max_connections"
        " no_progress",
    ),
    Command(
        "blob upload-batch",
        "storage_uploads#upload_batch",
        "Upload a folder.",
        f"source! destination! destination_path pattern overwrite {_CONTENT} max_connections"
        " no_progress dryrun",
    ),
    Command(
        "blob download",
        "storage_downloads#download",
        "Download a blob to a file.",
        f"container_name! blob! file overwrite snapshot {_CONDITIONS} max_connections no_progress",
    ),
    Command(
        "blob download-batch",
        "storage_downloads#download_batch",
        "Download the blobs of a container to a folder.",
        "source! destination! pattern overwrite max_connections no_progress dryrun",
    ),
    Command(
        "blob list",
        "storage_blobs#listing",
        "List the blobs of a container.",
        f"container_name! delimiter {_LIST}",
    ),
    Command("blob show", "storage_blobs#show", "Show a blob.", "container_name! blob! snapshot"),
    Command(
        "blob exists", "storage_blobs#exists", "Whether there is a blob.", "container_name! blob!"
    ),
    Command(
        "blob delete",
        "storage_blobs#delete",
        "Delete a blob.",
        f"container_name! blob! snapshot delete_snapshots {_CONDITIONS}",
    ),
    Command(
        "blob delete-batch",
        "storage_blobs#delete_batch",
        "Delete many blobs of a container.",
        "source! pattern delete_snapshots dryrun",
    ),
    Command(
        "blob copy start",
        "storage_blobs#copy",
        "Copy a blob inside the service.",
        "destination_container! destination_blob! source_uri source_container source_blob metadata",
    ),
    Command(
        "blob metadata show",
        "storage_blobs#metadata",
        "Show a blob's metadata.",
        "container_name! blob!",
    ),
    Command(
        "blob metadata update",
        "storage_blobs#set_metadata",
        "Replace a blob's metadata.",
        f"container_name! blob! metadata {_CONDITIONS}",
    ),
    Command(
        "blob generate-sas",
        "storage_sas#blob",
        "Sign a SAS for a blob.",
        f"container_name! blob! {_SAS} full_uri",
    ),
    Command("blob url", "storage_blobs#url", "The URL of a blob.", "container_name! blob!"),
)
"""About what is in an account, over the Blob protocol."""

STORAGE_GROUPS = {
    "storage": "Storage accounts and blobs: the same words as `az storage`.",
    "storage account": "Storage accounts of the server.",
    "storage account keys": "Keys of a storage account.",
    "storage container": "Containers of blobs.",
    "storage blob": "Blobs.",
    "storage blob copy": "Copies of blobs.",
    "storage blob metadata": "Metadata of blobs.",
}
