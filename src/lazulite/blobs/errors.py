"""Errors of the Blob service: a code of Azure's, its HTTP status, and text for a person."""

from __future__ import annotations

import errno
from collections.abc import Mapping

from lazulite.core.errors import LazuliteError

CODES: Mapping[str, tuple[int, str]] = {
    "AppendPositionConditionNotMet": (412, "The append position condition specified was not met."),
    "AuthenticationFailed": (403, "The server could not authenticate the request."),
    "AuthorizationFailure": (403, "This request is not authorized to perform this operation."),
    "AuthorizationPermissionMismatch": (403, "The signature lacks this permission."),
    "AuthorizationProtocolMismatch": (403, "The signature does not allow this protocol."),
    "AuthorizationResourceTypeMismatch": (403, "The signature is not for this resource type."),
    "AuthorizationServiceMismatch": (403, "The signature is not for the Blob service."),
    "AuthorizationSourceIPMismatch": (403, "The signature does not allow this address."),
    "BlobAlreadyExists": (409, "The specified blob already exists."),
    "BlobArchived": (409, "The blob is in the archive tier. Set its tier to Hot or Cool first."),
    "BlobIsSealed": (409, "The append blob is sealed: nothing can be appended."),
    "BlobNotFound": (404, "The specified blob does not exist."),
    "BlockCountExceedsLimit": (409, "The blob has 50,000 blocks, which is the most."),
    "CannotVerifyCopySource": (400, "The copy source cannot be read."),
    "ConditionNotMet": (412, "The condition given in the request headers is not met."),
    "ContainerAlreadyExists": (409, "The specified container already exists."),
    "ContainerBeingDeleted": (409, "The specified container is being deleted. Try again later."),
    "ContainerNotFound": (404, "The specified container does not exist."),
    "CopyIdMismatch": (409, "The copy ID differs from that of the last copy onto the blob."),
    "CorsPreflightFailure": (403, "CORS not enabled or no matching rule found for this request."),
    "Crc64Mismatch": (400, "The CRC64 of the header differs from the CRC64 of the body."),
    "EmptyMetadataKey": (400, "A metadata header has no name."),
    "InsufficientStorage": (507, "The disk of the server is full. Free space and try again."),
    "InternalError": (500, "The server encountered an internal error."),
    "InvalidAuthenticationInfo": (401, "The access token is invalid."),
    "InvalidBlobOrBlock": (400, "The blob or block content is invalid."),
    "InvalidBlobType": (409, "The blob type is invalid for this operation."),
    "InvalidBlockId": (400, "The block id is not base64 of at most 64 bytes."),
    "InvalidBlockList": (400, "The block list names a block that was not uploaded."),
    "InvalidHeaderValue": (400, "The value of a header is not in the correct format."),
    "InvalidInput": (400, "The request is not valid."),
    "InvalidMetadata": (400, "A metadata name is not a valid identifier."),
    "InvalidQueryParameterValue": (400, "The value of a query parameter is invalid."),
    "InvalidRange": (416, "The range is not satisfiable for this blob."),
    "InvalidResourceName": (400, "The resource name has invalid characters."),
    "InvalidSourceBlobUrl": (400, "The source URL is not the URL of a blob."),
    "InvalidTag": (400, "The tags have invalid characters."),
    "InvalidUri": (400, "The requested URI does not represent any resource."),
    "InvalidXmlDocument": (400, "The XML of the request body is not valid."),
    "InvalidXmlNodeValue": (400, "The value of an XML node is invalid."),
    "LeaseAlreadyPresent": (409, "There is already a lease present."),
    "LeaseIdMismatchWithBlobOperation": (
        412,
        "The lease ID did not match the lease ID of the blob.",
    ),
    "LeaseIdMismatchWithContainerOperation": (
        412,
        "The lease ID did not match the lease ID of the container.",
    ),
    "LeaseIdMismatchWithLeaseOperation": (
        409,
        "The lease ID did not match the lease ID of the lease.",
    ),
    "LeaseIdMissing": (412, "There is a lease and no lease ID was specified in the request."),
    "LeaseIsBreakingAndCannotBeAcquired": (
        409,
        "The lease is breaking and cannot be acquired until it has broken.",
    ),
    "LeaseIsBreakingAndCannotBeChanged": (409, "The lease is breaking and cannot be changed."),
    "LeaseIsBrokenAndCannotBeRenewed": (409, "The lease is broken and cannot be renewed."),
    "LeaseLost": (412, "A lease ID was specified, but the lease has ended."),
    "LeaseNotPresentWithBlobOperation": (412, "There is no lease on the blob."),
    "LeaseNotPresentWithContainerOperation": (412, "There is no lease on the container."),
    "LeaseNotPresentWithLeaseOperation": (409, "There is no lease."),
    "MaxBlobSizeConditionNotMet": (412, "The max blob size condition specified was not met."),
    "Md5Mismatch": (400, "The MD5 of the header differs from the MD5 of the body."),
    "MetadataTooLarge": (400, "The metadata is larger than 8 KiB."),
    "MissingContentLengthHeader": (411, "The header Content-Length is missing."),
    "MissingRequiredHeader": (400, "A required header is missing."),
    "NoAuthenticationInformation": (401, "Authenticate with a key, a SAS or a bearer token."),
    "NoPendingCopyOperation": (409, "There is no pending copy operation: copies end at once here."),
    "NotImplemented": (501, "The operation is not implemented."),
    "PublicAccessNotPermitted": (409, "Public access is not permitted on this storage account."),
    "RequestBodyTooLarge": (413, "The request body is too large."),
    "ResourceNotFound": (404, "The specified resource does not exist."),
    "ResourceTypeMismatch": (409, "A blob and a folder cannot have the same name."),
    "ServerBusy": (503, "The server is currently unable to receive requests. Try again."),
    "SnapshotsPresent": (409, "The blob has snapshots: delete them, too, or first."),
    "SourceConditionNotMet": (412, "The condition on the copy source is not met."),
    "TagsTooLarge": (400, "The tags exceed the maximum permissible limits."),
    "UnauthorizedBlobOverwrite": (403, "The signature may create blobs but not overwrite them."),
    "UnsupportedHeader": (400, "A header of the request is not supported."),
    "UnsupportedHttpVerb": (405, "The resource does not support this HTTP method."),
    "UnsupportedQueryParameter": (400, "A query parameter is not supported."),
}
"""Every code that is answered. Source: Blob service error codes, learn.microsoft.com."""

DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class BlobError(LazuliteError):
    """An answer for a blob client, rendered as XML."""

    def __init__(
        self,
        code: str,
        message: str | None = None,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """code: one of CODES, which gives status and message where they are left out."""
        usual_status, usual_message = CODES[code]
        super().__init__(code, message or usual_message)
        self.status = status or usual_status
        self.headers = dict(headers or {})


class UnstorableNameError(BlobError):
    """A harmless name that no file can have: such a blob cannot be written, nor be there."""

    def __init__(self, message: str) -> None:
        """message: which rule the name breaks."""
        super().__init__("InvalidResourceName", message)
