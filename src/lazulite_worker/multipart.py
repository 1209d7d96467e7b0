"""multipart/form-data (RFC 7578) taken apart: fields and files. `cgi` is gone from Python 3.13."""

from email.message import Message

from lazulite_worker.mappings import FormFile, MultiDict


def form_data(body, content_type):
    """(fields, files) of a form body, both MultiDict. ValueError if the body is malformed."""
    boundary = _parameters("Content-Type", content_type).get_param(
        "boundary", header="Content-Type"
    )
    if not boundary:
        raise ValueError("The multipart Content-Type names no boundary: %r" % content_type)
    fields, files = [], []
    for part in _parts(body, str(boundary).encode("latin-1")):
        head, separator, data = part.partition(b"\r\n\r\n")
        if not separator:
            raise ValueError("A part of the multipart body has no headers.")
        headers = _headers(head)
        name = _parameter(headers, "name")
        filename = _parameter(headers, "filename")
        if filename is None:
            fields.append((name, data.decode("utf-8", "replace")))
        else:
            kind = headers.get("Content-Type", "application/octet-stream")
            files.append((name, FormFile(data, filename, kind, name)))
    return MultiDict(fields), MultiDict(files)


def _parts(body, boundary):
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise ValueError("The multipart body does not end with its boundary.")
    for piece in pieces[1:-1]:
        padding, line_break, part = piece.partition(b"\r\n")
        if not line_break or padding.strip(b" \t"):
            raise ValueError("A boundary of the multipart body is not at the end of its line.")
        yield b"\r\n" + part if part.startswith(b"\r\n") else part


def _headers(head):
    message = Message()
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip():
            message[name.strip()] = value.strip()
    return message


def _parameters(name, value):
    message = Message()
    message[name] = value
    return message


def _parameter(headers, name):
    value = headers.get_param(name, header="Content-Disposition")
    if isinstance(value, tuple):  # RFC 2231: (charset, language, text)
        return value[2]
    return value
