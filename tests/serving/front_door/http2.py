"""One request over HTTP/2, frame by frame: what clients do not show."""

import socket
import ssl
import struct
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS = 0, 1, 3, 4
END_STREAM, END_HEADERS = 1, 4


def exchange(port, authority, path, body, pause_s=0.1, **headers):
    """The kinds of frames that a POST is answered with, if its body comes after a pause."""
    context = ssl.create_default_context(cafile=authority)
    context.set_alpn_protocols(["h2"])
    pseudo = {":method": "POST", ":scheme": "https", ":authority": "localhost", ":path": path}
    given = {**pseudo, **headers, "content-length": str(len(body))}
    block = b"".join(b"\0" + _text(name) + _text(value) for name, value in given.items())
    with (
        socket.create_connection(("localhost", port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        start = PREFACE + _frame(SETTINGS, 0, b"", stream=0)
        connection.sendall(start + _frame(HEADERS, END_HEADERS, block))
        time.sleep(pause_s)
        connection.sendall(_frame(DATA, END_STREAM, body))
        return list(_answered(connection))


def _answered(connection):
    """Kinds of frames of the stream, and of what comes right behind its end."""
    reader = connection.makefile("rb")
    while head := reader.read(9):
        size, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
        reader.read(size)
        if int.from_bytes(head[5:], "big") == 1:
            yield kind
        if kind in {DATA, HEADERS} and flags & END_STREAM:
            connection.sendall(_frame(6, 0, bytes(8), stream=0))  # a PING: its answer comes last
        if kind == 6:
            return


def _frame(kind, flags, payload, stream=1):
    head = struct.pack(">I", len(payload))[1:] + bytes([kind, flags])
    return head + struct.pack(">I", stream) + payload


def _text(text):
    assert len(text) < 127
    return bytes([len(text)]) + text.encode()
