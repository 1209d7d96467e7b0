"""AMLRequest and @rawhttp for environments that have no Flask: what score.py uses of a request.

Names and behaviour are those of flask.Request, which AMLRequest is in Azure's packages.
Source: spec/ONLINE.md 5.3.
"""

import io
import json
from urllib.parse import parse_qsl

from lazulite_worker.mappings import Headers, MultiDict
from lazulite_worker.multipart import form_data

# Azure's contract is a flag for the whole process, set when the entry script is imported: the
# function that carries it may be hidden under other decorators.
_rawHttpRequested = False  # noqa: N816 - the name in Azure's package


def rawhttp(func):
    """Ask for run() to be given the AMLRequest instead of the body as text."""
    global _rawHttpRequested
    _rawHttpRequested = True
    return func


class AMLRequest(object):
    """One HTTP request, as @rawhttp hands it to run()."""

    def __init__(self, request):
        """request: lazulite_worker.http.Request."""
        self.method = request.method
        self.path = request.path
        self.query_string = request.query.encode("latin-1")
        self.headers = Headers(title_cased(request.headers))
        self.data = request.body
        self.stream = io.BytesIO(request.body)
        self._form = None

    def get_data(self, cache=True, as_text=False, parse_form_data=False):
        """The body: bytes, or text if as_text."""
        return self.data.decode("utf-8", "replace") if as_text else self.data

    @property
    def is_json(self):
        """True if the Content-Type says JSON."""
        return is_json(self.content_type)

    @property
    def json(self):
        """The body parsed as JSON. ValueError if it is not."""
        return self.get_json()

    def get_json(self, force=False, silent=False, cache=True):
        """The body parsed as JSON. Without force the Content-Type must say JSON; silent: None."""
        if not (force or self.is_json):
            if silent:
                return None
            raise ValueError("The Content-Type is %r, not application/json." % self.content_type)
        try:
            return json.loads(self.data.decode("utf-8"))
        except ValueError:
            if silent:
                return None
            raise

    @property
    def content_type(self):
        """The Content-Type header; empty if there is none."""
        return self.headers.get("Content-Type", "")

    @property
    def mimetype(self):
        """The content type without parameters, in lower case."""
        return self.content_type.partition(";")[0].strip().lower()

    @property
    def content_length(self):
        """Bytes in the body."""
        return len(self.data)

    @property
    def args(self):
        """Query arguments."""
        return query_arguments(self.query_string.decode("latin-1"))

    @property
    def form(self):
        """Fields of a form body; empty for any other body."""
        return self._parsed_form()[0]

    @property
    def files(self):
        """Files of a multipart form body, readable like open files."""
        return self._parsed_form()[1]

    @property
    def values(self):
        """Query arguments and form fields together."""
        pairs = []
        for source in (self.args, self.form):
            pairs += [(name, value) for name in source for value in source.getlist(name)]
        return MultiDict(pairs)

    @property
    def cookies(self):
        """Cookies by name."""
        pairs = (part.partition("=") for part in self.headers.get("Cookie", "").split(";"))
        return {name.strip(): value.strip() for name, _, value in pairs if name.strip()}

    @property
    def host(self):
        """The Host header."""
        return self.headers.get("Host", "")

    @property
    def scheme(self):
        """The protocol, https or http, that the client spoke to the front door."""
        return self.headers.get("X-Forwarded-Proto", "http")

    @property
    def remote_addr(self):
        """The client's address as the front door saw it, or None."""
        forwarded = self.headers.get("X-Forwarded-For", "")
        return forwarded.split(",")[0].strip() or None

    @property
    def base_url(self):
        """The URL without the query."""
        return "%s://%s%s" % (self.scheme, self.host, self.path)

    @property
    def full_path(self):
        """The path and "?" and the query."""
        return "%s?%s" % (self.path, self.query_string.decode("latin-1"))

    @property
    def url(self):
        """The whole URL."""
        query = self.query_string.decode("latin-1")
        return "%s?%s" % (self.base_url, query) if query else self.base_url

    def _parsed_form(self):
        if self._form is None:
            if self.mimetype == "multipart/form-data":
                self._form = form_data(self.data, self.content_type)
            elif self.mimetype == "application/x-www-form-urlencoded":
                self._form = (query_arguments(self.data.decode("utf-8")), MultiDict())
            else:
                self._form = (MultiDict(), MultiDict())
        return self._form


def is_json(content_type):
    """True for application/json and application/...+json, whatever the parameters."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )


def query_arguments(query):
    """MultiDict of a query string."""
    return MultiDict(parse_qsl(query, keep_blank_values=True))


def title_cased(headers):
    """(name, value) pairs with names as Flask gives them: Content-Type, X-Request-Id."""
    return [(name.title(), value) for name, value in headers.items()]
