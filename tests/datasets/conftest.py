"""A local HTTP server that misbehaves on request."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Server:
    """Serves `files`; the rest says how.

    Attributes:
        drops: For the next requests, one after the other: break off after so many bytes of the body (None: do not).
        refusals: Status codes for the next requests, before anything is served.
        honours_range: Whether Range is understood.
        wrong_range: Answer every range from byte 0 on.
        tells_total: Whether 416 says how long the file is.
        requests: (path, Range header or None) of each request so far.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    drops: list[int | None] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)
    honours_range: bool = True
    wrong_range: bool = False
    tells_total: bool = True
    requests: list[tuple[str, str | None]] = field(default_factory=list)


def handler_for(state: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            state.requests.append((self.path, asked))
            name = self.path.lstrip("/")
            if state.refusals or name not in state.files:
                self.send_error(state.refusals.pop(0) if state.refusals else 404)
                return
            content, first = state.files[name], 0
            if asked and state.honours_range:
                first = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
                if first >= len(content):
                    self.send_response(416)
                    if state.tells_total:
                        self.send_header("Content-Range", f"bytes */{len(content)}")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                first = 0 if state.wrong_range else first
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
            else:
                self.send_response(200)
            body = content[first:]
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            drop = state.drops.pop(0) if state.drops else None
            self.wfile.write(body[:drop])

        def log_message(self, *arguments: object) -> None:
            pass

    return Handler


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(state))
    state.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield state
    http.shutdown()
    http.server_close()
    thread.join()
