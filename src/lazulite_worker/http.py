"""HTTP/1.1 for a server that stands behind a proxy: bytes to requests, answers to bytes.

Strict where leniency lets two parties disagree on where a request ends (RFC 9112 sections 5, 6,
11.2): such a request is refused and its connection closed. No I/O happens here.
"""

import re
from http import HTTPStatus

HEAD_LIMIT = 64 * 1024
TRAILER_LIMIT = 8 * 1024
CHUNK_LINE_LIMIT = 256

_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(r"(%s) ([\x21-\x7e]+) HTTP/1\.([01])\Z" % _NAME)
_FIELD = re.compile(r"(%s):([\t\x20-\x7e\x80-\xff]*)\Z" % _NAME)
_LENGTH = re.compile(r"[0-9]{1,15}\Z")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;[\t\x20-\x7e]*)?\Z")

_CACHED_LINES = 1024
_CACHED_LINE_LENGTH = 256

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class HttpError(Exception):
    """A request that is refused; its connection cannot be used any further."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status
        self.message = message


class Request(object):
    """One request. headers: lower-case names; values of a repeated field are joined by ", "."""

    __slots__ = ("body", "headers", "http11", "keep_alive", "method", "path", "query", "target")

    def __init__(self, method, target, http11, headers):
        self.method = method
        self.target = target
        self.path, _, self.query = _origin_form(target).partition("?")
        self.http11 = http11
        self.headers = headers
        self.keep_alive = http11
        self.body = b""


class FieldLines(object):
    """Header lines split, checked and remembered: a proxy repeats most lines in each request."""

    def __init__(self):
        self._known = {}

    def split(self, line):
        """(lower-case name, value) of a line; HttpError 400 for one that breaks RFC 9112 5."""
        known = self._known.get(line)
        if known is not None:
            return known
        match = _FIELD.match(line)
        if match is None:
            raise HttpError(400, "A header line is malformed: %r" % line[:80])
        field = (match.group(1).lower(), match.group(2).strip(" \t"))
        if len(line) <= _CACHED_LINE_LENGTH:
            if len(self._known) >= _CACHED_LINES:
                self._known.clear()
            self._known[line] = field
        return field


class RequestReader(object):
    """Cuts the bytes of one connection into requests.

    feed() what arrives, then take() a request if one is complete. HttpError from take() is final.
    """

    __slots__ = ("_buffer", "_lines", "_max_body", "_pending", "_scanned", "_steps", "_wanted")

    def __init__(self, lines, max_body):
        self._lines = lines
        self._max_body = max_body
        self._buffer = bytearray()
        self._scanned = 0
        self._pending = None  # a request whose body is not complete
        self._wanted = 0  # bytes of its body; -1 when it comes in chunks
        self._steps = None

    def feed(self, data):
        """Add bytes that arrived."""
        self._buffer += data

    @property
    def has_data(self):
        """True if a request, or a part of one, has arrived and was not taken."""
        return bool(self._buffer) or self._pending is not None

    def take_continue(self):
        """True, once, if the client holds its body back until told to go on (RFC 9110 10.1.1)."""
        pending = self._pending
        return (
            pending is not None
            and pending.http11
            and not self._buffer
            and pending.headers.pop("expect", "").lower() == "100-continue"
        )

    def take(self):
        """The next complete request, or None."""
        if self._pending is None and not self._take_head():
            return None
        request = self._pending
        if self._wanted < 0:
            body = self._steps.read(self._buffer)
            if body is None:
                return None
        else:
            wanted = self._wanted
            if len(self._buffer) < wanted:
                return None
            body = bytes(memoryview(self._buffer)[:wanted])
            del self._buffer[:wanted]
        request.body = body
        self._pending = self._steps = None
        return request

    def _take_head(self):
        buffer = self._buffer
        while buffer.startswith(b"\r\n"):  # RFC 9112 2.2: an empty line before a request is ignored
            del buffer[:2]
        end = buffer.find(b"\r\n\r\n", self._scanned)
        if end > HEAD_LIMIT or (end < 0 and len(buffer) > HEAD_LIMIT):
            raise HttpError(431, "The headers are longer than %d bytes." % HEAD_LIMIT)
        if end < 0:
            self._scanned = max(0, len(buffer) - 3)
            return False
        head = buffer[:end].decode("latin-1")
        del buffer[: end + 4]
        self._scanned = 0
        self._pending = request = self._request(head)
        self._wanted = self._body_length(request)
        if self._wanted < 0:
            self._steps = _ChunkedBody(self._max_body, self._lines)
        return True

    def _request(self, head):
        lines = head.split("\r\n")
        match = _REQUEST_LINE.match(lines[0])
        if match is None:
            raise _bad_request_line(lines[0])
        headers = {}
        split = self._lines.split
        for line in lines[1:]:
            name, value = split(line)
            if name in headers:
                value = _joined(name, headers[name], value)
            headers[name] = value
        method, target, minor = match.groups()
        request = Request(method, target, minor == "1", headers)
        if request.http11 and "host" not in headers:
            raise HttpError(400, "An HTTP/1.1 request must have a Host header.")
        connection = headers.get("connection")
        if connection is not None:
            request.keep_alive = _keeps_alive(connection, request.http11)
        return request

    def _body_length(self, request):
        """Bytes of the body, -1 for a chunked one. Source: RFC 9112 6.1 to 6.3."""
        length = request.headers.get("content-length")
        coding = request.headers.get("transfer-encoding")
        if coding is not None:
            if length is not None:
                raise HttpError(400, "Content-Length and Transfer-Encoding exclude each other.")
            if not request.http11:
                raise HttpError(400, "HTTP/1.0 has no Transfer-Encoding.")
            if coding.lower() != "chunked":
                raise HttpError(501, "The transfer coding %r is not supported." % coding[:80])
            return -1
        if length is None:
            return 0
        if _LENGTH.match(length) is None:
            raise HttpError(400, "Content-Length is not a number: %r" % length[:80])
        if int(length) > self._max_body:
            raise _too_large(self._max_body)
        return int(length)


class _ChunkedBody(object):
    """A body in chunks (RFC 9112 7.1), put together as its bytes arrive."""

    __slots__ = ("_in_trailers", "_left", "_lines", "_max_body", "_parts", "_size", "_trailers")

    def __init__(self, max_body, lines):
        self._max_body = max_body
        self._lines = lines
        self._parts = []
        self._size = 0
        self._left = 0  # bytes of the current chunk and its CRLF that have not arrived
        self._in_trailers = False
        self._trailers = 0

    def read(self, buffer):
        """Consume what can be from the buffer; the whole body once it is complete, else None."""
        while True:
            if self._left:
                if len(buffer) < self._left:
                    return None
                self._take_data(buffer)
            limit = TRAILER_LIMIT if self._in_trailers else CHUNK_LINE_LIMIT
            line = _take_line(buffer, limit)
            if line is None:
                return None
            if not self._in_trailers:
                self._start_chunk(line)
            elif not line:
                return b"".join(self._parts)
            else:
                self._check_trailer(line)

    def _take_data(self, buffer):
        end = self._left - 2
        if buffer[end : self._left] != b"\r\n":
            raise HttpError(400, "A chunk does not end where its size says.")
        self._parts.append(bytes(memoryview(buffer)[:end]))
        del buffer[: self._left]
        self._left = 0

    def _start_chunk(self, line):
        match = _CHUNK.match(line)
        if match is None:
            raise HttpError(400, "A chunk size is malformed: %r" % line[:80])
        size = int(match.group(1), 16)
        self._size += size
        if self._size > self._max_body:
            raise _too_large(self._max_body)
        self._left = size + 2 if size else 0
        self._in_trailers = not size

    def _check_trailer(self, line):
        self._trailers += len(line)
        if self._trailers > TRAILER_LIMIT:
            raise HttpError(431, "The trailers are longer than %d bytes." % TRAILER_LIMIT)
        self._lines.split(line.decode("latin-1"))


def response_head(status, fields, http11=True):
    """The status line and header lines of an answer, as bytes ready to send.

    fields: pairs of str. ValueError if one would break out of its line.
    """
    lines = [_status_line(status, http11)]
    for name, value in fields:
        lines.append("%s: %s\r\n" % (name, value))
    text = "".join(lines)
    if text.count("\n") != len(lines) or text.count("\r") != len(lines) or "\0" in text:
        raise ValueError("A header contains a line break: %r" % (fields,))
    return (text + "\r\n").encode("latin-1")


def has_body(status):
    """False for the statuses whose answers end with their headers. Source: RFC 9112 6.3."""
    return status not in (204, 304)


def chunk(data):
    """One chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"


