"""SAS and shared keys, held against what azure-storage-blob signs."""

from __future__ import annotations

import base64
import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.blob import generate_account_sas, generate_blob_sas, generate_container_sas

from lazulite.blobs.errors import BlobError
from lazulite.blobs.shared_key import SignedRequest, check_shared_key, strings_to_sign
from lazulite.blobs.signatures import (
    Grant,
    Permission,
    Use,
    check_sas,
    parse_query,
    sign,
    sign_account,
    sign_blob,
    sign_container,
    sign_directory,
)

KEY, OLD_KEY = b"k" * 64, b"o" * 64
TEXT_KEY = base64.b64encode(KEY).decode()
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SOON = NOW + timedelta(hours=1)
READ = Use("acct", Permission.READ, "con", "a/b.txt", NOW, "https", "10.0.0.7")


def use(**changes) -> Use:
    return dataclasses.replace(READ, **changes)


def code_of(sas: str, asked: Use, keys=(OLD_KEY, KEY)) -> str:
    try:
        check_sas(parse_query(sas), asked, keys)
    except BlobError as error:
        return error.code
    return "ok"


CLIENT_SAS = {
    "account": generate_account_sas(
        "acct", TEXT_KEY, resource_types="sco", permission="rl", expiry=SOON
    ),
    "container": generate_container_sas(
        "acct", "con", account_key=TEXT_KEY, permission="rl", expiry=SOON
    ),
    "blob": generate_blob_sas(
        "acct", "con", "a/b.txt", account_key=TEXT_KEY, permission="r", expiry=SOON
    ),
    "blob with everything": generate_blob_sas(
        "acct",
        "con",
        "a/b.txt",
        account_key=TEXT_KEY,
        permission="r",
        expiry=SOON,
        start=NOW - timedelta(minutes=5),
        ip="10.0.0.1-10.0.0.9",
        protocol="https",
        content_type="text/plain",
        content_disposition='attachment; filename="ü +.txt"',
        cache_control="no-cache",
        encryption_scope="scope",
    ),
}


@pytest.mark.parametrize("kind", CLIENT_SAS)
def test_sas_of_the_client_is_accepted(kind):
    assert code_of(CLIENT_SAS[kind], READ) == "ok"


@pytest.mark.parametrize("kind", CLIENT_SAS)
def test_any_changed_character_of_a_sas_is_noticed(kind):
    for name, value in parse_query(CLIENT_SAS[kind]):
        said = dict(parse_query(CLIENT_SAS[kind]))
        said[name] = ("B" if value[0] == "A" else "A") + value[1:]
        changed = "&".join(f"{key}={text}" for key, text in said.items())
        assert code_of(changed, READ) != "ok", name


@pytest.mark.parametrize(
    "sas",
    [
        sign_account("acct", KEY, Grant("rl", SOON)),
        sign_container("acct", KEY, Grant("lr", SOON), "con"),
        sign_blob("acct", KEY, Grant("r", SOON), "con/a/b.txt"),
        sign_directory("acct", KEY, Grant("r", SOON), "con/a"),
    ],
)
def test_what_we_mint_is_what_the_client_would_mint(sas):
    assert code_of(sas, READ) == "ok"
    said = dict(parse_query(sas))
    if said.get("sr") != "c":
        return
    theirs = generate_container_sas(
        "acct", "con", account_key=TEXT_KEY, permission="rl", expiry=SOON
    )
    assert said.keys() == dict(parse_query(theirs)).keys()


