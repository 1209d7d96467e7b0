"""Runs operations of Microsoft's azure-storage-blob against one account and prints the outcomes.

    python storage_operations.py ENDPOINT ACCOUNT KEY sync|aio

An outcome has the status and headers of the last answer, the error code, and what the client made
of it, without what differs from run to run. Needs azure-storage-blob[aio], and nothing of Lazulite.
"""

import asyncio
import base64
import hashlib
import inspect
import json
import sys
from datetime import UTC, datetime, timedelta

from azure.core import MatchConditions
from azure.core.exceptions import AzureError
from azure.storage.blob import (
    AccessPolicy,
    BlobBlock,
    BlobLeaseClient,
    BlobServiceClient,
    ContainerSasPermissions,
    ContentSettings,
    CorsRule,
    Metrics,
    generate_account_sas,
    generate_blob_sas,
    generate_container_sas,
)
from azure.storage.blob.aio import BlobLeaseClient as AioBlobLeaseClient
from azure.storage.blob.aio import BlobServiceClient as AioBlobServiceClient

VALUES = (
    "accept-ranges", "cache-control", "content-disposition", "content-encoding",
    "content-language", "content-length", "content-md5", "content-range", "content-type",
    "x-ms-access-tier", "x-ms-access-tier-inferred", "x-ms-blob-append-offset",
    "x-ms-blob-committed-block-count", "x-ms-blob-content-length", "x-ms-blob-content-md5",
    "x-ms-blob-public-access", "x-ms-blob-sealed", "x-ms-blob-type", "x-ms-copy-progress",
    "x-ms-copy-status", "x-ms-error-code", "x-ms-lease-duration", "x-ms-lease-state",
    "x-ms-lease-status", "x-ms-lease-time", "x-ms-tag-count",
)  # fmt: skip
PRESENCE = (
    "date", "etag", "last-modified", "x-ms-access-tier-change-time",
    "x-ms-copy-completion-time", "x-ms-copy-id", "x-ms-copy-source",
    "x-ms-creation-time", "x-ms-lease-id", "x-ms-request-id", "x-ms-snapshot",
)  # fmt: skip

LEASE = "11111111-2222-3333-4444-555555555555"
OTHER = "99999999-8888-7777-6666-555555555555"
OPERATIONS = {}


def operation(step):
    """Register a step; steps run in the order in which they stand here."""
    OPERATIONS[step.__name__] = step
    return step


class Context:
    """The account at work, and what the last answer was."""

    def __init__(self, endpoint, account, key, client_type):
        self.endpoint, self.account, self.key = endpoint, account, key
        self.answer, self.kept = {}, {}
        self.service = client_type(
            endpoint,
            credential={"account_name": account, "account_key": key},
            retry_total=0,
            raw_response_hook=self.saw,
            max_single_put_size=1 << 20,
            max_block_size=256 << 10,
        )
        self.client_type = client_type

    def saw(self, response):
        headers = {name.lower(): value for name, value in response.http_response.headers.items()}
        values = {name: headers[name] for name in VALUES if name in headers}
        values |= {name: value for name, value in headers.items() if name.startswith("x-ms-meta-")}
        values |= {name: "*" for name in PRESENCE if name in headers}
        if not headers.get("x-ms-blob-type"):  # bodies of XML are told by what is made of them
            values = {
                n: v for n, v in values.items() if n not in {"content-type", "content-length"}
            }
        self.answer = {"status": response.http_response.status_code, "headers": values}

    @property
    def container(self):
        return self.service.get_container_client("parity")

    def blob(self, name):
        return self.container.get_blob_client(name)

    def url(self, name, **more):
        sas = generate_blob_sas(
            self.account, "parity", name, account_key=self.key, permission="r", expiry=soon()
        )
        return f"{self.endpoint}/parity/{name}?{sas}"

    def opened(self, sas):
        """A client with a SAS only."""
        return self.client_type(
            self.endpoint, credential=sas, retry_total=0, raw_response_hook=self.saw
        )


def soon():
    return datetime.now(UTC) + timedelta(hours=1)


async def done(value):
    """A result of the client, whether it is the asynchronous one or not."""
    return await value if inspect.isawaitable(value) else value


async def listed(pager):
    if hasattr(pager, "__aiter__"):
        return [item async for item in pager]
    return list(pager)


