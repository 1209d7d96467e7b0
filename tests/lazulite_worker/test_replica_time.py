"""Time limits, streaming, fairness and draining of a replica."""

import contextlib
import json
import shutil
import signal
import socket
import tempfile
import threading
import time
from pathlib import Path

import pytest

SLOW = """
import time
def init(): pass
def run(data):
    time.sleep(float(data))
    return data
"""

# Answers "until told" only once there is a file `told`.
BUSY = """
import os, time
def init(): pass
def run(data):
    print("running " + data, flush=True)
    while data == "until told" and not os.path.exists("told"):
        time.sleep(0.01)
    return data
"""

STREAM = """
import time
from azureml.contrib.services.aml_response import AMLResponse
def init(): pass
def parts(data):
    try:
        for number in range(3):
            if data == "fail%d" % number:
                raise ValueError("no more")
            if data == "hang%d" % number:
                time.sleep(30)
            yield "part%d " % number
    finally:
        print("generator closed")
def run(data):
    return AMLResponse(parts(data), 200)
"""

HEAD = b"POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b"


def request(body, head=HEAD):
    return head % (len(body), body)


def read_answer(file):
    """The body of the next answer, by its Content-Length. file: of a connection, for reading."""
    length = 0
    while (line := file.readline().strip()) != b"":
        name, _, value = line.partition(b":")
        length = int(value) if name.lower() == b"content-length" else length
    return file.read(length)


def test_run_that_takes_too_long_is_ended(serve):
    replica = serve(SLOW, env={"SCORING_TIMEOUT_MS": "200"})

    late, good = replica.score(20), replica.score(0)

    assert late.status == 500
    assert late.json() == {"message": "Scoring timeout after 200 ms"}
    assert late.headers["x-ms-run-function-failed"] == "True"
    assert good.status == 200
    assert "time.sleep(float(data))" in replica.log()


def test_time_limit_is_counted_from_the_start_of_each_run(serve):
    replica = serve(SLOW, env={"SCORING_TIMEOUT_MS": "400"})

    answers = [replica.score(0.25).status for _ in range(4)]

    assert answers == [200] * 4


def test_run_that_swallows_the_timeout_is_interrupted_again(serve):
    replica = serve(
        """
        import time
        def init(): pass
        def run(data):
            try:
                time.sleep(20)
            except Exception:
                time.sleep(20)
        """,
        env={"SCORING_TIMEOUT_MS": "100"},
    )

    assert replica.score(0).json() == {"message": "Scoring timeout after 100 ms"}


@pytest.mark.parametrize("text", ["0", "-1", "soon"])
def test_time_limit_that_is_no_number_is_a_boot_error(serve, text):
    replica = serve(SLOW, env={"SCORING_TIMEOUT_MS": text})

    assert "SCORING_TIMEOUT_MS must be a whole number above 0" in replica.said["error"]


def test_generator_is_streamed_part_by_part(serve):
    replica = serve(STREAM)

    answer = replica.call("POST", "/score", b"all")

    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert answer.body == b"part0 part1 part2 "
    replica.wait_for_log("POST /score 200 ")
    assert "ms N/A\n" in replica.log()


def test_part_arrives_before_the_next_one_is_made(serve):
    replica = serve(STREAM, env={"SCORING_TIMEOUT_MS": "60000"})

    with replica.connect() as connection:
        connection.sendall(request(b"hang1"))
        received = b""
        while b"part0" not in received:
            received += connection.recv(1000)

    assert b"part1" not in received


def test_http_1_0_client_is_streamed_to_until_the_connection_closes(serve):
    answer = serve(STREAM).raw(request(b"all", HEAD.replace(b"HTTP/1.1", b"HTTP/1.0")))

    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert body == b"part0 part1 part2 "


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"fail0", "An unexpected error occurred"), (b"hang0", "Scoring timeout after 200 ms")],
)
def test_failure_before_the_first_part_is_still_a_500(serve, data, message):
    answer = serve(STREAM, env={"SCORING_TIMEOUT_MS": "200"}).call("POST", "/score", data)

    assert answer.status == 500
    assert answer.json()["message"].startswith(message)


@pytest.mark.parametrize("data", [b"fail1", b"hang1"])
def test_failure_after_the_first_part_cuts_the_answer_short(serve, data):
    replica = serve(STREAM, env={"SCORING_TIMEOUT_MS": "200"})

    answer = replica.raw(request(data))

    assert b"part0" in answer
    assert not answer.endswith(b"0\r\n\r\n")
    assert replica.call("POST", "/score", b"all").status == 200
    assert "generator closed" in replica.log()


def test_connections_are_served_in_turn_and_pipelined_requests_in_order(serve):
    replica = serve(
        """
        import time
        served = []
        def init(): pass
        def run(data):
            time.sleep(0.01)
            served.append(data)
            return served if data == "all" else data
        """
    )
    names = [f"g{number}" for number in range(30)]
    with replica.connect() as greedy, replica.connect() as modest:
        greedy.sendall(b"".join(request(name.encode()) for name in names))
        modest.sendall(request(b"m"))
        with greedy.makefile("rb") as answers:
            assert [json.loads(read_answer(answers)) for _ in names] == names

    served = replica.call("POST", "/score", b"all").json()
    assert served.index("m") < 15


def test_client_that_waits_for_100_continue_is_told_to_go_on(serve):
    replica = serve(SLOW)
    with replica.connect() as connection:
        head = (
            b"POST /score HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"
        )
        connection.sendall(head)
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"0")
        with connection.makefile("rb") as answers:
            assert read_answer(answers) == b'"0"'


