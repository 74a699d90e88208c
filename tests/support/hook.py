"""A webhook of the tests' own."""

from __future__ import annotations

import http.server
import threading
import time


class Hook:
    """A webhook that does as it is told: `behave` gives (seconds to wait, status) of each request."""

    def __init__(self) -> None:
        self.behave: list[tuple[float, int]] = []
        self.status, self.answer = 204, b""
        self.got: list[tuple[dict[str, str], bytes, float]] = []
        outer = self

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                wait_s, status = outer.behave.pop(0) if outer.behave else (0.0, outer.status)
                outer.got.append((dict(self.headers) | {"path": self.path}, body, time.time()))
                outer.hold.wait(wait_s)
                try:
                    self.send_response(status)
                    if outer.answer:
                        self.send_header("Content-Length", str(len(outer.answer)))
                    self.end_headers()
                    self.wfile.write(outer.answer)
                except OSError:
                    pass  # nobody waits any more

            def log_message(self, *_: object) -> None:
                pass

        self.hold = threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/jinma"

    def end(self) -> None:
        self.hold.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