async def first_page(pager):
    if hasattr(pager, "__aiter__"):
        async for page in pager:
            return [item async for item in page], bool(pager.continuation_token)
        return [], False
    page = next(pager)
    return list(page), bool(pager.continuation_token)


async def read(client, **options):
    downloader = await done(client.download_blob(**options))
    return (await done(downloader.readall())).decode()


async def body_of(client, **options):
    """Length and digest, for what is too long to print."""
    downloader = await done(client.download_blob(**options))
    data = await done(downloader.readall())
    return [len(data), hashlib.sha256(data).hexdigest()]


# containers and the account


@operation
async def create_container(c):
    await done(c.container.create_container(metadata={"Purpose": "parity"}))


@operation
async def create_container_again(c):
    await done(c.container.create_container())


@operation
async def create_container_with_a_bad_name(c):
    await done(c.service.create_container("Bad_Name"))


@operation
async def container_properties(c):
    found = await done(c.container.get_container_properties())
    return [found.name, found.metadata, found.lease.state, found.public_access]


@operation
async def properties_of_no_container(c):
    await done(c.service.get_container_client("nothere").get_container_properties())


@operation
async def set_container_metadata(c):
    await done(c.container.set_container_metadata({"a": "1", "b": "2"}))
    return (await done(c.container.get_container_properties())).metadata


@operation
async def set_container_metadata_if_unmodified_since_long_ago(c):
    await done(
        c.container.set_container_metadata(
            {"a": "3"}, if_modified_since=datetime.now(UTC) + timedelta(days=1)
        )
    )


@operation
async def list_containers(c):
    for name in ("parity-a", "parity-b"):
        await done(c.service.create_container(name))
    found = await listed(c.service.list_containers("parity", include_metadata=True))
    return [[one.name, one.metadata or {}] for one in found]


@operation
async def list_containers_in_pages(c):
    page, more = await first_page(c.service.list_containers("parity", results_per_page=2).by_page())
    return [[one.name for one in page], more]


@operation
async def delete_container(c):
    await done(c.service.delete_container("parity-b"))


@operation
async def delete_container_that_is_not_there(c):
    await done(c.service.delete_container("nothere"))


@operation
async def set_container_access_policy(c):
    policy = AccessPolicy(
        permission=ContainerSasPermissions(read=True, list=True),
        expiry=datetime(2099, 1, 1, tzinfo=UTC),
        start=datetime(2020, 1, 1, tzinfo=UTC),
    )
    await done(c.container.set_container_access_policy({"readers": policy}))


@operation
async def get_container_access_policy(c):
    found = await done(c.container.get_container_access_policy())
    ids = found["signed_identifiers"]
    return [[one.id, one.access_policy.permission] for one in ids] + [found["public_access"]]


@operation
async def account_information(c):
    found = await done(c.service.get_account_information())
    return sorted(found)


@operation
async def service_properties(c):
    found = await done(c.service.get_service_properties())
    return [len(found["cors"]), found["hour_metrics"].enabled, found["static_website"].enabled]


@operation
async def set_service_properties(c):
    rule = CorsRule(["https://a.example"], ["GET"], max_age_in_seconds=5, allowed_headers=["x-*"])
    await done(c.service.set_service_properties(cors=[rule], minute_metrics=Metrics(enabled=False)))
    found = await done(c.service.get_service_properties())
    rule = found["cors"][0]
    return [rule.allowed_origins, rule.allowed_methods, rule.max_age_in_seconds]


@operation
async def clear_cors(c):
    await done(c.service.set_service_properties(cors=[]))
    return len((await done(c.service.get_service_properties()))["cors"])


# block blobs


@operation
async def upload(c):
    settings = ContentSettings(content_type="text/plain", cache_control="no-store")
    await done(
        c.blob("a/first.txt").upload_blob(
            b"hello world", metadata={"K": "v"}, content_settings=settings, validate_content=True
        )
    )


@operation
async def upload_again_without_overwriting(c):
    await done(c.blob("a/first.txt").upload_blob(b"other"))


@operation
async def upload_overwriting(c):
    await done(c.blob("a/second.txt").upload_blob(b"one"))
    await done(c.blob("a/second.txt").upload_blob(b"two", overwrite=True))
    return await read(c.blob("a/second.txt"))


