"""The loop of a replica: connections on its listening sockets, one request at a time, in turn.

Everything happens on the main thread, run() included: handing a request to a thread costs more
than most of them take. A connection has at most one request in the queue, so the queue is fair
over connections, and a request is answered before the next one of its connection is read.
"""

import logging
import os
import selectors
import signal
import socket
import time
from collections import deque

from lazulite_worker.answer import error_answer
from lazulite_worker.http import (
    CONTINUE,
    LAST_CHUNK,
    FieldLines,
    HttpError,
    RequestReader,
    chunk,
    has_body,
    response_head,
)
from lazulite_worker.service import RunFailedError

SLICE_S = 0.0005
RECEIVE_BYTES = 64 * 1024
COPIED_BYTES = 64 * 1024
ACCEPTS_PER_TURN = 64
LINGER_S = 2.0
STREAM_STALL_S = 60.0
DRAIN_GRACE_S = 0.3
DRAIN_POLL_S = 0.02

logger = logging.getLogger("azmlinfsrv")


class Connection(object):
    """One client: the proxy, as a rule."""

    __slots__ = ("busy", "closing", "linger_until", "out", "paused", "reader", "served", "sock")

    def __init__(self, sock, reader):
        self.sock = sock
        self.reader = reader
        self.out = None  # what the socket did not take yet
        self.busy = False  # a request is queued, or its answer is not sent out
        self.closing = False  # after the answer that is being sent
        self.paused = False  # not read from while busy
        self.linger_until = 0.0  # refused: what still arrives is thrown away until then
        self.served = False