def test_refused_request_is_answered_and_its_connection_closed(serve):
    replica = serve(SLOW, options=["--max-body=10"])

    too_large = replica.raw(request(b"x" * 11) + b"y" * 100_000)
    smuggled = replica.raw(
        b"POST /score HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"
    )

    assert too_large.startswith(b"HTTP/1.1 413 ")
    assert smuggled.startswith(b"HTTP/1.1 400 ")
    assert smuggled.count(b"HTTP/1.1") == 1


def test_big_body_and_big_answer_pass_through(serve):
    replica = serve("def init(): pass\ndef run(data): return data")

    body = b"x" * 5_000_000

    assert len(replica.call("POST", "/score", body).body) == len(body) + 2


def test_client_that_does_not_read_its_answer_does_not_hold_up_others(serve):
    replica = serve("def init(): pass\ndef run(data): return 'x' * int(data)")
    with replica.connect() as stalled:
        stalled.sendall(request(b"5000000"))
        stalled.recv(1)

        assert replica.call("POST", "/score", b"1").json() == "x"


def test_request_whose_client_left_while_the_replica_was_busy_is_not_run(serve):
    replica = serve(
        """
        import time
        def init(): pass
        def run(data):
            print("ran", data)
            time.sleep(0.3)
        """
    )
    busy = threading.Thread(target=replica.call, args=("POST", "/score", b"first"))
    busy.start()
    replica.wait_for_log("ran first")
    with replica.connect() as gone:
        gone.sendall(request(b"abandoned"))
    busy.join()
    replica.call("POST", "/score", b"last")

    assert "ran last" in replica.log()
    assert "ran abandoned" not in replica.log()


def test_sigterm_lets_every_request_that_arrived_be_answered(serve):
    replica = serve(SLOW)
    with contextlib.ExitStack() as stack:
        stack.enter_context(replica.connect())  # idle
        connections = [stack.enter_context(replica.connect()) for _ in range(3)]
        for connection in connections:
            connection.sendall(request(b"0.2"))
        replica.process.send_signal(signal.SIGTERM)
        files = [stack.enter_context(connection.makefile("rb")) for connection in connections]

        answers = [read_answer(file) for file in files]

    assert answers == [b'"0.2"'] * 3
    assert replica.process.wait(10) == 0


def test_sigterm_ends_an_idle_replica_and_its_idle_connections(serve):
    replica = serve(SLOW)
    with replica.connect() as connection:
        connection.sendall(request(b"0"))
        assert connection.recv(1000).endswith(b'"0"')

        replica.process.send_signal(signal.SIGTERM)

        assert connection.recv(1) == b""
    assert replica.process.wait(10) == 0


@pytest.fixture
def waiting_room():
    """A listening socket that several replicas serve."""
    folder = Path(tempfile.mkdtemp(prefix="lz-"))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "w.sock"))
        listener.listen(100)
        yield listener
    shutil.rmtree(folder)


def waiting_clients(stack, waiting_room, bodies):
    """Files to read the answers from, of clients that each sent one request."""
    files = []
    for body in bodies:
        client = stack.enter_context(socket.socket(socket.AF_UNIX))
        client.settimeout(20)
        client.connect(waiting_room.getsockname())
        client.sendall(request(body))
        files.append(stack.enter_context(client.makefile("rb")))
    return files


def test_busy_replica_leaves_those_who_wait_for_any_replica_to_a_free_one(
    serve, waiting_room, tmp_path
):
    with contextlib.ExitStack() as stack:
        files = waiting_clients(stack, waiting_room, [b"until told", b"1", b"2"])
        busy = serve(BUSY, shared=waiting_room)
        busy.wait_for_log("running until told")
        free = serve(BUSY, shared=waiting_room)

        answers = [read_answer(file) for file in files[1:]]
        (tmp_path / "told").touch()

        assert [read_answer(files[0]), *answers] == [b'"until told"', b'"1"', b'"2"']
    free.wait_for_log("running 1")
    free.wait_for_log("running 2")


def test_sigterm_leaves_those_who_wait_for_any_replica_to_the_others(serve, waiting_room, tmp_path):
    stopping = serve(BUSY, shared=waiting_room)
    with contextlib.ExitStack() as stack:
        files = waiting_clients(stack, waiting_room, [b"until told"])
        stopping.wait_for_log("running until told")
        files += waiting_clients(stack, waiting_room, [b"later"])
        stopping.process.send_signal(signal.SIGTERM)
        (tmp_path / "told").touch()
        assert read_answer(files[0]) == b'"until told"'
        assert stopping.process.wait(10) == 0
        serve(BUSY, shared=waiting_room)

        assert read_answer(files[1]) == b'"later"'
    assert "running later" not in stopping.log()


def test_process_that_run_forked_still_dies_of_sigterm(serve):
    replica = serve(
        """
        import os, signal, time
        def init(): pass
        def run(data):
            child = os.fork()
            if not child:
                time.sleep(30)
                os._exit(0)
            time.sleep(0.1)
            os.kill(child, signal.SIGTERM)
            return os.waitpid(child, 0)[1]
        """
    )

    assert replica.score(0).json() == signal.SIGTERM
    assert replica.score(0).status == 200


def test_access_lines_do_not_wait_for_the_next_request(serve):
    replica = serve(SLOW)
    began = time.monotonic()

    replica.score(0)

    replica.wait_for_log("POST /score 200")
    assert time.monotonic() - began < 5
