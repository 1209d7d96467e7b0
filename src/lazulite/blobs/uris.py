"""References to data, parsed once into typed values; whoever holds one need not look at text again.

    azureml://datastores/{d}/paths/{p}                                   DatastorePath
    azureml://subscriptions/../workspaces/{w}/datastores/{d}/paths/{p}   DatastorePath
    azureml:{name}:{version}, azureml:{name}@{label}                     AssetName
    [azureml:]/subscriptions/../workspaces/{w}/{type}/{name}/versions/{v}  AssetId
    azureml://locations/{l}/workspaces/{w}/{type}/{name}/versions/labels/{l}  AssetId
    azureml://jobs/{job}/outputs/{output}/paths/{p}, runs:/{job}/{p}     JobOutputPath
    {origin}/{account}[.blob.{suffix}]/{c}/{p}, wasbs:// on our accounts  BlobPath
    http(s)://..., wasbs:// elsewhere                                    WebAddress

Before each may stand "folder:" or "file:". Fixed words compare without case, as in Azure; names
and paths keep theirs. Source: spec/CLIENTS.md 4 and 7, spec/BATCH.md 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import SplitResult, unquote, urlsplit

from lazulite.blobs.references import (
    AssetId,
    AssetName,
    BlobPath,
    DatastorePath,
    DataUri,
    JobOutputPath,
    Reference,
    Shape,
    Site,
    WebAddress,
    Workspace,
)
from lazulite.core.errors import ArmError

WORKSPACE = (
    r"/?subscriptions/(?P<subscription>[^/]+)/resourcegroups/(?P<group>[^/]+)"
    r"(?:/providers/microsoft\.machinelearningservices)?/workspaces/(?P<workspace>[^/]+)"
)
DATASTORE = re.compile(
    rf"(?:{WORKSPACE}/)?datastores/(?P<datastore>[^/]+)(?:/paths(?:/(?P<path>.*))?)?",
    re.IGNORECASE | re.DOTALL,
)
ASSET_ID = re.compile(
    rf"(?:{WORKSPACE}|locations/[^/]+/workspaces/(?P<located>[^/]+))/(?P<kind>[a-z]+)"
    r"/(?P<name>[^/]+)/(?P<how>versions|(?:versions/)?labels)/(?P<which>[^/]+)/?",
    re.IGNORECASE,
)
JOB_OUTPUT = re.compile(
    r"jobs/(?P<job>[^/]+)/outputs/(?P<output>[^/]+)(?:/paths(?:/(?P<path>.*))?)?",
    re.IGNORECASE | re.DOTALL,
)
ASSET_NAME = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]{0,254})(?P<how>[:@])(?P<which>[A-Za-z0-9][A-Za-z0-9._-]*)"
)
HADOOP_SCHEMES = frozenset({"wasb", "wasbs", "abfs", "abfss"})


def parse_data_uri(text: str, site: Site) -> DataUri:
    """Parse what a user gave as a path or URI. Raises ArmError 400 for what cannot be used."""
    shape, rest = _split_shape(text.strip())
    if "\0" in rest or any(ord(character) < ord(" ") for character in rest):
        raise _invalid(text, "it has a control character")
    return DataUri(_reference(rest, site), shape)


def locate(
    reference: DatastorePath | BlobPath,
    datastore: Callable[[DatastorePath], tuple[str, str] | None],
) -> BlobPath:
    """Where the bytes are. datastore: its (account, container), None if there is none.

    Raises ArmError 404 for an unknown datastore.
    """
    if isinstance(reference, BlobPath):
        return reference
    found = datastore(reference)
    if found is None:
        name = reference.datastore
        message = f"There is no datastore {name!r}. List them with: az ml datastore list."
        raise ArmError("DatastoreNotFound", message, 404, target=name)
    return BlobPath(*found, reference.path)


def _split_shape(text: str) -> tuple[Shape | None, str]:
    """Take the shape off; file:// is a local address, not a shape, and refused later."""
    head, colon, rest = text.partition(":")
    if colon and head.lower() in {"folder", "file"} and not rest.startswith("//"):
        return Shape(head.lower()), rest.strip()
    return None, text


def _reference(text: str, site: Site) -> Reference:
    scheme, _, rest = text.partition(":")
    scheme = scheme.lower()
    if scheme == "azureml" and rest.startswith("//"):
        return _azureml_path(text, rest.removeprefix("//"))
    if scheme == "azureml":
        return _asset(text, rest)
    if match := ASSET_ID.fullmatch(text):
        return _asset_id(text, match)
    if scheme == "runs" and rest.startswith("/"):
        job, _, path = rest.lstrip("/").partition("/")
        return JobOutputPath(_named(text, job), "artifacts", _clean(text, path))
    if scheme in {"http", "https"}:
        return _web(text, site)
    if scheme in HADOOP_SCHEMES:
        return _hadoop(text, site)
    raise _invalid(
        text, "it is no azureml:, https: or wasbs: address (local files are uploaded by the CLI)"
    )


