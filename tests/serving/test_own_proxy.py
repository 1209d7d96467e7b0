"""The HAProxy before a container, as a real process."""

import contextlib
import http.client
import http.server
import socket
import threading

import pytest

from lazulite.serving.front_door import find_haproxy
from lazulite.serving.own_proxy import Proxy, ProxyError


class Echo(http.server.BaseHTTPRequestHandler):
    """Says which path it was asked for."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.path.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def container():
    """The port of something that says which path it was asked for."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@contextlib.contextmanager
def proxied(listener, path, port):
    proxy = Proxy([listener.fileno()], path, port)
    try:
        yield proxy
    finally:
        proxy.end()


def asked(listener, path):
    connection = http.client.HTTPConnection(*listener.getsockname(), timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", path)
        return connection.getresponse().read().decode()


PATHS = ("/v1/half:predict", "/a%20b", "/%[env(HOME)]", "/100%", "/%%", "/%{+Q}o", "/'\"\\$HOME")


@pytest.mark.parametrize("path", PATHS)
def test_the_scoring_route_is_asked_for_as_it_is_written(listener, container, path):
    with proxied(listener, path, container):
        assert asked(listener, "/score") == path
        assert asked(listener, "/other%20path") == "/other%20path"


def test_it_is_there_once_it_serves(listener, container, monkeypatch, tmp_path):
    """HAProxy is held up here, as a large configuration would: who is ready does not wait."""
    started = tmp_path / "started"
    slow = tmp_path / "haproxy"
    slow.write_text(f'#!/bin/sh\nsleep 0.3\ntouch {started}\nexec "{find_haproxy()}" "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setattr("lazulite.serving.own_proxy.find_haproxy", lambda: str(slow))
    with proxied(listener, "/x", container):
        assert started.exists()


def test_a_configuration_that_it_refuses_is_told(listener, container, capfd):
    with pytest.raises(ProxyError, match="did not start"):
        Proxy([listener.fileno()], "/x", 99_999)
    assert "99999" in capfd.readouterr().err