@operation
async def upload_to_no_container(c):
    await done(c.service.get_blob_client("nothere", "x").upload_blob(b"x"))


@operation
async def upload_in_blocks(c):
    data = bytes(range(256)) * 8192
    await done(c.blob("large.bin").upload_blob(data, max_concurrency=2))
    return await body_of(c.blob("large.bin"), max_concurrency=2)


@operation
async def upload_with_odd_characters(c):
    name = "odd/ünï code+%41 #?&=.txt"
    await done(c.blob(name).upload_blob(b"odd"))
    return [await read(c.blob(name)), [b.name for b in await listed(c.container.list_blobs("odd"))]]


@operation
async def upload_of_nothing(c):
    await done(c.blob("empty").upload_blob(b""))
    return await read(c.blob("empty"))


@operation
async def blob_properties(c):
    found = await done(c.blob("a/first.txt").get_blob_properties())
    settings = found.content_settings
    return [
        found.name, found.size, found.metadata, found.blob_type, found.lease.state,
        settings.content_type, settings.cache_control, bytes(settings.content_md5).hex(),
    ]  # fmt: skip


@operation
async def properties_of_no_blob(c):
    await done(c.blob("none").get_blob_properties())


@operation
async def blob_exists(c):
    return [await done(c.blob("none").exists()), await done(c.blob("a/first.txt").exists())]


@operation
async def download(c):
    return await read(c.blob("a/first.txt"))


@operation
async def download_a_range(c):
    return await read(c.blob("a/first.txt"), offset=6, length=3)


@operation
async def download_a_range_with_its_md5(c):
    return await read(c.blob("a/first.txt"), offset=0, length=4, validate_content=True)


@operation
async def download_behind_the_end(c):
    return await read(c.blob("a/first.txt"), offset=100, length=3)


@operation
async def download_of_no_blob(c):
    return await read(c.blob("none"))


@operation
async def download_if_changed(c):
    etag = (await done(c.blob("a/first.txt").get_blob_properties())).etag
    await read(c.blob("a/first.txt"), etag=etag, match_condition=MatchConditions.IfModified)


@operation
async def download_if_the_same(c):
    await read(c.blob("a/first.txt"), etag='"0x0"', match_condition=MatchConditions.IfNotModified)


@operation
async def upload_if_the_same(c):
    await done(
        c.blob("a/first.txt").upload_blob(
            b"x", overwrite=True, etag='"0x0"', match_condition=MatchConditions.IfNotModified
        )
    )


@operation
async def set_metadata(c):
    await done(c.blob("a/first.txt").set_blob_metadata({"x": "1", "y_2": "z"}))
    return (await done(c.blob("a/first.txt").get_blob_properties())).metadata


@operation
async def set_metadata_with_a_bad_name(c):
    await done(c.blob("a/first.txt").set_blob_metadata({"1x": "1"}))


@operation
async def set_http_headers(c):
    settings = ContentSettings(content_type="a/b", content_language="de", content_encoding="x")
    await done(c.blob("a/first.txt").set_http_headers(settings))
    found = (await done(c.blob("a/first.txt").get_blob_properties())).content_settings
    return [found.content_type, found.content_language, found.content_encoding, found.cache_control]


@operation
async def stage_blocks(c):
    blob = c.blob("blocks")
    for number in range(3):
        await done(blob.stage_block(f"{number:03}", f"part{number};".encode()))
    committed, waiting = await done(blob.get_block_list("all"))
    return [[b.id for b in committed], [[b.id, b.size] for b in waiting]]


@operation
async def commit_blocks(c):
    await done(c.blob("blocks").commit_block_list([BlobBlock("002"), BlobBlock("000")]))
    return await read(c.blob("blocks"))


@operation
async def committed_blocks(c):
    committed, waiting = await done(c.blob("blocks").get_block_list("all"))
    return [[[b.id, b.size] for b in committed], [b.id for b in waiting]]


@operation
async def commit_a_block_that_is_not_there(c):
    await done(c.blob("blocks").commit_block_list([BlobBlock("777")]))


@operation
async def stage_a_block_with_wrong_md5(c):
    client = c.blob("blocks")
    wrong = base64.b64encode(b"0" * 16).decode()
    await done(client.stage_block("001", b"x", headers={"Content-MD5": wrong}))