class Server(object):
    """Serves until stop() was called and every request that had arrived is answered."""

    def __init__(self, listener, service, access, max_body):
        """listener: a listening socket; max_body: bytes."""
        self._listener = listener
        self._shared = None
        self._guest = None  # the last connection from the shared socket
        self._service = service
        self._access = access
        self._max_body = max_body
        self._lines = FieldLines()
        self._selector = selectors.DefaultSelector()
        self._connections = set()
        self._queue = deque()
        self._lingering = set()
        self._wake, self._waker = socket.socketpair()
        self._stopping = False
        self._drain_until = 0.0
        self._date = (-1, "")

    def share(self, listener):
        """Serve a second listening socket, which other processes serve, too. Call before serve().

        This one takes a request from there, then the next once that one is answered: the others
        may be free sooner. Once stopped, it leaves to them whoever waits there.
        """
        self._shared = listener

    def stop_on_sigterm(self):
        """Let SIGTERM drain: what has arrived is answered, then serve() returns."""
        own = os.getpid()

        def stop(number, _frame):
            if os.getpid() == own:
                self._stopping = True
                return
            signal.signal(number, signal.SIG_DFL)  # a process that run() forked: it just ends
            os.kill(os.getpid(), number)

        self._wake.setblocking(False)
        self._waker.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno())
        signal.signal(signal.SIGTERM, stop)

    def serve(self):
        """Answer requests until stopped. Call once."""
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        if self._shared is not None:
            self._shared.setblocking(False)
            self._selector.register(self._shared, selectors.EVENT_READ, self._accept_shared)
        self._selector.register(self._wake, selectors.EVENT_READ, self._woken)
        while not self._drain_until or self._queue or self._connections:
            self._turn()
        self._access.flush()

    def _turn(self):
        for key, events in self._selector.select(self._patience()):
            if isinstance(key.data, Connection):
                self._ready(key.data, events)
            else:
                key.data()
        if self._queue:
            self._work()
        if self._access.due and self._access.due <= time.time():
            self._access.flush()
        if self._lingering:
            self._end_lingering()
        if self._stopping:
            self._drain()

    def _patience(self):
        """Seconds that select() may wait; None for ever."""
        if self._queue:
            return 0
        if self._stopping:
            return DRAIN_POLL_S
        waits = [LINGER_S / 4] if self._lingering else []
        if self._access.due:
            waits.append(max(0.0, self._access.due - time.time()))
        return min(waits) if waits else None

    def _work(self):
        """Answer from the queue for a short while, then look who else has come."""
        until = time.monotonic() + SLICE_S
        while self._queue:
            connection, request = self._queue.popleft()
            self._answer(connection, request)
            if time.monotonic() >= until:
                return

    # Reading

    def _accept(self):
        """Take connections that wait; True if there may be more."""
        for _ in range(ACCEPTS_PER_TURN):
            if self._accepted(self._listener) is None:
                return False
        return True

    def _accept_shared(self):
        """Take one connection, unless one from there still waits for its turn."""
        if not any(connection is self._guest for connection, _request in self._queue):
            self._guest = self._accepted(self._shared)

    def _accepted(self, listener):
        """The next connection that waits, its request read if it is there; None if none waits."""
        try:
            sock, _address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return None
        except OSError as error:  # out of descriptors, for one
            logger.warning("A connection could not be accepted: %s", error)
            time.sleep(0.05)
            return None
        sock.setblocking(False)
        connection = Connection(sock, RequestReader(self._lines, self._max_body))
        self._connections.add(connection)
        self._selector.register(sock, selectors.EVENT_READ, connection)
        self._receive(connection)
        if connection.busy and self._is_gone(connection):
            # It waited for a replica to start, and its client did not.
            self._close(connection)
        return connection

    def _woken(self):
        try:
            self._wake.recv(4096)
        except BlockingIOError:
            pass

    def _ready(self, connection, events):
        if connection not in self._connections:
            return
        if events & selectors.EVENT_WRITE and connection.out is not None:
            self._send(connection, connection.out)
        elif connection.busy:
            connection.paused = True  # more came, or the client left: both wait for the answer
            self._selector.unregister(connection.sock)
        else:
            self._receive(connection)

    def _receive(self, connection):
        try:
            data = connection.sock.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(connection)
        elif not connection.linger_until:
            connection.reader.feed(data)
            self._parse(connection)

    def _parse(self, connection):
        try:
            request = connection.reader.take()
        except HttpError as error:
            self._refuse(connection, error)
            return
        if request is not None:
            connection.busy = True
            self._queue.append((connection, request))
        elif connection.reader.take_continue():
            self._send_interim(connection)

    def _send_interim(self, connection):
        try:
            connection.sock.send(CONTINUE)
        except OSError:
            self._close(connection)

    def _is_gone(self, connection):
        try:
            return not connection.sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    # Answering

    def _answer(self, connection, request):
        if connection not in self._connections:
            return
        if connection.paused and self._is_gone(connection):
            self._close(connection)
            return
        answer = self._service.answer(request)
        connection.closing = not request.keep_alive or self._stopping
        connection.served = True
        try:
            head = self._head(answer, request, connection)
        except ValueError:  # a header of the user's that HTTP cannot carry
            answer = self._service.internal_error(request)
            head = self._head(answer, request, connection)
        if request.method == "HEAD" or not has_body(answer.status):
            self._send(connection, head)
        elif answer.body is None:
            self._stream(connection, request, head, answer.parts)
        else:
            self._send(connection, head, answer.body)

    def _head(self, answer, request, connection):
        fields = answer.fields
        if not has_body(answer.status):
            pass
        elif answer.body is not None:
            fields.append(("Content-Length", len(answer.body)))
        elif request.http11:
            fields.append(("Transfer-Encoding", "chunked"))
        else:
            connection.closing = True
        fields.append(("Date", self._http_date()))
        if connection.closing:
            fields.append(("Connection", "close"))
        elif not request.http11:
            fields.append(("Connection", "keep-alive"))
        return response_head(answer.status, fields)

    def _http_date(self):
        second = int(time.time())
        if self._date[0] != second:
            text = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(second))
            self._date = (second, text)
        return self._date[1]

    def _stream(self, connection, request, head, parts):
        """Send a body as it is made. The replica does nothing else meanwhile."""
        sock = connection.sock
        sock.settimeout(STREAM_STALL_S)
        try:
            sock.sendall(head)
            for part in parts:
                if part:
                    sock.sendall(chunk(part) if request.http11 else part)
            if request.http11:
                sock.sendall(LAST_CHUNK)
        except (OSError, RunFailedError):
            # OSError: the client left, or run() was too slow. The missing end tells the client.
            self._close(connection)
        else:
            sock.setblocking(False)
            self._sent(connection)

    def _send(self, connection, data, body=b""):
        """Send what the socket takes now, the rest later. A large body is not copied."""
        large = len(body) > COPIED_BYTES
        if body and not large:
            data += body
        try:
            count = connection.sock.sendmsg([data, body]) if large else connection.sock.send(data)
        except BlockingIOError:
            count = 0
        except OSError:
            self._close(connection)
            return
        if large and count < len(data):
            data, large = data + body, False
        rest = memoryview(body)[count - len(data) :] if large else memoryview(data)[count:]
        if rest:
            connection.out = rest
            self._watch(connection, selectors.EVENT_WRITE)
        else:
            self._sent(connection)

    def _sent(self, connection):
        if connection.out is not None:
            connection.out = None
            self._watch(connection, selectors.EVENT_READ)
        connection.busy = False
        if connection.linger_until:
            self._end_sending(connection)
        elif connection.closing:
            self._close(connection)
        else:
            if connection.paused:
                self._watch(connection, selectors.EVENT_READ)
            if connection.reader.has_data:
                self._parse(connection)

    def _watch(self, connection, events):
        if connection.paused:
            connection.paused = False
            self._selector.register(connection.sock, events, connection)
        else:
            self._selector.modify(connection.sock, events, connection)

    # Ending

    def _refuse(self, connection, error):
        """Say why, then read on for a while: closing with unread data could destroy the answer."""
        answer = error_answer(error.status, error.message)
        answer.fields += [("Content-Length", len(answer.body)), ("Connection", "close")]
        connection.closing = True
        connection.linger_until = time.monotonic() + LINGER_S
        self._lingering.add(connection)
        self._send(connection, response_head(answer.status, answer.fields) + answer.body)

    def _end_sending(self, connection):
        try:
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:  # the client left first
            self._close(connection)

    def _end_lingering(self):
        now = time.monotonic()
        for connection in [one for one in self._lingering if one.linger_until <= now]:
            self._close(connection)

    def _close(self, connection):
        if connection not in self._connections:
            return
        self._connections.discard(connection)
        self._lingering.discard(connection)
        if not connection.paused:
            self._selector.unregister(connection.sock)
        connection.sock.close()

    def _drain(self):
        now = time.monotonic()
        if not self._drain_until:
            self._drain_until = now + DRAIN_GRACE_S
            self._leave_shared()
        if self._listener.fileno() >= 0:
            self._accept_rest()
        for connection in list(self._connections):
            if not connection.busy and not connection.reader.has_data:
                self._receive(connection)  # what came before the end is still answered
            idle = not connection.busy and not connection.reader.has_data
            if idle and (connection.served or now >= self._drain_until):
                self._close(connection)

    def _leave_shared(self):
        if self._shared is not None:
            self._selector.unregister(self._shared)
            self._shared.close()

    def _accept_rest(self):
        """Take every connection that had been made: its client was promised an answer."""
        while self._accept():
            pass
        self._selector.unregister(self._listener)
        self._listener.close()
