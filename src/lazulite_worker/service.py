"""Requests to answers: the routes, header fields and error texts of Azure's inference server.

Source: spec/ONLINE.md 5.4.
"""

import itertools
import logging
from time import monotonic
from urllib.parse import unquote

from lazulite_worker.answer import Answer, error_answer, json_answer, result_answer, text_answer
from lazulite_worker.request_ids import IdTooLongError, RequestIds
from lazulite_worker.run_clock import ScoringTimeoutError
from lazulite_worker.script import BadInputError, MethodNotAllowedError
from lazulite_worker.swagger import UnknownVersionError

SCRIPT_FAILED = "An unexpected error occurred in scoring script. Check the logs for more info."
INTERNAL = "An unexpected internal error occurred. Check the logs for more info."
NOT_FOUND = (
    "The requested URL was not found on the server. If you entered the URL manually please check"
    " your spelling and try again."
)
METHOD_NOT_ALLOWED = "The method is not allowed for the requested URL."

logger = logging.getLogger("azmlinfsrv")


class RunFailedError(Exception):
    """User code raised; what it raised is in the log."""


class Service(object):
    """Answers requests with one scorer, one at a time.

    A scorer has run(inputs), and inputs(request) which raises BadInputError or
    MethodNotAllowedError.
    """

    def __init__(self, scorer, clock, documents, access, extras=()):
        """documents: swagger.Documents; extras: functions from request to more header fields."""
        self._scorer = scorer
        self._clock = clock
        self._documents = documents
        self._access = access
        self._extras = tuple(extras)
        self._ids = RequestIds()
        self._routes = {
            "/score": (("GET", "HEAD", "OPTIONS", "POST"), self._score, True),
            "/": (("GET", "HEAD", "OPTIONS"), self._health, False),
            "/swagger.json": (("GET", "HEAD", "OPTIONS"), self._swagger, True),
        }

    def answer(self, request):
        """The answer to a request. Raises nothing that user code could cause."""
        began = monotonic()
        try:
            fields = self._ids.fields(request.headers)
        except IdTooLongError as error:
            fields = error.fields
            answer, logged = error_answer(431, str(error)), True
        else:
            answer, logged = self._routed(request)
        self._complete(answer, request, fields)
        if logged:
            length = "N/A" if answer.body is None else len(answer.body)
            ms = (monotonic() - began) * 1000
            line = (request.method, request.target, answer.status, ms, length)
            self._access.add("%s %s %d %.3fms %s" % line)
        return answer

    def internal_error(self, request):
        """The answer when the one that was made cannot be sent. The reason is in the log."""
        answer = self._internal_error()
        self._complete(answer, request, [])
        return answer

    def _routed(self, request):
        path = request.path
        route = self._routes.get(path) or self._routes.get(unquote(path))
        if route is None:
            return error_answer(404, NOT_FOUND), False
        methods, handle, logged = route
        if request.method not in methods:
            answer = error_answer(405, METHOD_NOT_ALLOWED)
            answer.fields.append(("Allow", ", ".join(methods)))
            return answer, False
        return handle(request), logged

    def _complete(self, answer, request, fields):
        answer.fields += fields
        trace = request.headers.get("traceid")
        if trace is not None:
            answer.fields.append(("TraceId", trace))
        for extra in self._extras:
            answer.fields += extra(request)

    def _health(self, request):
        if request.method == "OPTIONS":
            return Answer(200, [("Allow", "GET, HEAD, OPTIONS")], b"")
        return text_answer(200, "Healthy")

    def _swagger(self, request):
        if request.method == "OPTIONS":
            return Answer(200, [("Allow", "GET, HEAD, OPTIONS")], b"")
        try:
            return json_answer(self._documents.document(request.query))
        except UnknownVersionError as error:
            return error_answer(404, str(error))

    def _score(self, request):
        try:
            return self._scored(self._scorer.inputs(request))
        except BadInputError as error:
            return error_answer(error.status, str(error))
        except MethodNotAllowedError:
            if request.method == "OPTIONS":
                return text_answer(200, "")
            return error_answer(405, "Method not allowed")
        except Exception:  # noqa: BLE001 - what the user returned may do anything when encoded
            return self._internal_error()

    def _scored(self, inputs):
        began = monotonic()
        try:
            result = self._guarded(self._scorer.run, inputs)
            ms = (monotonic() - began) * 1000
            answer = result_answer(result)
            if answer.parts is not None:
                answer.parts = self._begun(answer.parts)
        except ScoringTimeoutError:
            text = "Scoring timeout after %d ms" % self._clock.limit_ms
            return error_answer(500, text, run_function_failed=True)
        except RunFailedError:
            return error_answer(500, SCRIPT_FAILED, run_function_failed=True)
        answer.fields.append(("x-ms-run-fn-exec-ms", "%.3f" % ms))
        return answer

    def _internal_error(self):
        logger.exception("Encountered Exception")  # noqa: LOG004 - called while one is handled
        return error_answer(500, INTERNAL)

    def _begun(self, parts):
        """The parts, the first of them made: nothing is sent yet, its failure can be a 500."""
        rest = self._guarded_parts(parts)
        first = list(itertools.islice(rest, 1))
        return itertools.chain(first, rest)

    def _guarded(self, function, argument):
        """Call user code within the time limit.

        ScoringTimeoutError, or RunFailedError for whatever it raises.
        """
        try:
            try:
                self._clock.start()
                return function(argument)
            finally:
                self._clock.stop()
        except ScoringTimeoutError:
            self._clock.stop()  # the alarm may have struck in the first stop()
            logger.exception("Encountered Exception")
            raise
        except BadInputError:
            raise
        except (Exception, SystemExit):  # user code
            logger.exception("Encountered Exception")
            raise RunFailedError from None

    def _guarded_parts(self, parts):
        """The parts, each made within the time limit. Closes the generator at the end."""
        try:
            part = self._guarded(_next, parts)
            while part is not None:
                self._clock.send()
                yield part
                part = self._guarded(_next, parts)
        finally:
            self._clock.stop()
            parts.close()


def _next(parts):
    return next(parts, None)
