"""What another server sends is bounded in size and time, and ends in files that are whole."""

import socket
import threading

import pytest

from lazulite.fetch.download import download, head
from lazulite.fetch.errors import FetchError
from lazulite.fetch.limits import Limits
from lazulite.fetch.rules import Rules
from lazulite.fetch.session import Fetcher
from tests.fetch.conftest import QUICK
from tests.web import send


def fetched(fetcher, url, target):
    with fetcher.session() as session:
        return download(session, url, target, target.with_name("part"))


def failure(fetcher, url, target):
    with pytest.raises(FetchError) as error:
        fetched(fetcher, url, target)
    assert not target.exists()
    return error.value


@pytest.fixture
def raw():
    """A server that sends what it is given, piece by piece, and then keeps silent."""
    listener, stop = socket.create_server(("127.0.0.1", 0)), threading.Event()
    pieces = []

    def serve():
        while not stop.is_set():
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with peer:
                for piece in pieces:
                    try:
                        peer.sendall(piece)
                    except OSError:
                        break
                    if stop.wait(0.05):
                        break
                else:
                    stop.wait(5)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield pieces, f"http://127.0.0.1:{listener.getsockname()[1]}/x"
    stop.set()
    listener.close()


def test_a_file_is_written_whole(web, fetcher, tmp_path):
    web.serve("/x", b"data" * 1000)
    found = fetched(fetcher, f"{web.url}/x", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"data" * 1000
    assert (found.etag, found.size) == ('"1"', 4000)
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_body_over_the_limit_is_not_read(web, fetcher, tmp_path):
    web.serve("/x", b"x" * (QUICK.size + 1))
    assert failure(fetcher, f"{web.url}/x", tmp_path / "x").code == "DataTooLarge"


def test_a_body_of_unknown_length_is_cut_at_the_limit(web, fetcher, tmp_path):
    def endless(request):
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        try:
            while True:
                request.wfile.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        except OSError:
            request.close_connection = True

    web.answers["/x"] = endless
    assert failure(fetcher, f"{web.url}/x", tmp_path / "x").code == "DataTooLarge"


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        [],
        [b"H"] * 200,
        [b"HTTP/1.1 200 OK\r\n", *([b"X-A: b\r\n"] * 90)],
        [HEAD],
        [HEAD, *([b"x"] * 200)],
        [CHUNKED, *([b"0"] * 200)],
    ],
    ids=["silence", "status", "headers", "body", "drip", "chunk"],
)
def test_a_server_that_drips_is_left(raw, sent, tmp_path):
    pieces, url = raw
    pieces.extend(sent)
    limits = Limits(window_s=0.2, least=10, seconds=1, connect_s=1)
    slow = Fetcher(Rules.parse(["127.0.0.1"], []), limits)
    assert "too slow" in str(failure(slow, url, tmp_path / "x"))


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
    ],
)
def test_a_bad_answer_is_an_error_of_the_other_server(raw, answer, tmp_path):
    pieces, url = raw
    pieces.append(answer)
    fetcher = Fetcher(Rules.parse(["127.0.0.1"], []), QUICK)
    assert failure(fetcher, url, tmp_path / "x").code == "DataNotReachable"


def broken(data, after, etag='"1"'):
    """Promises data, and breaks off."""

    def answer(request):
        request.send_response(200)
        request.send_header("Content-Length", str(len(data)))
        request.send_header("ETag", etag)
        request.end_headers()
        request.wfile.write(data[:after])
        request.close_connection = True

    return answer


def test_a_broken_download_goes_on_where_it_ended(web, fetcher, tmp_path):
    data = bytes(range(256)) * 100
    web.answers["/x"] = broken(data, 10_000)
    assert "ended after 10000" in str(failure(fetcher, f"{web.url}/x", tmp_path / "x"))
    web.serve("/x", data)
    fetched(fetcher, f"{web.url}/x", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == data
    assert web.seen[-1][2]["Range"] == "bytes=10000-"


@pytest.mark.parametrize("etags", [('"1"', '"2"'), ('W/"1"', 'W/"1"'), ("", "")])
def test_a_part_of_other_bytes_is_thrown_away(web, fetcher, tmp_path, etags):
    web.answers["/x"] = broken(b"a" * 1000, 500, etags[0])
    failure(fetcher, f"{web.url}/x", tmp_path / "x")
    web.serve("/x", b"b" * 1000, etags[1])
    fetched(fetcher, f"{web.url}/x", tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"b" * 1000


@pytest.mark.parametrize("status", [401, 403, 404, 409, 500, 503])
def test_another_status_is_told_with_a_remedy(web, fetcher, tmp_path, status):
    web.serve("/x", b"secret of the other server", status=status)
    error = failure(fetcher, f"{web.url}/x?sig=hidden", tmp_path / "x")
    assert (error.code, error.status) == ("DataNotReachable", status)
    assert str(status) in str(error)
    assert "hidden" not in str(error)
    assert "secret" not in str(error)


def test_connections_are_used_again(web, fetcher, tmp_path):
    with fetcher.session() as session:
        for number in range(5):
            web.serve(f"/{number}", b"x" * number)
            head(session, f"{web.url}/{number}")
            download(session, f"{web.url}/{number}", tmp_path / str(number), tmp_path / "part")
    assert web.connections == 1


def test_a_connection_that_was_closed_meanwhile_is_replaced(web, fetcher, tmp_path):
    def last(request):
        send(request, 200, b"x")
        request.close_connection = True

    web.answers["/x"] = last
    with fetcher.session() as session:
        for number in range(3):
            download(session, f"{web.url}/x", tmp_path / str(number), tmp_path / "part")
    assert web.connections == 3


def test_a_stopped_session_ends_a_download(web, fetcher, tmp_path):
    web.serve("/x", b"x")
    stop = threading.Event()
    stop.set()
    with fetcher.session(stop) as session, pytest.raises(FetchError, match="stopping"):
        download(session, f"{web.url}/x", tmp_path / "x", tmp_path / "part")


def test_what_is_not_there_has_no_head(web, fetcher):
    with fetcher.session() as session:
        assert head(session, f"{web.url}/none") is None