def _status_line(status, http11):
    if status == 200 and http11:
        return "HTTP/1.1 200 OK\r\n"
    try:
        reason = HTTPStatus(status).phrase
    except ValueError:
        reason = "UNKNOWN"
    return "HTTP/1.%d %03d %s\r\n" % (http11, status, reason)


def _take_line(buffer, limit):
    end = buffer.find(b"\r\n", 0, limit + 2)
    if end < 0:
        if len(buffer) > limit:
            raise HttpError(400, "A line of the chunked body is longer than %d bytes." % limit)
        return None
    line = bytes(buffer[:end])
    del buffer[: end + 2]
    return line


def _joined(name, first, second):
    if name in ("content-length", "host", "transfer-encoding"):
        raise HttpError(400, "The header %s is given twice." % name)
    return "%s, %s" % (first, second)


def _keeps_alive(connection, http11):
    options = [option.strip() for option in connection.lower().split(",")]
    return "close" not in options and (http11 or "keep-alive" in options)


def _origin_form(target):
    """Path and query of a target, which may be a whole URL (RFC 9112 3.2.2)."""
    if target.startswith("/"):
        return target
    if target[:7].lower() == "http://" or target[:8].lower() == "https://":
        authority, slash, rest = target.partition("//")[2].partition("/")
        return slash + rest if slash else "/?" + authority.partition("?")[2]
    return target


def _bad_request_line(line):
    if re.search(r" HTTP/[0-9.]+\Z", line) and not re.search(r" HTTP/1\.[01]\Z", line):
        return HttpError(505, "Only HTTP/1.0 and HTTP/1.1 are spoken here.")
    return HttpError(400, "The request line is malformed: %r" % line[:80])


def _too_large(limit):
    return HttpError(413, "The body is longer than %d bytes." % limit)
