"""Changes of an online endpoint under load, and clients that only hold on to connections."""

import collections
import contextlib
import http.client
import resource
import selectors
import socket
import threading
import urllib.parse

import pytest

from tests.live import wait_for

BLUE = "def init():\n    pass\n\ndef run(data):\n    return 'blue'\n"
GREEN = BLUE.replace("blue", "green")
LIMITS = {
    "maxConcurrentRequestsPerInstance": 20,
    "maxQueueWait": "PT20S",
    "requestTimeout": "PT60S",
}
IDLE = 10_000


def address_of(server):
    parts = urllib.parse.urlsplit(server.base)
    return parts.hostname, parts.port


class Callers:
    """Threads that score without a pause, on connections that they keep as long as they can."""

    def __init__(self, server, endpoint, key, threads=3):
        self.key, self.failures, self.answers = key, [], collections.Counter()
        self._address, self._path = address_of(server), f"/inference/{endpoint}/score"
        self._stop, self._lock = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def more(self, count, of=None):
        """Wait until so many more requests were answered, by one deployment or any."""
        seen = lambda: self.answers[of] if of else self.answers.total()  # noqa: E731
        goal = seen() + count
        wait_for(lambda: seen() >= goal or self.failures)
        assert self.failures == []

    def _run(self):
        connection = http.client.HTTPConnection(*self._address, timeout=60)
        while not self._stop.is_set():
            self._score(connection)
        connection.close()

    def _score(self, connection):
        try:
            headers = {"authorization": f"Bearer {self.key}"}
            connection.request("POST", self._path, b"{}", headers)
            answer = connection.getresponse()
            said = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            said, status = repr(error), 0
        else:
            status = answer.status
        with self._lock:
            if status == 200 and answer.headers["azureml-model-deployment"] in said:
                self.answers[said.strip('"')] += 1
            else:
                self.failures.append((status, said))


def shift(server, endpoint, **traffic):
    properties = {"authMode": "Key", "traffic": traffic}
    server.put(f"/onlineEndpoints/{endpoint}", properties)
    server.settled(f"/onlineEndpoints/{endpoint}")


def beside(server, endpoint, script):
    """A deployment "green" that takes no traffic yet."""
    code = server.code(f"{endpoint}-green", script)
    properties = {
        "endpointComputeType": "Managed",
        "environmentId": server.environment(),
        "codeConfiguration": {"codeId": code, "scoringScript": "score.py"},
        "requestSettings": LIMITS,
    }
    made = server.put(f"/onlineEndpoints/{endpoint}/deployments/green", properties)
    assert server.outcome(made)["status"] == "Succeeded"


def test_a_rollout_in_steps_fails_no_request(server):
    server.deploy("rollout", BLUE, requestSettings=LIMITS)
    with Callers(server, "rollout", server.key("rollout")) as callers:
        callers.more(50)
        beside(server, "rollout", GREEN)
        for green in (0, 10, 50, 100):
            shift(server, "rollout", blue=100 - green, green=green)
            callers.more(100)
            if green:
                callers.more(5, of="green")
        shift(server, "rollout", green=100)
        gone = server.call("DELETE", "/onlineEndpoints/rollout/deployments/blue")
        assert gone.status_code in {200, 202, 204}
        callers.more(100, of="green")
    assert callers.failures == []
    assert callers.answers["blue"] > 50


def test_keys_are_rotated_under_load_and_no_request_fails(server):
    server.deploy("rotated", BLUE, requestSettings=LIMITS)

    def keys():
        return server.call("POST", "/onlineEndpoints/rotated/listKeys").json()

    with Callers(server, "rotated", keys()["primaryKey"]) as callers:
        for _ in range(2):
            for used, renewed in (("primary", "Secondary"), ("secondary", "Primary")):
                callers.key = keys()[f"{used}Key"]
                callers.more(30)  # by then no request with the other key is under way
                body = {"keyType": renewed}
                made = server.call("POST", "/onlineEndpoints/rotated/regenerateKeys", body)
                assert made.status_code == 200
                callers.more(60)
    assert callers.failures == []


@contextlib.contextmanager
def connected(server, count):
    """So many connections; this process may hold open more files meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2 * count:
        pytest.skip(f"{hard} files may be open here: too few for {count} connections")
    resource.setrlimit(resource.RLIMIT_NOFILE, (2 * count, hard))
    try:
        with contextlib.ExitStack() as stack:
            address = address_of(server)
            yield [
                stack.enter_context(socket.create_connection(address, timeout=60))
                for _ in range(count)
            ]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_ten_thousand_idle_connections_are_in_nobodys_way(server):
    server.deploy("crowded", BLUE, requestSettings=LIMITS)
    key = server.key("crowded")
    with connected(server, IDLE) as idle, Callers(server, "crowded", key) as callers:
        idle[-1].sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert idle[-1].recv(4096).startswith(b"HTTP/1.1 ")
        callers.more(100)
    assert callers.failures == []


def test_requests_that_arrive_drop_by_drop_are_cut_off_and_hold_up_nobody(server):
    server.deploy("patient", BLUE, requestSettings=LIMITS)
    head = b"POST /inference/patient/score HTTP/1.1\r\nhost: localhost\r\n"
    key = server.key("patient")
    body = head + f"authorization: Bearer {key}\r\ncontent-length: 900\r\n\r\n".encode()
    with connected(server, 200) as slow, Callers(server, "patient", key) as callers:
        with selectors.DefaultSelector() as selector:
            for number, connection in enumerate(slow):
                connection.sendall(head if number % 2 else body)
                selector.register(connection, selectors.EVENT_READ)
            cut_off = []

            def all_are_cut_off():
                for key, _ in selector.select(0.2):
                    cut_off.append(key.fileobj.recv(4096))
                    selector.unregister(key.fileobj)
                for key in list(selector.get_map().values()):
                    with contextlib.suppress(OSError):
                        key.fileobj.send(b"x" if key.fd % 2 else b"x-drop: 1\r\n")
                return not selector.get_map()

            wait_for(all_are_cut_off)
        callers.more(100)
    assert all(said == b"" or b" 408 " in said or b" 400 " in said for said in cut_off)
    assert callers.failures == []
