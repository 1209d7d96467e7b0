"""A flask.Request for scripts whose environment has Azure's Flask-based packages."""

import io
import sys


def flask_request(request):
    """The request as the flask.Request that Azure's @rawhttp promises."""
    flask = sys.modules["flask"]  # imported by the package whose @rawhttp was used
    return flask.Request(environ(request))


def environ(request):
    """The request as WSGI (PEP 3333) has it."""
    host, _, port = request.headers.get("host", "localhost").rpartition(":")
    values = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query,
        "SERVER_NAME": host or port,
        "SERVER_PORT": port if host else "80",
        "SERVER_PROTOCOL": "HTTP/1.1" if request.http11 else "HTTP/1.0",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.headers.get("x-forwarded-proto", "http"),
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "CONTENT_LENGTH": str(len(request.body)),
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_LENGTH", "TRANSFER_ENCODING"):
            values[key if key == "CONTENT_TYPE" else "HTTP_" + key] = value
    return values
