"""A replica process: serves its pid over HTTP/1.1 on inherited Unix sockets until killed."""

import os
import socket
import sys
import threading
import time


def serve(connection):
    buffer = b""
    while True:
        while b"\r\n\r\n" not in buffer:
            data = connection.recv(65536)
            if not data:
                connection.close()
                return
            buffer += data
        head, _, buffer = buffer.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
        while len(buffer) < length:
            buffer += connection.recv(65536)
        buffer = buffer[length:]
        time.sleep(0.003)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(PID), PID))


def accept(listener):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


PID = str(os.getpid()).encode()
own, waiting = (socket.socket(fileno=int(number)) for number in sys.argv[1:])
print("ready", flush=True)
threading.Thread(target=accept, args=(waiting,), daemon=True).start()
accept(own)
