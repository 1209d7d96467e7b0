"""The first process of a container: starts one command with descriptors from outside.

Run as `python -I inside.py <socket>`. Over the socket, which is mounted, come the command, its
variables and its open descriptors; signals follow, and the end of the command is told. When the
other side hangs up or dies, this process ends, and the kernel ends all that is in the container.
"""

import array
import fcntl
import json
import os
import selectors
import signal
import socket
import struct
import sys

LENGTH = struct.Struct("<I")
MOST_DESCRIPTORS = 250
OUT_OF_THE_WAY = 512
KILLED = 137
CANNOT_START = 127


def main(path):
    """Start what the socket asks for, and stay until it has ended or nobody listens any more."""
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.connect(path)
    wake, tail = socket.socketpair()
    for end in (wake, tail):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(tail.fileno())
    request, descriptors = _request(link)
    child = _started(request, descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    return _watch(child, link, wake)


def _watch(child, link, wake):
    """Returns once the command has ended or the connection has."""
    selector = selectors.DefaultSelector()
    selector.register(wake, selectors.EVENT_READ)
    selector.register(link, selectors.EVENT_READ)
    while True:
        status = _reaped(child)
        if status is not None:
            _send(link, {"exited": status, "descriptors": 0})
            return 0
        for key, _ in selector.select():
            if key.fileobj is wake:
                wake.recv(4096)
            elif not _obeyed(link, child):
                return KILLED


def _obeyed(link, child):
    """Pass a signal on; False if the other side is gone."""
    try:
        head = _exactly(link, LENGTH.size)
        message = json.loads(_exactly(link, LENGTH.unpack(head)[0]).decode())
    except (OSError, EOFError):
        return False
    try:
        os.kill(child, message["signal"])
    except ProcessLookupError:
        pass
    return True


def _reaped(child):
    """Bury whatever has ended; how the command did, as subprocess has it, or None."""
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == child:
            found = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _started(request, descriptors):
    """The pid of the command's process, in a session of its own."""
    child = os.fork()
    if child:
        return child
    try:
        os.setsid()
        _arrange(descriptors, request["numbers"])
        os.chdir(request["cwd"])
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        env = _environment(request["env"])
        os.environ["PATH"] = env["PATH"]
        os.execvpe(request["argv"][0], request["argv"], env)  # noqa: S606 - no shell is wanted
    except Exception as error:  # noqa: BLE001 - it is told where the command would have written
        os.write(2, ("%s: %s\n" % (request["argv"][0], error)).encode())
    finally:
        os._exit(CANNOT_START)


def _environment(asked):
    """The image's own variables, and those asked for over them."""
    env = dict(os.environ)
    env.update(asked)
    paths = [asked.get("PATH"), os.environ.get("PATH")]
    env["PATH"] = os.pathsep.join(path for path in paths if path) or os.defpath
    return env


def _arrange(descriptors, numbers):
    """Give the descriptors these numbers; first out of the way, as some may hold others' places."""
    moved = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, OUT_OF_THE_WAY) for one in descriptors]
    for place, descriptor in enumerate(moved):
        os.dup2(descriptor, numbers[place], inheritable=True)


def _request(link):
    """The first message, and the descriptors that came with it."""
    space = socket.CMSG_SPACE(MOST_DESCRIPTORS * array.array("i").itemsize)
    head, control, _, _ = link.recvmsg(LENGTH.size, space)
    descriptors = array.array("i")
    for level, kind, value in control:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(value[: len(value) - len(value) % descriptors.itemsize])
    head += _exactly(link, LENGTH.size - len(head))
    body = _exactly(link, LENGTH.unpack(head)[0])
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)  # the command gets copies under their own numbers
    return json.loads(body.decode()), list(descriptors)


def _exactly(link, size):
    data = b""
    while len(data) < size:
        more = link.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def _send(link, message):
    body = json.dumps(message).encode()
    try:
        link.sendall(LENGTH.pack(len(body)) + body)
    except OSError:
        pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
