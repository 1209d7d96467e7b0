import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazulite_worker.http import FieldLines, HttpError, RequestReader, response_head

HEAD = b"POST /score?a=1 HTTP/1.1\r\nHost: x\r\n"


def requests(*parts, max_body=100):
    reader = RequestReader(FieldLines(), max_body)
    found = []
    for part in parts:
        reader.feed(part)
        while (request := reader.take()) is not None:
            found.append(request)
    return found


def test_request_line_headers_and_body_are_taken_apart():
    (request,) = requests(HEAD + b"X-Two:  a b \r\nContent-Length: 2\r\n\r\nhi")

    assert (request.method, request.path, request.query) == ("POST", "/score", "a=1")
    assert request.headers == {"host": "x", "x-two": "a b", "content-length": "2"}
    assert request.body == b"hi"
    assert request.keep_alive


def test_pipelined_requests_come_out_in_order():
    one = b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
    two = b"POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nA"

    assert [request.path for request in requests(one + two + one)] == ["/1", "/2", "/1"]


CHUNKED = (
    HEAD
    + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0A;name=value\r\n0123456789\r\n"
    + b"0\r\nTrailer: x\r\n\r\nGET / HTTP/1.1\r\nHost: y\r\n\r\n"
)


@given(st.lists(st.integers(0, len(CHUNKED)), max_size=6))
def test_chunked_body_is_the_same_however_it_is_cut(cuts):
    places = [0, *sorted(cuts), len(CHUNKED)]
    parts = [CHUNKED[start:end] for start, end in itertools.pairwise(places)]

    found = requests(*parts)

    assert [request.body for request in found] == [b"abc0123456789", b""]


@pytest.mark.parametrize(
    "lines",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5\r\nContent-Length: 5\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 0x5\r\n",
        b"Content-Length: 5, 5\r\n",
        b"Content-Length: \xb2\r\n",
        b"Content-Length:\r\n",
        b"Content-Length : 5\r\n",
        b"X-Folded: a\r\n b\r\n",
        b"X-Bare: a\nContent-Length: 5\r\n",
        b"X-Bare: a\rb\r\n",
        b"X-Nul: \x00\r\n",
        b"Host: y\r\n",
        b": empty\r\n",
        b"no colon\r\n",
    ],
)
def test_ambiguous_or_malformed_headers_are_refused(lines):
    with pytest.raises(HttpError) as caught:
        requests(HEAD + lines + b"\r\nhello")

    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET /  HTTP/1.1", 400),
        (b"GET / HTTP/1.1 ", 400),
        (b"GET /\x01 HTTP/1.1", 400),
        (b"GET / HTTP/2.0", 505),
        (b"G(T / HTTP/1.1", 400),
        (b"GET /", 400),
    ],
)
def test_malformed_request_line_is_refused(line, status):
    with pytest.raises(HttpError) as caught:
        requests(line + b"\r\nHost: x\r\n\r\n")

    assert caught.value.status == status


def test_http_1_1_without_a_host_is_refused():
    with pytest.raises(HttpError, match="Host"):
        requests(b"GET / HTTP/1.1\r\n\r\n")


def test_transfer_coding_other_than_chunked_is_refused():
    with pytest.raises(HttpError) as caught:
        requests(HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n")

    assert caught.value.status == 501


@pytest.mark.parametrize("size", [b"g", b"", b"-1", b"0x5", b" 5", b"5 x", b"1" * 13])
def test_malformed_chunk_size_is_refused(size):
    with pytest.raises(HttpError):
        requests(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + size + b"\r\nhello\r\n")


def test_chunk_that_is_longer_than_its_size_is_refused():
    with pytest.raises(HttpError, match="chunk"):
        requests(HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 101\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n64\r\n" + b"x" * 100 + b"\r\n1\r\nx\r\n",
    ],
)
def test_body_over_the_limit_is_refused_before_it_has_arrived(body):
    with pytest.raises(HttpError) as caught:
        requests(HEAD + body)

    assert caught.value.status == 413


@pytest.mark.parametrize("end", [b"", b"\r\n\r\n"])
def test_headers_over_the_limit_are_refused(end):
    with pytest.raises(HttpError) as caught:
        requests(HEAD + b"X: " + b"x" * 70000 + end)

    assert caught.value.status == 431


def test_repeated_header_is_joined():
    (request,) = requests(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx-a: 2\r\n\r\n")

    assert request.headers["x-a"] == "1, 2"


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [
        (b"1.1", b"close", False),
        (b"1.1", b"Keep-Alive, Upgrade", True),
        (b"1.0", b"x", False),
        (b"1.0", b"keep-alive", True),
    ],
)
def test_connection_header_says_whether_the_connection_stays(version, connection, kept):
    data = b"GET / HTTP/%b\r\nHost: x\r\nConnection: %b\r\n\r\n" % (version, connection)

    assert requests(data)[0].keep_alive is kept


def test_whole_url_as_target_is_reduced_to_its_path():
    (request,) = requests(b"GET http://x:1/score?q=1 HTTP/1.1\r\nHost: x\r\n\r\n")

    assert (request.path, request.query) == ("/score", "q=1")


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x", "a\nb", "a\rb", "a\0b"])
def test_header_value_cannot_start_another_line(value):
    with pytest.raises(ValueError, match="line break"):
        response_head(200, [("X-A", value)])


def test_unknown_status_has_a_reason_all_the_same():
    assert response_head(799, []) == b"HTTP/1.1 799 UNKNOWN\r\n\r\n"
