"""The stub of the explorer as a process of its own, and frames of a web socket as a client sends them."""

import re
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from stub_server import TOKEN

STUB = Path(__file__).parent / "stub_server.py"
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
MASK = b"\x01\x02\x03\x04"


class Process:
    """The server in a process of its own; `said` is all that it wrote."""

    def __init__(self, *arguments):
        self.begin = time.perf_counter()
        self.popen = subprocess.Popen(
            [sys.executable, "-W", "error", str(STUB), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        line = self.popen.stderr.readline()
        self.took = time.perf_counter() - self.begin
        self.address = re.fullmatch(r"spinsync explorer: (http://127\.0\.0\.1:(\d+)/\?access_token=(\S+))\n", line)
        assert self.address, line + self.popen.stderr.read()
        self.port, self.cookie = int(self.address[2]), f"spinsync-{self.address[2]}={TOKEN}"
        assert self.popen.stderr.readline() == "Ctrl-C ends it.\n"

    def raw(self, *pieces, wait=0.2):
        """Send bytes, and what comes back."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as raw:
            for piece in pieces:
                raw.sendall(piece if isinstance(piece, bytes) else piece.encode("latin-1"))
            raw.settimeout(wait)
            try:
                return raw.recv(65536)
            except (TimeoutError, ConnectionError):
                return b""

    def health(self):
        begin = time.perf_counter()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=10) as answer:
            assert answer.read() == b"ok"
        return time.perf_counter() - begin

    def end(self, number=signal.SIGINT):
        """Status, what was written since the start, and seconds that it took."""
        begin = time.perf_counter()
        self.popen.send_signal(number)
        out, err = self.popen.communicate(timeout=20)
        return self.popen.returncode, out + err, time.perf_counter() - begin


@contextmanager
def process(*arguments):
    started = Process(*arguments)
    try:
        yield started
    finally:
        started.popen.kill()
        started.popen.communicate()


def frame(first, payload, length=None):
    """A frame of a web socket as a client sends it, perhaps with a wrong length."""
    size = len(payload) if length is None else length
    head = bytes([first, 0x80 | size]) if size < 126 else bytes([first, 0x80 | 126]) + struct.pack(">H", size)
    return head + MASK + bytes(byte ^ MASK[k % 4] for k, byte in enumerate(payload))
