"""AMLResponse for environments that have no Flask: an answer that run() makes itself.

Source: spec/ONLINE.md 5.3, and the AMLResponse of azureml-inference-server-http 1.5.
"""

import json

from lazulite_worker.mappings import Headers


class AMLResponse(object):
    """An HTTP answer. message: str, bytes, or an iterable of them; a generator is streamed."""

    def __init__(
        self,
        message,
        status_code,
        response_headers={},  # noqa: B006 - never changed, and the signature is Azure's
        json_str=False,
        run_function_failed=False,
    ):
        """None becomes {}; json_str: message is any value to be sent as JSON."""
        is_json = message is None or json_str
        if is_json:
            message = json.dumps({} if message is None else message)
            content_type = "application/json"
        else:
            content_type = "text/html; charset=utf-8"
        self.response = message
        self.status_code = int(status_code)
        self.headers = Headers([("Content-Type", content_type)])
        self.headers["x-ms-run-function-failed"] = bool(run_function_failed)
        for name, value in response_headers.items():
            if name.lower() == "content-type":
                if not is_json:  # what was made JSON is called so, whatever the script says
                    self.headers[name] = value
                continue
            for one in str(value).split(","):  # Azure: a comma makes repeated headers
                self.headers.add(name, one.strip())

    @property
    def is_streamed(self):
        """True if the body is produced while it is sent."""
        return not isinstance(self.response, (str, bytes, bytearray, memoryview, list, tuple))

    def iter_encoded(self):
        """The parts of the body as bytes."""
        whole = isinstance(self.response, (str, bytes, bytearray, memoryview))
        for part in (self.response,) if whole else self.response:
            yield part.encode("utf-8") if isinstance(part, str) else bytes(memoryview(part))

    def get_data(self, as_text=False):
        """The whole body."""
        if not isinstance(self.response, (str, bytes)):
            self.response = b"".join(self.iter_encoded())
        body = self.response.encode("utf-8") if isinstance(self.response, str) else self.response
        return body.decode("utf-8") if as_text else body

    def set_data(self, value):
        """Replace the body."""
        self.response = value

    data = property(get_data, set_data)

    @property
    def content_type(self):
        """The Content-Type header."""
        return self.headers.get("Content-Type")

    @content_type.setter
    def content_type(self, value):
        self.headers["Content-Type"] = value

    @property
    def mimetype(self):
        """The content type without parameters."""
        return (self.content_type or "").partition(";")[0].strip()

    @mimetype.setter
    def mimetype(self, value):
        self.content_type = value

    def get_json(self):
        """The body parsed as JSON."""
        return json.loads(self.get_data(as_text=True))

    json = property(get_json)
