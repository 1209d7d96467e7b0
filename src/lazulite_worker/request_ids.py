"""The three request id headers of Azure's server. Source: spec/ONLINE.md 5.4."""

import itertools
import logging
import uuid

LIMIT = 100
NAMES = frozenset(["x-request-id", "x-ms-request-id", "x-ms-client-request-id"])

logger = logging.getLogger("azmlinfsrv")


class IdTooLongError(Exception):
    """An id of the client's is over the limit. fields: the ids that the answer may carry."""

    def __init__(self, message, fields):
        super().__init__(message)
        self.fields = fields


class RequestIds(object):
    """Gives each answer its id fields. Ids it makes have the form of a UUID, and are cheap."""

    def __init__(self):
        self._prefix = str(uuid.uuid4())[:24]
        self._numbers = itertools.count(int(uuid.uuid4().hex[:10], 16))

    def fields(self, headers):
        """The id fields for the answer to a request with these headers, or IdTooLongError."""
        request_id = headers.get("x-request-id") or self._new()
        if len(request_id) > LIMIT:
            raise IdTooLongError("x-request-id must not exceed %d characters" % LIMIT, [])
        fields = [("x-request-id", request_id)]
        client = headers.get("x-ms-client-request-id", "")
        legacy = headers.get("x-ms-request-id", "")
        if legacy:
            logger.warning(
                "x-ms-request-id header has been deprecated and will be removed from future"
                " versions of the server. Please use x-ms-client-request-id."
            )
            client = client or legacy
        if len(client) > LIMIT or len(legacy) > LIMIT:
            raise IdTooLongError(
                "x-ms-request-id and x-ms-client-request-id must not exceed %d characters" % LIMIT,
                fields,
            )
        fields.append(("x-ms-request-id", legacy or client or request_id))
        if client:
            fields.append(("x-ms-client-request-id", client))
        return fields

    def _new(self):
        return "%s%012x" % (self._prefix, next(self._numbers) & 0xFFFFFFFFFFFF)
