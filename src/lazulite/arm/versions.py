"""The api-version of a request: required, well-formed, supported. Source: spec/REST.md 2.1."""

from __future__ import annotations

import re

from lazulite.core.errors import ArmError

FORM = re.compile(r"\d{4}-\d{2}-\d{2}(-preview|-dataplanepreview|-privatepreview)?")
OLDEST, NEWEST = "2014-04-01", "2026-12-31"
NAMED = (
    "2019-05-01",
    "2019-11-01",
    "2020-01-01",
    "2020-06-01",
    "2020-08-01",
    "2020-09-01-preview",
    "2021-03-01-preview",
    "2021-07-01",
    "2021-10-01",
    "2022-02-01-preview",
    "2022-05-01",
    "2022-10-01",
    "2023-04-01",
    "2023-04-01-preview",
    "2023-08-01-preview",
    "2023-10-01",
    "2024-01-01-preview",
    "2024-04-01",
    "2024-10-01-preview",
    "2025-01-01-preview",
)


def negotiate(version: str | None) -> str:
    """The version to answer in: the one asked for. Raises ArmError 400 naming what is supported.

    A well-formed version that no list names is taken for a newer or a lesser-known one.
    """
    return check_version(version, OLDEST)


def check_version(version: str | None, oldest: str) -> str:
    """The same for a provider whose versions began at another time."""
    if not version:
        raise ArmError(
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests. "
            f"Supported values: {', '.join(NAMED)}.",
        )
    if not FORM.fullmatch(version):
        raise ArmError(
            "InvalidApiVersionParameter",
            f"The api-version {version!r} is invalid: it reads YYYY-MM-DD, with or without "
            f"-preview. Supported values: {', '.join(NAMED)}.",
        )
    if not oldest <= version[:10] <= NEWEST:
        raise ArmError(
            "NoRegisteredProviderFound",
            f"No registered resource provider found for API version {version!r}. "
            f"The supported api-versions are {', '.join(NAMED)}.",
        )
    return version
