"""Memory and patience of the explorer's server: many pages opened and closed one after the other, and too many at once.

python -m benchmarks.pages [--pages 1000] [--at-once 60]

A page is a client of its web socket that asks for one answer, to the end or not, and leaves. Memory is that of the server's
process, without the browser.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

VIEWS = ("one", "two", "few", "story-1", "story-6")
FIRST = 25  # pages after which memory is taken as the level
FULL_EVERY, SHORT = 10, 2  # every tenth page waits for its whole answer, the others for so many messages


class Server:
    """`spinsync explore` in a process of its own."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "spinsync", "explore", "--no-browser"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        found = re.search(r"http://127\.0\.0\.1:(\d+)/\?access_token=(\S+)", self.process.stderr.readline())
        assert found is not None
        self.port, self.token = int(found[1]), found[2]
        self.headers = {"Cookie": f"spinsync-{self.port}={self.token}"}

    def page(self) -> ClientConnection:
        """An open page."""
        where, limits = f"ws://127.0.0.1:{self.port}/live", {"compression": None, "max_size": None, "open_timeout": 60}
        return connect(where, additional_headers=self.headers, **limits)

    def get(self, path: str) -> tuple[int, str, float]:
        """Status, text and seconds of an answer."""
        begin = time.perf_counter()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=self.headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode(), time.perf_counter() - begin
        except HTTPError as error:
            return error.code, error.read().decode(), time.perf_counter() - begin

    def memory(self) -> float:
        """Resident memory in MiB."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def threads(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/task"))


@contextmanager
def running() -> Iterator[Server]:
    """A server that ends with the block."""
    server = Server()
    try:
        yield server
    finally:
        server.process.kill()
        server.process.communicate()


def visit(server: Server, name: str, number: int, *, full: bool) -> None:
    """Open a page, ask for an answer at values of its own, and leave."""
    with server.page() as page:
        values = {"V": 1 + number % 97 / 25, "r": 1 + number % 11, "theta": -0.9 + number % 89 / 50}
        page.send(json.dumps({"number": number, "page": name, "values": values}))
        count = 0
        while not json.loads(page.recv(300)).get("done") and (full or count < SHORT):
            count += 1


def opened(pages: int = 1000) -> dict[str, Any]:
    """Memory of the server against the level after the first pages."""
    with running() as server:
        for name in VIEWS:
            visit(server, name, 0, full=True)  # compile and load all there is
        level, highest = 0.0, 0.0
        begin = time.perf_counter()
        for number in range(pages):
            visit(server, VIEWS[number % len(VIEWS)], number, full=number % FULL_EVERY == 0)
            if number + 1 == FIRST:
                time.sleep(1.0)
                level = server.memory()
            elif number >= FIRST:
                highest = max(highest, server.memory())
        took = time.perf_counter() - begin
        time.sleep(2.0)
        return {
            "pages": pages,
            "level": level,
            "highest": highest,
            "end": server.memory(),
            "threads": server.threads(),
            "seconds": took,
        }


def at_once(count: int = 60) -> dict[str, Any]:
    """How many of so many pages at once are served, what the others are told, and how long /health takes meanwhile."""
    with running() as server:
        visit(server, "one", 0, full=True)
        done, refused, health = [], [], []
        everybody = threading.Barrier(count)

        def come(number: int) -> None:
            everybody.wait()
            try:
                with server.page() as page:
                    page.send(json.dumps({"number": 1, "page": VIEWS[number % 3], "values": {"V": 2 + number / 50}}))
                    page.recv(60)
                    done.append(number)
                    leave.wait(30)
            except ConnectionClosed as end:
                refused.append(end.rcvd.reason if end.rcvd else "")

        leave = threading.Event()
        threads = [threading.Thread(target=come, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        end = time.perf_counter() + 10
        while time.perf_counter() < end:
            health.append(server.get("/health")[2])
            time.sleep(0.05)
        front = server.get("/")[:2]
        leave.set()
        for thread in threads:
            thread.join()
        return {
            "served": len(done),
            "refused": len(refused),
            "told": sorted(set(refused)),
            "slowest health": max(health),
            "front": front,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=60)
    options = parser.parse_args()
    many = at_once(options.at_once)
    print(
        f"{options.at_once} at once: {many['served']} served, {many['refused']} refused: {many['told']}; / says {many['front']}"
    )
    print(f"slowest /health of 10 s meanwhile: {many['slowest health']:.3f} s")
    found = opened(options.pages)
    print(f"{found['pages']} pages in {found['seconds']:.0f} s, {found['threads']} threads:")
    print(f"{found['level']:.0f} MiB after {FIRST}, at most {found['highest']:.0f} later, {found['end']:.0f} at the end")


if __name__ == "__main__":
    main()
