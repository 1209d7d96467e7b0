"""Access of a container: its public level, and stored access policies as XML.

Source: "Set Container ACL", learn.microsoft.com.
"""

from __future__ import annotations

from collections.abc import Iterable

from lazulite.blobs.documents import DECLARATION, element
from lazulite.blobs.errors import BlobError
from lazulite.blobs.values import Policy
from lazulite.blobs.xml_reader import read_xml, text_of

MOST_POLICIES = 5
ID_CHARACTERS = 64
LEVELS = frozenset({"blob", "container"})


def public_level(text: str | None, *, allowed: bool) -> str:
    """The level in x-ms-blob-public-access. Raises BlobError 400 or 409.

    allowed: whether the account lets containers be public.
    """
    if text is None:
        return ""
    if text.lower() not in LEVELS:
        message = f"x-ms-blob-public-access {text[:40]!r} is not container or blob."
        raise BlobError("InvalidHeaderValue", message)
    if not allowed:
        raise BlobError("PublicAccessNotPermitted")
    return text.lower()


def read_policies(body: bytes) -> tuple[Policy, ...]:
    """The body of Set Container ACL, which may be empty. Raises BlobError 400."""
    if not body.strip():
        return ()
    found = tuple(
        Policy(
            id=text_of(one, "Id"),
            start=text_of(one, "AccessPolicy/Start"),
            expiry=text_of(one, "AccessPolicy/Expiry"),
            permission=text_of(one, "AccessPolicy/Permission"),
        )
        for one in read_xml(body, "SignedIdentifiers")
    )
    ids = [policy.id for policy in found]
    wrong = [name for name in ids if not 0 < len(name) <= ID_CHARACTERS]
    if len(found) > MOST_POLICIES or wrong or len(set(ids)) != len(ids):
        message = "Up to 5 policies, each with its own Id of 1 to 64 characters."
        raise BlobError("InvalidXmlDocument", message)
    return found


def policies_document(policies: Iterable[Policy]) -> str:
    """The body of Get Container ACL."""
    entries = "".join(
        f"<SignedIdentifier>{element('Id', one.id)}<AccessPolicy>"
        f"{_given('Start', one.start)}{_given('Expiry', one.expiry)}"
        f"{_given('Permission', one.permission)}</AccessPolicy></SignedIdentifier>"
        for one in policies
    )
    return f"{DECLARATION}<SignedIdentifiers>{entries}</SignedIdentifiers>"


def _given(name: str, text: str) -> str:
    return element(name, text) if text else ""