@operation
async def upload_with_wrong_md5(c):
    wrong = base64.b64encode(b"0" * 16).decode()
    await done(c.blob("wrong").upload_blob(b"x", headers={"Content-MD5": wrong}))


# listing


@operation
async def list_blobs(c):
    found = await listed(c.container.list_blobs(include=["metadata"]))
    return [
        [b.name, b.size, b.blob_type, b.metadata or {}, b.content_settings.content_type]
        for b in found
    ]


@operation
async def list_blobs_by_prefix(c):
    return [b.name for b in await listed(c.container.list_blobs(name_starts_with="a/"))]


@operation
async def list_blobs_in_pages(c):
    page, more = await first_page(c.container.list_blobs(results_per_page=2).by_page())
    return [[b.name for b in page], more]


@operation
async def walk_blobs(c):
    return [b.name for b in await listed(c.container.walk_blobs(delimiter="/"))]


@operation
async def list_of_no_container(c):
    await listed(c.service.get_container_client("nothere").list_blobs())


# snapshots


@operation
async def snapshot(c):
    blob = c.blob("snapped")
    await done(blob.upload_blob(b"old"))
    c.kept["snapshot"] = (await done(blob.create_snapshot(metadata={"at": "first"})))["snapshot"]
    await done(blob.upload_blob(b"new", overwrite=True, headers={}))
    old = c.container.get_blob_client("snapped", snapshot=c.kept["snapshot"])
    return [await read(old), (await done(old.get_blob_properties())).metadata]


@operation
async def list_snapshots(c):
    found = await listed(c.container.list_blobs("snapped", include=["snapshots"]))
    return [[b.name, b.size, bool(b.snapshot)] for b in found]


@operation
async def delete_with_snapshots_in_the_way(c):
    await done(c.blob("snapped").delete_blob())


@operation
async def delete_one_snapshot(c):
    old = c.container.get_blob_client("snapped", snapshot=c.kept["snapshot"])
    await done(old.delete_blob())


@operation
async def read_a_snapshot_that_is_gone(c):
    await read(c.container.get_blob_client("snapped", snapshot=c.kept["snapshot"]))


@operation
async def delete_blob_and_snapshots(c):
    await done(c.blob("snapped").create_snapshot())
    await done(c.blob("snapped").delete_blob(delete_snapshots="include"))


@operation
async def snapshot_of_no_blob(c):
    await done(c.blob("none").create_snapshot())


# leases


@operation
async def acquire_lease(c):
    await done(c.blob("leased").upload_blob(b"x"))
    lease = await done(c.blob("leased").acquire_lease(lease_id=LEASE))
    return lease.id


@operation
async def acquire_a_lease_that_is_taken(c):
    await done(c.blob("leased").acquire_lease(lease_id=OTHER))


@operation
async def properties_of_a_leased_blob(c):
    found = (await done(c.blob("leased").get_blob_properties())).lease
    return [found.state, found.status, found.duration]


@operation
async def write_without_the_lease(c):
    await done(c.blob("leased").upload_blob(b"y", overwrite=True))


@operation
async def write_with_another_lease(c):
    await done(c.blob("leased").upload_blob(b"y", overwrite=True, lease=OTHER))


@operation
async def write_with_the_lease(c):
    await done(c.blob("leased").upload_blob(b"y", overwrite=True, lease=LEASE))


@operation
async def write_with_a_lease_where_there_is_none(c):
    await done(c.blob("a/first.txt").set_blob_metadata({}, lease=LEASE))


@operation
async def delete_without_the_lease(c):
    await done(c.blob("leased").delete_blob())


@operation
async def renew_and_change_lease(c):
    lease = await done(c.blob("leased").acquire_lease(lease_id=LEASE))
    await done(lease.renew())
    await done(lease.change(OTHER))
    return lease.id


@operation
async def release_with_the_wrong_id(c):
    lease = await done(c.blob("leased").acquire_lease(lease_id=OTHER))
    lease.id = LEASE
    await done(lease.release())


@operation
async def break_lease(c):
    lease = await done(c.blob("leased").acquire_lease(lease_id=OTHER))
    return await done(lease.break_lease(0))


@operation
async def renew_a_broken_lease(c):
    kind = AioBlobLeaseClient if c.client_type is AioBlobServiceClient else BlobLeaseClient
    await done(kind(c.blob("leased"), lease_id=OTHER).renew())


