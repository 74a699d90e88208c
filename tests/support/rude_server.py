"""Servers that do what no good one does: stall, talk a byte at a time, hang up, never end."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

Talk = Callable[[socket.socket, threading.Event], None]
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def stall(peer: socket.socket, over: threading.Event) -> None:
    """Take what comes, say nothing."""
    over.wait()


def drip(peer: socket.socket, over: threading.Event) -> None:
    """Answer well, one byte each 0.2 s."""
    for byte in _OK + b" " * 10_000:
        if over.wait(0.2):
            return
        peer.sendall(bytes([byte]))


def hang_up(peer: socket.socket, over: threading.Event) -> None:
    """Hang up once something came."""
    peer.recv(65_536)


def endless(peer: socket.socket, over: threading.Event) -> None:
    """Refuse with a body that has no end."""
    peer.recv(65_536)
    peer.sendall(b"HTTP/1.1 500 Broken\r\nContent-Type: text/plain\r\n\r\n")
    while not over.is_set():
        peer.sendall(b"still talking " * 1000)


def smtp_until(last: bytes, then: Talk) -> Talk:
    """Return an SMTP server that is good until a command, then does something else."""

    def talk(peer: socket.socket, over: threading.Event) -> None:
        peer.sendall(b"220 rude\r\n")
        with peer.makefile("rb") as lines:
            for line in lines:
                if line.upper().startswith(last):
                    then(peer, over)
                    return
                peer.sendall(b"250 ok\r\n")

    return talk


@contextlib.contextmanager
def rude_server(talk: Talk) -> Iterator[int]:
    """Yield the port of a server that treats everybody like this."""
    over = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))

    def one(peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            talk(peer, over)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _ = listening.accept()
                peer.settimeout(20)
                threading.Thread(target=one, args=[peer], daemon=True).start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield listening.getsockname()[1]
    finally:
        over.set()
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        accepting.join(5)
