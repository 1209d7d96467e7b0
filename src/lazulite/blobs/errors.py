"""Errors of the Blob service: a code of Azure's, its HTTP status, and text for a person."""

from __future__ import annotations

import errno
from collections.abc import Mapping

from lazulite.core.errors import LazuliteError

CODES: Mapping[str, tuple[int, str]] = {
    "AuthenticationFailed": (403, "The server could not authenticate the request."),
    "AuthorizationFailure": (403, "This request is not authorized to perform this operation."),
    "InvalidAuthenticationInfo": (401, "The access token is invalid."),
    "AuthorizationPermissionMismatch": (403, "The signature lacks this permission."),
    "AuthorizationProtocolMismatch": (403, "The signature does not allow this protocol."),
    "AuthorizationResourceTypeMismatch": (403, "The signature is not for this resource type."),
    "AuthorizationServiceMismatch": (403, "The signature is not for the Blob service."),
    "AuthorizationSourceIPMismatch": (403, "The signature does not allow this address."),
    "BlobAlreadyExists": (409, "The specified blob already exists."),
    "BlobNotFound": (404, "The specified blob does not exist."),
    "ConditionNotMet": (412, "The condition given in the request headers is not met."),
    "ContainerAlreadyExists": (409, "The specified container already exists."),
    "ContainerNotFound": (404, "The specified container does not exist."),
    "EmptyMetadataKey": (400, "A metadata header has no name."),
    "InsufficientStorage": (507, "The disk of the server is full. Free space and try again."),
    "InternalError": (500, "The server encountered an internal error."),
    "InvalidBlobOrBlock": (400, "The blob or block content is invalid."),
    "InvalidBlockId": (400, "The block id is not base64 of at most 64 bytes."),
    "InvalidBlockList": (400, "The block list names a block that was not uploaded."),
    "InvalidHeaderValue": (400, "The value of a header is not in the correct format."),
    "InvalidInput": (400, "The request is not valid."),
    "InvalidMetadata": (400, "A metadata name is not a valid identifier."),
    "InvalidQueryParameterValue": (400, "The value of a query parameter is invalid."),
    "InvalidRange": (416, "The range is not satisfiable for this blob."),
    "InvalidResourceName": (400, "The resource name has invalid characters."),
    "InvalidUri": (400, "The requested URI does not represent any resource."),
    "InvalidXmlDocument": (400, "The XML of the request body is not valid."),
    "LeaseNotPresentWithBlobOperation": (412, "There is no lease on the blob."),
    "Md5Mismatch": (400, "The MD5 of the header differs from the MD5 of the body."),
    "Crc64Mismatch": (400, "The CRC64 of the header differs from the CRC64 of the body."),
    "MetadataTooLarge": (400, "The metadata is larger than 8 KiB."),
    "MissingContentLengthHeader": (411, "The header Content-Length is missing."),
    "MissingRequiredHeader": (400, "A required header is missing."),
    "NoAuthenticationInformation": (401, "Authenticate with a key, a SAS or a bearer token."),
    "NotImplemented": (501, "The operation is not implemented."),
    "RequestBodyTooLarge": (413, "The request body is too large."),
    "ResourceNotFound": (404, "The specified resource does not exist."),
    "ResourceTypeMismatch": (409, "A blob and a folder cannot have the same name."),
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
