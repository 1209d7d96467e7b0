"""Answers: what run() returned, or an error, as status, header fields and body."""

import json
import sys

from lazulite_worker.aml_response import AMLResponse
from lazulite_worker.request_ids import NAMES

FAILED = "x-ms-run-function-failed"
_NOT_THE_USERS = NAMES | {"content-length", "transfer-encoding", "connection"}
_JSON = ("Content-Type", "application/json")


class Answer(object):
    """One answer. body: bytes, or None when `parts` (an iterator of bytes) is streamed instead."""

    __slots__ = ("body", "fields", "parts", "status")

    def __init__(self, status, fields, body, parts=None):
        self.status = status
        self.fields = fields
        self.body = body
        self.parts = parts


def text_answer(status, text):
    """A plain answer of Flask's kind."""
    return Answer(status, [("Content-Type", "text/html; charset=utf-8")], text.encode("utf-8"))


def json_answer(value, status=200, run_function_failed=False):
    """The value as JSON. ValueError or TypeError if it has no JSON form."""
    body = json.dumps(value).encode("utf-8")
    return Answer(status, [_JSON, (FAILED, str(run_function_failed))], body)


def error_answer(status, message, run_function_failed=False):
    """{"message": ...}, the form of every error of Azure's server."""
    return json_answer({"message": message}, status, run_function_failed)


def result_answer(result):
    """The answer for what run() returned: responses as they are, anything else as JSON.

    None is answered with {}, as Azure's server does.
    """
    if isinstance(result, AMLResponse) or _is_werkzeug_response(result):
        return _own_answer(result)
    return json_answer({} if result is None else result)


def _is_werkzeug_response(result):
    wrappers = sys.modules.get("werkzeug.wrappers")
    return wrappers is not None and isinstance(result, wrappers.Response)


def _own_answer(response):
    if not 200 <= response.status_code <= 999:
        raise ValueError("%r is not the status of an answer." % response.status_code)
    fields = [
        (str(name), str(value))
        for name, value in response.headers.items()
        if name.lower() not in _NOT_THE_USERS
    ]
    if response.status_code >= 500:  # Azure: a server error is a failed run, whatever it says
        fields = [field for field in fields if field[0].lower() != FAILED]
        fields.append((FAILED, "True"))
    if response.is_streamed:
        return Answer(response.status_code, fields, None, response.iter_encoded())
    return Answer(response.status_code, fields, response.get_data())