@operation
async def acquire_with_a_bad_duration(c):
    await done(c.blob("leased").acquire_lease(lease_duration=5))


@operation
async def container_lease(c):
    lease = await done(c.service.get_container_client("parity-a").acquire_lease(15, LEASE))
    found = await done(c.service.get_container_client("parity-a").get_container_properties())
    c.kept["container lease"] = lease
    return [found.lease.state, found.lease.duration]


@operation
async def delete_a_leased_container(c):
    await done(c.service.delete_container("parity-a"))


@operation
async def release_a_container(c):
    await done(c.kept["container lease"].release())
    await done(c.service.delete_container("parity-a"))


# append blobs


@operation
async def create_append_blob(c):
    await done(c.blob("log").create_append_blob(metadata={"k": "v"}))


@operation
async def append_block(c):
    await done(c.blob("log").append_block(b"one;"))
    said = await done(c.blob("log").append_block(b"two;"))
    return [
        said["blob_append_offset"],
        said["blob_committed_block_count"],
        await read(c.blob("log")),
    ]


@operation
async def append_at_the_wrong_place(c):
    await done(c.blob("log").append_block(b"x", appendpos_condition=1))


@operation
async def append_beyond_the_size(c):
    await done(c.blob("log").append_block(b"x", maxsize_condition=5))


@operation
async def append_to_a_block_blob(c):
    await done(c.blob("a/first.txt").append_block(b"x"))


@operation
async def stage_block_on_an_append_blob(c):
    await done(c.blob("log").stage_block("001", b"x"))


@operation
async def append_with_md5(c):
    await done(c.blob("log").append_block(b"three;", validate_content=True))
    return await read(c.blob("log"))


@operation
async def upload_as_append_blob(c):
    await done(c.blob("log2").upload_blob(b"abc", blob_type="AppendBlob"))
    found = await done(c.blob("log2").get_blob_properties())
    return [found.blob_type, found.size, found.append_blob_committed_block_count]


@operation
async def seal_append_blob(c):
    await done(c.blob("log2").seal_append_blob())
    return (await done(c.blob("log2").get_blob_properties())).is_append_blob_sealed


@operation
async def append_to_a_sealed_blob(c):
    await done(c.blob("log2").append_block(b"x"))


# tags and tiers


@operation
async def set_tags(c):
    await done(c.blob("a/first.txt").set_blob_tags({"project": "x", "stage": "1"}))
    return await done(c.blob("a/first.txt").get_blob_tags())


@operation
async def upload_with_tags(c):
    await done(c.blob("tagged").upload_blob(b"x", tags={"project": "y"}))
    return await done(c.blob("tagged").get_blob_tags())


@operation
async def find_by_tags(c):
    found = await listed(c.service.find_blobs_by_tags("\"project\"='x'"))
    return [[one.container_name, one.name] for one in found]


@operation
async def read_if_tags_match(c):
    return await read(c.blob("tagged"), if_tags_match_condition="\"project\"='y'")


@operation
async def read_if_tags_do_not_match(c):
    return await read(c.blob("tagged"), if_tags_match_condition="\"project\"='n'")


@operation
async def list_with_tags(c):
    found = await listed(c.container.list_blobs("tagged", include=["tags"]))
    return [[one.name, one.tags] for one in found]


@operation
async def too_many_tags(c):
    await done(c.blob("tagged").set_blob_tags({f"k{n}": "v" for n in range(11)}))


@operation
async def set_tier(c):
    await done(c.blob("tagged").set_standard_blob_tier("Cool"))
    return (await done(c.blob("tagged").get_blob_properties())).blob_tier


@operation
async def set_a_bad_tier(c):
    await done(c.blob("tagged").set_standard_blob_tier("Warm"))


# copies


@operation
async def copy(c):
    await done(c.blob("copied").start_copy_from_url(f"{c.endpoint}/parity/a/second.txt"))
    found = await done(c.blob("copied").get_blob_properties())
    return [found.copy.status, found.copy.progress, await read(c.blob("copied"))]


@operation
async def copy_with_sas(c):
    await done(c.blob("copied").start_copy_from_url(c.url("a/second.txt"), metadata={"n": "1"}))
    return (await done(c.blob("copied").get_blob_properties())).metadata


@operation
async def copy_of_no_blob(c):
    await done(c.blob("copied2").start_copy_from_url(f"{c.endpoint}/parity/none"))


