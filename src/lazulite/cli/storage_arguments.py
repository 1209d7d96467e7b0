"""Every option of the `storage` commands, under the names that az gives them."""

from __future__ import annotations

import dataclasses

from lazulite.cli.arguments import ServerArguments, option, several


@dataclasses.dataclass(frozen=True, kw_only=True)
class StorageArguments(ServerArguments):
    """What the user gave; an option left out has its default (texts: empty, numbers: None)."""

    account_name: str = option("--account-name", help="Account (or AZURE_STORAGE_ACCOUNT).")
    account_key: str = option("--account-key", help="Key of it (or AZURE_STORAGE_KEY).")
    sas_token: str = option("--sas-token", help="A SAS (or AZURE_STORAGE_SAS_TOKEN).")
    connection_string: str = option(
        "--connection-string", help="Account and key (or AZURE_STORAGE_CONNECTION_STRING)."
    )
    blob_endpoint: str = option("--blob-endpoint", help="URL of the account's Blob service.")
    auth_mode: str = option(
        "--auth-mode", help="login: your roles. key: the account's key, which is looked up."
    )
    account: str = option("--name", "-n", help="Name of the storage account.")
    key: str = option("--key", help="Which key: primary or secondary, or key1 or key2.")
    container: str = option("--name", "-n", help="Name of the container.")
    container_name: str = option("--container-name", "-c", help="Name of the container.")
    blob: str = option("--name", "-n", help="Name of the blob.")
    source: str = option("--source", "-s", help="Folder, or container to take blobs from.")
    destination: str = option("--destination", "-d", help="Container, or folder to write to.")
    destination_path: str = option("--destination-path", help="Folder within the container.")
    destination_container: str = option(
        "--destination-container", "-c", help="Container to copy to."
    )
    destination_blob: str = option("--destination-blob", "-b", help="Blob to copy to.")
    source_uri: str = option("--source-uri", "-u", help="URL of the blob to copy.")
    source_container: str = option("--source-container", help="Container to copy from.")
    source_blob: str = option("--source-blob", help="Blob to copy.")
    file: str = option("--file", "-f", help="Local file.")
    overwrite: str = option(
        "--overwrite",
        help="Whether what is there may be replaced (upload: no unless given).",
        default=None,
        nargs="?",
        const="true",
    )
    pattern: str = option("--pattern", help="Which names: * ? [..], as in a shell.")
    prefix: str = option("--prefix", help="Only names that begin so.")
    delimiter: str = option("--delimiter", help="Group names up to this character.")
    marker: str = option("--marker", help="Go on where an earlier list ended.")
    num_results: str = option("--num-results", help="At most that many, or * (default: 5000).")
    include: str = option("--include", help="Also: m for metadata.")
    content_type: str = option(
        "--content-type", "-t", help="Content type; guessed from the name if not given."
    )
    content_encoding: str = option("--content-encoding", help="Content encoding.")
    content_language: str = option("--content-language", help="Content language.")
    content_disposition: str = option("--content-disposition", help="Content disposition.")
    content_cache: str = option("--content-cache-control", help="Cache control.")
    metadata: tuple[str, ...] = several("--metadata", help="Metadata as name=value, with spaces.")
    if_match: str = option("--if-match", help="Only this version (an ETag).")
    if_none_match: str = option("--if-none-match", help="Not this version; * for none at all.")
    max_connections: int | None = option(
        "--max-connections", help="Requests at a time (default: 8).", default=None, type=int
    )
    no_progress: bool = option("--no-progress", help="No progress bar.", default=False)
    dryrun: bool = option("--dryrun", help="Say what would be done.", default=False)
    fail_on_exist: bool = option(
        "--fail-on-exist", help="Fail if it is there already.", default=False
    )
    fail_not_exist: bool = option(
        "--fail-not-exist", help="Fail if it is not there.", default=False
    )
    public_access: str = option("--public-access", help="off, blob or container.")
    permissions: str = option("--permissions", help="What the SAS allows, such as rl or racwdl.")
    expiry: str = option("--expiry", help="When the SAS ends: 2030-01-31T12:00Z.")
    start: str = option("--start", help="When the SAS begins.")
    ip: str = option("--ip", help="Address, or first-last, that may use the SAS.")
    https_only: bool = option("--https-only", help="Refuse the SAS over HTTP.", default=False)
    full_uri: bool = option("--full-uri", help="The whole URL with the SAS.", default=False)
    snapshot: str = option("--snapshot", help="A snapshot of the blob.")
    delete_snapshots: str = option("--delete-snapshots", help="include or only.")
    workspace: str = option("--workspace-name", "-w", help="Name of the workspace.")


SERVER_OF_ACCOUNTS = ("subscription_id", "resource_group", "data_dir")
"""The options of commands about accounts."""
ACCESS = (
    "account_name",
    "account_key",
    "sas_token",
    "connection_string",
    "blob_endpoint",
    "auth_mode",
    *SERVER_OF_ACCOUNTS,
)
"""The options of commands about what is in an account."""
