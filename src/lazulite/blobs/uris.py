"""References to data, parsed once into typed values; whoever holds one need not look at text again.

    azureml://datastores/{d}/paths/{p}                                   DatastorePath
    azureml://subscriptions/../workspaces/{w}/datastores/{d}/paths/{p}   DatastorePath
    [azureml:]/subscriptions/../workspaces/{w}/datastores/{d}/paths/{p}  DatastorePath
    azureml:{name}:{version}, azureml:{name}@{label}                     AssetName
    [azureml:]/subscriptions/../workspaces/{w}/{type}/{name}/versions/{v}  AssetId
    azureml://locations/{l}/workspaces/{w}/{type}/{name}/versions/labels/{l}  AssetId
    azureml://jobs/{job}/outputs/{output}/paths/{p}, runs:/{job}/{p}     JobOutputPath
    {origin}/{account}[.blob.{suffix}]/{c}/{p}, wasbs:// on our accounts  BlobPath
    https://{account}.blob.{suffix}/{c}/{p}, wasbs:// elsewhere          ForeignBlobPath
    http(s)://...                                                        WebAddress

Before each may stand "folder:" or "file:". From its first part with a "*" on, a path is a pattern
of the files that are meant, except in a WebAddress. Fixed words compare without case, as in Azure;
names and paths keep theirs. Source: spec/CLIENTS.md 4 and 7, spec/BATCH.md 1.
"""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import SplitResult, unquote, urlsplit

from lazulite.blobs.patterns import split_pattern
from lazulite.blobs.references import (
    AssetId,
    AssetName,
    BlobPath,
    DatastorePath,
    DataUri,
    ForeignBlobPath,
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
DATASTORE_ID = re.compile(rf"(?:azureml:)?/(?={WORKSPACE}/datastores/)", re.IGNORECASE)
"""What stands before the id of a datastore, where azureml:// would."""
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
FOREIGN_HOST = re.compile(r"[a-z0-9-]{3,80}\.blob\.[a-z0-9.-]+(?::[0-9]+)?")
HADOOP_SCHEMES = frozenset({"wasb", "wasbs", "abfs", "abfss"})


def parse_data_uri(text: str, site: Site) -> DataUri:
    """Parse what a user gave as a path or URI. Raises ArmError 400 for what cannot be used."""
    shape, rest = _split_shape(text.strip())
    if "\0" in rest or any(ord(character) < ord(" ") for character in rest):
        raise _invalid(text, "it has a control character")
    reference = _reference(_without_id(rest), site)
    if isinstance(reference, AssetName | AssetId | WebAddress) or "*" not in reference.path:
        return DataUri(reference, shape)
    root, pattern = split_pattern(reference.path)
    return DataUri(dataclasses.replace(reference, path=root), Shape.FOLDER, pattern)


def _without_id(text: str) -> str:
    """The id of a datastore, with a path behind it, as the long form of azureml://."""
    match = DATASTORE_ID.match(text)
    return f"azureml://{text[match.end() :]}" if match else text


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
        text,
        "it is no azureml:, https: or wasbs: address (local files are uploaded by the CLI; a "
        "folder of the server is a datastore of type LocalFolder)",
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


def _web(text: str, site: Site) -> BlobPath | ForeignBlobPath | WebAddress:
    _split_url(text)
    url = _split_url(site.alias(text))
    signature = url.query if "sig=" in url.query else ""
    if f"{url.scheme}://{url.netloc}".lower() not in site.origins:
        return _at_host(text, url, site)
    first, *rest = [part for part in url.path.split("/") if part] or [""]
    first = _decoded(text, first)
    account, dot, suffix = first.partition(".blob.")
    if account in site.accounts and (not dot or suffix.lower() == site.suffix):
        return BlobPath(account, *_container_path(text, rest), signature)
    if first in site.lost_containers:
        parts = [first, *rest]
        return BlobPath(site.lost_containers[first], *_container_path(text, parts), signature)
    raise _invalid(text, f"{first!r} is no storage account of this server")


def _at_host(text: str, url: SplitResult, site: Site) -> BlobPath | ForeignBlobPath | WebAddress:
    """The host style: {account}.blob.{suffix}, where the suffix may be ours."""
    account, _, suffix = url.netloc.lower().partition(".blob.")
    parts = [part for part in url.path.split("/") if part]
    own = f"{url.scheme.lower()}://{suffix.removeprefix('core.')}" in site.origins
    if account in site.accounts and (own or suffix == site.suffix):
        signature = url.query if "sig=" in url.query else ""
        return BlobPath(account, *_container_path(text, parts), signature)
    return _elsewhere(text)


def _elsewhere(text: str) -> ForeignBlobPath | WebAddress:
    """By the address as it was given: an alias is applied when it is fetched."""
    url = _split_url(text)
    host = url.netloc.lower()
    parts = [part for part in url.path.split("/") if part]
    if not FOREIGN_HOST.fullmatch(host) or not parts:
        _clean(text, _decoded(text, url.path))
        return WebAddress(text)
    container, path = _container_path(text, parts)
    return ForeignBlobPath(f"{url.scheme.lower()}://{host}/{container}", path, url.query)


def _hadoop(text: str, site: Site) -> BlobPath | ForeignBlobPath | WebAddress:
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


def _container_path(text: str, parts: list[str]) -> tuple[str, str]:
    """Container and path, from the segments behind the account, still percent-encoded."""
    if not parts:
        raise _invalid(text, "it names no container")
    container, *path = [_decoded(text, part) for part in parts]
    return _named(text, container), _clean(text, "/".join(path))


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
