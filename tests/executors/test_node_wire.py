"""Messages over a Unix socket between processes that may leave at any moment."""

import socket

from lazulite.executors.node_wire import Link


class LeavesAtOnce(socket.socket):
    """A connection whose other side hangs up as soon as it has read a message."""

    def sendmsg(self, *args):
        sent = super().sendmsg(*args)
        self.other.recv(sent)
        self.other.close()
        return sent


def test_a_message_that_was_read_is_sent_even_if_its_reader_has_left():
    near, far = socket.socketpair()
    connection = LeavesAtOnce(fileno=near.detach())
    connection.other = far
    link = Link(connection)
    link.send({"signal": 15})
    link.close()
