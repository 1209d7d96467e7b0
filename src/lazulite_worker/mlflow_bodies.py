"""What the body of a request to an MLflow model holds: JSON in one of five forms, or CSV.

Source: learn.microsoft.com, "Deploy MLflow models"; MLflow's documentation of its own server.
"""

import json

from lazulite_worker.script import BadInputError

FORMS = ("input_data", "dataframe_split", "dataframe_records", "instances", "inputs")
CSV = "csv"
_CSV_TYPES = ("text/csv", "application/csv")


class Body(object):
    """form: one of FORMS, or CSV; value: what it holds, a text for CSV; params: a dict or None."""

    def __init__(self, form, value, params=None):
        self.form = form
        self.value = value
        self.params = params


def read_body(request):
    """The Body of a request. BadInputError says what it lacks."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in _CSV_TYPES:
        return Body(CSV, _text(request.body))
    body = _json_object(request.body)
    form = next((name for name in FORMS if name in body), None)
    if form is None:
        raise BadInputError(
            'The body must have "input_data" (or one of %s); it has %s.'
            % (", ".join(FORMS[1:]), ", ".join(sorted(body)) or "nothing")
        )
    params = body.get("params")
    if params is not None and not isinstance(params, dict):
        raise BadInputError('"params" must be an object of names and values, not %r.' % (params,))
    return Body(form, body[form], params)


def _text(body):
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInputError("The CSV cannot be decoded as UTF-8: %s" % error) from None


def _json_object(body):
    try:
        value = json.loads(body.decode("utf-8"))
    except ValueError as error:
        raise BadInputError("POST body could not be decoded as JSON: %s" % error) from None
    if not isinstance(value, dict):
        raise BadInputError("POST body should be a JSON dictionary.")
    return value