@pytest.mark.parametrize(
    ("sas", "asked", "code"),
    [
        (
            sign_container("acct", KEY, Grant("r", SOON), "con"),
            use(now=SOON),
            "AuthenticationFailed",
        ),
        (
            sign_container("acct", KEY, Grant("r", SOON, start=SOON), "con"),
            READ,
            "AuthenticationFailed",
        ),
        (
            sign_container("acct", KEY, Grant("r", SOON), "con"),
            use(container="other"),
            "AuthenticationFailed",
        ),
        (
            sign_container("acct", KEY, Grant("r", SOON), "con"),
            use(account="other"),
            "AuthenticationFailed",
        ),
        (
            sign_container("acct", KEY, Grant("r", SOON), "con"),
            use(permission=Permission.WRITE),
            "AuthorizationPermissionMismatch",
        ),
        (
            sign_container("acct", KEY, Grant("w", SOON), "con"),
            use(permission=Permission.CREATE),
            "ok",
        ),
        (
            sign_container("acct", KEY, Grant("rwdlc", SOON), "con"),
            use(permission=Permission.DELETE, blob=None),
            "AuthorizationResourceTypeMismatch",
        ),
        (
            sign_container("acct", KEY, Grant("l", SOON), "con"),
            use(permission=Permission.LIST, blob=None),
            "ok",
        ),
        (
            sign_container("acct", KEY, Grant("l", SOON), "con"),
            use(permission=Permission.LIST, blob=None, container=None),
            "AuthorizationResourceTypeMismatch",
        ),
        (sign_blob("acct", KEY, Grant("r", SOON), "con/a"), READ, "AuthenticationFailed"),
        (
            sign_directory("acct", KEY, Grant("r", SOON), "con/a"),
            use(blob="ab/b.txt"),
            "AuthenticationFailed",
        ),
        (
            sign_directory("acct", KEY, Grant("r", SOON), "con/a"),
            use(blob="a"),
            "AuthorizationResourceTypeMismatch",
        ),
        (
            sign_account("acct", KEY, Grant("r", SOON), "sc"),
            READ,
            "AuthorizationResourceTypeMismatch",
        ),
        (
            sign_container("acct", KEY, Grant("r", SOON, protocol="https"), "con"),
            use(scheme="http"),
            "AuthorizationProtocolMismatch",
        ),
        (
            sign_container("acct", KEY, Grant("r", SOON, ip="10.0.0.1-10.0.0.6"), "con"),
            READ,
            "AuthorizationSourceIPMismatch",
        ),
        (
            sign_container("acct", KEY, Grant("r", SOON, ip="10.0.0.7"), "con"),
            use(ip=None),
            "AuthorizationSourceIPMismatch",
        ),
        (sign_container("acct", b"x", Grant("r", SOON), "con"), READ, "AuthenticationFailed"),
        (
            sign_container("acct", KEY, Grant("r", SOON), "con") + "&se=2099-01-01",
            READ,
            "AuthenticationFailed",
        ),
        ("sig=x", READ, "AuthenticationFailed"),
        ("sv=2023-11-03&sr=c&si=policy&sig=x", READ, "AuthenticationFailed"),
        ("sv=2015-04-05&sr=c&sp=r&se=2099-01-01&sig=x", READ, "AuthenticationFailed"),
        ("sv=2023-11-03&sr=c&sp=r&se=never&sig=AA==", READ, "AuthenticationFailed"),
    ],
)
def test_sas_covers_what_it_says_and_nothing_else(sas, asked, code):
    assert code_of(sas, asked) == code


def test_no_key_means_no_access():
    assert code_of(sign_container("acct", KEY, Grant("r", SOON), "con"), READ, ()) != "ok"


def shared_key_request(**headers: str) -> SignedRequest:
    given = {"x-ms-date": "Fri, 01 May 2026 12:00:00 GMT", "x-ms-version": "2023-11-03"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    return SignedRequest("PUT", "/acct/con/a%20b", [("timeout", "30"), ("comp", "block")], given)


def signed(request: SignedRequest, name: str = "acct", key: bytes = KEY) -> SignedRequest:
    signature = sign(strings_to_sign(request, name)[0], key)
    headers = {**request.headers, "authorization": f"SharedKey {name}:{signature}"}
    return dataclasses.replace(request, headers=headers)


def test_string_to_sign_is_the_documented_one():
    request = shared_key_request(content_length="5", content_type="text/plain", range="bytes=0-1")
    assert strings_to_sign(request, "acct") == [
        "PUT\n\n\n5\n\ntext/plain\n\n\n\n\n\nbytes=0-1\n"
        "x-ms-date:Fri, 01 May 2026 12:00:00 GMT\nx-ms-version:2023-11-03\n"
        "/acct/acct/con/a%20b\ncomp:block\ntimeout:30"
    ]


@pytest.mark.parametrize("name", ["acct", "acct.blob.core.local"])
def test_shared_key_is_accepted_under_both_names_of_the_account(name):
    check_shared_key(signed(shared_key_request(), name), "acct", [OLD_KEY, KEY], NOW)


@pytest.mark.parametrize(
    "request_",
    [
        shared_key_request(authorization="SharedKey acct:AAAA"),
        shared_key_request(authorization="SharedKey acct"),
        shared_key_request(authorization="Basic YTpi"),
        signed(shared_key_request(), key=b"x"),
        signed(shared_key_request(), name="other"),
        dataclasses.replace(signed(shared_key_request()), raw_path="/acct/con/other"),
        dataclasses.replace(signed(shared_key_request()), method="DELETE"),
        dataclasses.replace(signed(shared_key_request()), query=[]),
        signed(shared_key_request(x_ms_date="Fri, 01 May 2026 11:44:00 GMT")),
        signed(shared_key_request(x_ms_date="Fri, 01 May 2026 12:16:00 GMT")),
        signed(shared_key_request(x_ms_date="yesterday")),
    ],
)
def test_request_that_is_not_signed_or_not_of_now_is_refused(request_):
    with pytest.raises(BlobError) as refused:
        check_shared_key(request_, "acct", [KEY], NOW)
    assert refused.value.code == "AuthenticationFailed"


def test_headers_sorted_as_cultures_do_are_accepted_too():
    request = shared_key_request(**{"x-ms-meta-a_b": "1", "x-ms-meta-a1": "2"})
    texts = strings_to_sign(
        dataclasses.replace(
            request, headers={**request.headers, "x-ms-meta-a_b": "1", "x-ms-meta-a1": "2"}
        ),
        "acct",
    )
    assert len(texts) == 2
    assert texts[1].index("a_b") < texts[1].index("a1")