@operation
async def copy_at_once(c):
    await done(c.blob("copied3").start_copy_from_url(c.url("a/second.txt"), requires_sync=True))
    return await read(c.blob("copied3"))


@operation
async def abort_copy(c):
    await done(c.blob("copied").abort_copy("9b8e3f2c-0000-0000-0000-000000000000"))


@operation
async def block_from_url(c):
    blob = c.blob("assembled")
    await done(blob.stage_block_from_url("001", c.url("a/second.txt"), 0, 2))
    await done(blob.commit_block_list([BlobBlock("001")]))
    return await read(blob)


@operation
async def upload_from_url(c):
    await done(c.blob("fetched").upload_blob_from_url(c.url("a/second.txt")))
    return await read(c.blob("fetched"))


# signatures


@operation
async def account_sas_reads(c):
    sas = generate_account_sas(c.account, c.key, "o", "r", soon())
    return await read(c.opened(sas).get_blob_client("parity", "a/second.txt"))


@operation
async def account_sas_does_not_write(c):
    sas = generate_account_sas(c.account, c.key, "o", "r", soon())
    await done(c.opened(sas).get_blob_client("parity", "z").upload_blob(b"x"))


@operation
async def container_sas_lists(c):
    sas = generate_container_sas(c.account, "parity", c.key, permission="l", expiry=soon())
    client = c.opened(sas).get_container_client("parity")
    return [b.name for b in await listed(client.list_blobs("a/"))]


@operation
async def expired_sas(c):
    sas = generate_container_sas(
        c.account, "parity", c.key, permission="r", expiry=datetime(2020, 1, 1, tzinfo=UTC)
    )
    return await read(c.opened(sas).get_blob_client("parity", "a/second.txt"))


@operation
async def sas_with_another_key(c):
    sas = generate_container_sas(
        c.account, "parity", base64.b64encode(b"x" * 64).decode(), permission="r", expiry=soon()
    )
    return await read(c.opened(sas).get_blob_client("parity", "a/second.txt"))


@operation
async def sas_of_a_stored_policy(c):
    sas = generate_container_sas(c.account, "parity", c.key, policy_id="readers")
    return await read(c.opened(sas).get_blob_client("parity", "a/second.txt"))


@operation
async def sas_of_no_stored_policy(c):
    sas = generate_container_sas(c.account, "parity", c.key, policy_id="nobody")
    return await read(c.opened(sas).get_blob_client("parity", "a/second.txt"))


@operation
async def wrong_shared_key(c):
    credential = {"account_name": c.account, "account_key": base64.b64encode(b"x" * 64).decode()}
    return await read(c.opened(credential).get_blob_client("parity", "a/second.txt"))


# batches and deletes


@operation
async def delete_in_a_batch(c):
    for name in ("batch/1", "batch/2"):
        await done(c.blob(name).upload_blob(b"x"))
    answers = await listed(
        await done(
            c.container.delete_blobs("batch/1", "batch/2", "batch/none", raise_on_any_failure=False)
        )
    )
    return [answer.status_code for answer in answers]


@operation
async def tier_in_a_batch(c):
    answers = await listed(
        await done(c.container.set_standard_blob_tier_blobs("Cool", "a/first.txt", "a/second.txt"))
    )
    return [answer.status_code for answer in answers]


@operation
async def delete_blob(c):
    await done(c.blob("copied").delete_blob())


@operation
async def delete_blob_again(c):
    await done(c.blob("copied").delete_blob())


@operation
async def undelete_blob(c):
    await done(c.blob("copied").undelete_blob())


@operation
async def create_page_blob(c):
    await done(c.blob("page").create_page_blob(512))


async def outcome(context, step):
    context.answer = {}
    try:
        said = {"value": await step(context)}
    except AzureError as error:
        code = getattr(error, "error_code", None)
        said = {"error": str(getattr(code, "value", code)), "kind": type(error).__name__}
    return {**context.answer, **said}


async def main(endpoint, account, key, mode):
    kind = AioBlobServiceClient if mode == "aio" else BlobServiceClient
    context = Context(endpoint, account, key, kind)
    found = {name: await outcome(context, step) for name, step in OPERATIONS.items()}
    print(json.dumps(found, default=str))
    await done(context.container.delete_container())
    await done(context.service.close())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
