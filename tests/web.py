"""A web server on loopback that does what a test tells it to."""

import contextlib
import http.server
import threading
from html import escape
from urllib.parse import parse_qsl, quote, urlsplit


class Quiet(http.server.ThreadingHTTPServer):
    """Says nothing of clients that went away."""

    def handle_error(self, *args):
        pass


class Web:
    """answers: path to a function of the request handler; seen: (method, path, headers)."""

    def __init__(self):
        self.answers, self.seen, self.bodies, self.connections = {}, [], [], 0
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                web.connections += 1

            def do_GET(self):
                web.seen.append((self.command, self.path, dict(self.headers)))
                web.answers.get(self.path.partition("?")[0], missing)(self)

            def do_POST(self):
                web.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.do_GET()

            do_HEAD = do_GET  # noqa: N815 - the name that the library calls

            def log_message(self, *args):
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def serve(self, path, data, etag='"1"', status=200, **headers):
        """Serve bytes, ranges included."""

        def answer(request):
            body, code, extra = data, status, {}
            asked = request.headers.get("Range")
            if asked and request.headers.get("If-Range") == etag:
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                body, code = data[start:], 206
                extra = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"}
            send(request, code, body, ETag=etag, **extra, **headers)

        self.answers[path] = answer

    def redirect(self, path, to, status=302):
        self.answers[path] = lambda request: send(request, status, b"", Location=to)


def send(request, status, body, **headers):
    request.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    if request.command == "GET":
        request.wfile.write(body)


def missing(request):
    send(request, 404, b"nothing here")


@contextlib.contextmanager
def serving():
    """A Web that listens."""
    web = Web()
    thread = threading.Thread(target=web.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield web
    finally:
        web.server.shutdown()
        web.server.server_close()
        thread.join()


def container(web, root, blobs, page=1000):
    """Serve blobs at a path as a public container does, with its list."""
    for name, data in blobs.items():
        web.serve(f"{root}/{quote(name)}", data, etag=f'"{hash((name, data))}"')

    def listing(request):
        asked = dict(parse_qsl(urlsplit(request.path).query))
        names = sorted(name for name in blobs if name.startswith(asked.get("prefix", "")))
        start = int(asked.get("marker", 0))
        entries = "".join(
            f"<Blob><Name>{escape(name)}</Name><Properties><Etag>{hash((name, blobs[name]))}</Etag>"
            f"<Content-Length>{len(blobs[name])}</Content-Length></Properties></Blob>"
            for name in names[start : start + page]
        )
        marker = start + page if start + page < len(names) else ""
        body = f"<EnumerationResults><Blobs>{entries}</Blobs><NextMarker>{marker}</NextMarker>"
        send(request, 200, f"{body}</EnumerationResults>".encode())

    web.answers[root] = listing
