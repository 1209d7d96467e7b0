"""An engine that gives the answers it was told, at a socket as Docker's."""

import contextlib
import http.server
import json
import socketserver
import threading
from urllib.parse import urlsplit


class Answers(dict):
    """By (method, path): (status, body). 404, in Docker's words, for what is not in it."""

    def __init__(self, socket):
        super().__init__()
        self.socket = str(socket)
        self.asked = []
        """(method, path, body) of every request."""


class _Handler(http.server.BaseHTTPRequestHandler):
    def _answer(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        path = urlsplit(self.path).path
        answers = self.server.answers
        answers.asked.append((self.command, path, json.loads(body or b"null")))
        status, value = answers.get((self.command, path), (404, {"message": "No such thing"}))
        data = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - http.server's names

    def log_message(self, *_):
        pass


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Whoever asks may hang up, as a holder does that watches no output any more."""


@contextlib.contextmanager
def answering(socket):
    """The answers of an engine that listens at the path, to be filled and changed."""
    with _Server(str(socket), _Handler) as server:
        server.answers = Answers(socket)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.answers
        finally:
            server.shutdown()
            thread.join()