def _azureml_path(text: str, rest: str) -> Reference:
    if "#" in rest or "?" in rest:
        raise _invalid(text, "it has a query or a fragment")
    if match := DATASTORE.fullmatch(rest):
        workspace = _workspace(match) if match["workspace"] else None
        return DatastorePath(
            _named(text, match["datastore"]), _clean(text, match["path"] or ""), workspace
        )
    if match := JOB_OUTPUT.fullmatch(rest):
        path = _clean(text, match["path"] or "")
        return JobOutputPath(_named(text, match["job"]), _named(text, match["output"]), path)
    if match := ASSET_ID.fullmatch(rest):
        return _asset_id(text, match)
    if rest.lower().startswith("registries/"):
        raise _invalid(text, "registries are not supported; register the asset in the workspace")
    raise _invalid(text, "it is not of the form azureml://datastores/{name}/paths/{path}")


def _asset(text: str, rest: str) -> Reference:
    if match := ASSET_ID.fullmatch(rest):
        return _asset_id(text, match)
    if match := ASSET_NAME.fullmatch(rest):
        which = match["which"]
        return AssetName(match["name"], **{"version" if match["how"] == ":" else "label": which})
    raise _invalid(text, "an asset is azureml:{name}:{version}, azureml:{name}@{label} or its id")


def _asset_id(text: str, match: re.Match[str]) -> AssetId:
    name, which = _named(text, match["name"]), _named(text, match["which"])
    how = "version" if match["how"].lower() == "versions" else "label"
    inside = Workspace("", "", match["located"]) if match["located"] else _workspace(match)
    return AssetId(inside, match["kind"].lower(), AssetName(name, **{how: which}))


def _workspace(match: re.Match[str]) -> Workspace:
    return Workspace(match["subscription"], match["group"], match["workspace"])


def _web(text: str, site: Site) -> BlobPath | WebAddress:
    url = _split_url(text)
    if f"{url.scheme}://{url.netloc}".lower() not in site.origins:
        return _at_host(text, url, site)
    first, *rest = [part for part in url.path.split("/") if part] or [""]
    first = _decoded(text, first)
    account, dot, suffix = first.partition(".blob.")
    if account in site.accounts and (not dot or suffix.lower() == site.suffix):
        return _blob_path(text, account, rest)
    if first in site.lost_containers:
        return _blob_path(text, site.lost_containers[first], [first, *rest])
    raise _invalid(text, f"{first!r} is no storage account of this server")


def _at_host(text: str, url: SplitResult, site: Site) -> BlobPath | WebAddress:
    """The host style: {account}.blob.{suffix}, where the suffix is ours."""
    account, _, suffix = url.netloc.lower().partition(".blob.")
    if account in site.accounts and suffix == site.suffix:
        return _blob_path(text, account, [part for part in url.path.split("/") if part])
    return WebAddress(text)


def _hadoop(text: str, site: Site) -> BlobPath | WebAddress:
    """wasbs://{container}@{host}/{path}, the Hadoop way to write https://{host}/{container}/..."""
    container, at, address = text.partition("://")[2].partition("@")
    if not at or "/" in container or not container:
        raise _invalid(text, "it is not of the form wasbs://{container}@{account host}/{path}")
    host, _, path = address.partition("/")
    return _web(f"https://{host.replace('.dfs.', '.blob.', 1)}/{container}/{path}", site)


def _split_url(text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        _ = url.port  # raises for what is no number
    except ValueError as error:
        raise _invalid(text, f"it is no URL ({error})") from error
    if not url.hostname:
        raise _invalid(text, "it names no host")
    if "@" in url.netloc or "#" in text or "\\" in text:
        raise _invalid(text, "it has a user name, a fragment or a backslash")
    return url


def _blob_path(text: str, account: str, parts: list[str]) -> BlobPath:
    """From the segments behind the account, still percent-encoded."""
    if not parts:
        raise _invalid(text, "it names no container")
    container, *path = [_decoded(text, part) for part in parts]
    return BlobPath(account, _named(text, container), _clean(text, "/".join(path)))


def _decoded(text: str, part: str) -> str:
    try:
        return unquote(part, errors="strict")
    except UnicodeDecodeError as error:
        raise _invalid(text, f"{part!r} is not percent-encoded UTF-8") from error


def _named(text: str, name: str) -> str:
    if not name or name in {".", ".."} or {"/", "\\", "\0"} & set(name):
        raise _invalid(text, f"{name!r} is no name")
    return name


def _clean(text: str, path: str) -> str:
    """Without empty segments, which no blob here can have. Refuses what would climb."""
    segments = [segment for segment in path.split("/") if segment]
    if "\\" in path or "\0" in path or {".", ".."} & set(segments):
        raise _invalid(text, "its path has '.', '..', NUL or a backslash")
    return "/".join(segments)


def _invalid(text: str, why: str) -> ArmError:
    return ArmError("InvalidDataUri", f"The data reference {text[:500]!r} is refused: {why}.", 400)
