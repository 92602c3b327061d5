"""Clients that are slow, silent, deaf or far too many: they are cut, and everybody else is answered meanwhile."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import threading
import time

import pytest

from support.api import Api
from support.installation import Installation

SILENT, HALF_HEADS, HALF_BODIES, DEAF = 2_000, 200, 100, 10
#: Time for a head, for a body, and for an answer to be read; see crates/server/src/{connection,ingest}.rs.
HEAD_SECONDS, BODY_SECONDS, ANSWER_SECONDS = 10, 30, 30
PATIENCE_SECONDS = 20
#: Answers that no buffer between two sockets holds.
PIPELINED = 400


@pytest.fixture(autouse=True, scope="module")
def many_files():
    """Every connection is a file of this process too."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture
def opened():
    """Opens connections, and closes them after the test."""
    with contextlib.ExitStack() as stack:
        def open_(installation, said: bytes = b"", **options) -> socket.socket:
            host, _, port = installation.listen.partition(":")
            connection = stack.enter_context(socket.socket())
            for name, value in options.items():
                connection.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
            connection.settimeout(30)
            connection.connect((host, int(port)))
            connection.sendall(said)
            return connection
        yield open_


def is_closed(connection: socket.socket) -> bool:
    """Whether the other end has hung up. Reads what is there."""
    connection.setblocking(False)
    try:
        while connection.recv(65_536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def until_closed(connections: list[socket.socket], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    waiting = list(connections)
    while waiting := [connection for connection in waiting if not is_closed(connection)]:
        assert time.monotonic() < deadline, f"{len(waiting)} of {len(connections)} {what} are still open"
        time.sleep(0.2)


class Ordinary(threading.Thread):
    """A client like any other: one request after the other, each on a new connection."""

    def __init__(self, installation: Installation) -> None:
        super().__init__()
        self.api = Api(installation, keep_alive=False)
        self.stopped = threading.Event()
        self.statuses: list[int] = []
        self.start()

    def run(self) -> None:
        while not self.stopped.wait(0.02):
            event = self.api.event("Meanwhile", {"distinct_id": "u"})
            self.statuses.append(self.api.track(event).status_code)

    def answered(self) -> int:
        """Ends it. Every one of its requests must have been answered with a 200."""
        self.stopped.set()
        self.join()
        assert set(self.statuses) == {200}, f"{len(self.statuses)} requests: {set(self.statuses)}"
        return len(self.statuses)


def head(path: str, length: int) -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n".encode()


def test_who_is_slow_is_cut_and_disturbs_nobody(installation, api, opened):
    """Thousands of silent connections, heads and bodies byte by byte, and clients that never read their answers (R11)."""
    silent = [opened(installation) for _ in range(SILENT)]
    half_heads = [opened(installation, b"POST /track HTTP/1.1\r\nHost: x\r\nX-Slow: ") for _ in range(HALF_HEADS)]
    half_bodies = [opened(installation, head("/track", 1_000)) for _ in range(HALF_BODIES)]
    question = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    deaf = [opened(installation, question * PIPELINED, SO_RCVBUF=4_096) for _ in range(DEAF)]
    began = time.monotonic()
    ordinary = Ordinary(installation)
    dripping = [*half_heads, *half_bodies]
    while time.monotonic() - began < HEAD_SECONDS + 1:
        for connection in dripping:
            with contextlib.suppress(OSError):
                connection.send(b" ")
        time.sleep(1)
    until_closed(silent, "silent connections")
    until_closed(half_heads, "half heads")
    while time.monotonic() - began < BODY_SECONDS + 1:
        for connection in half_bodies:
            with contextlib.suppress(OSError):
                connection.send(b" ")
        time.sleep(1)
    for connection in half_bodies:
        connection.settimeout(PATIENCE_SECONDS)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 408 "), "a body that does not arrive"
    until_closed(half_bodies, "half bodies")
    # Reading begins when the server has given up: what comes is the part that was on its way, and then nothing.
    while any(is_established(installation, connection) for connection in deaf):
        assert time.monotonic() - began < ANSWER_SECONDS + PATIENCE_SECONDS, "clients that do not read keep their connections"
        time.sleep(0.5)
    for connection in deaf:
        assert answers_in_full(connection) < PIPELINED, "nobody read, and everything was sent"
    assert ordinary.answered() > 100
    assert api.total("Meanwhile") == len(ordinary.statuses)


def answers_in_full(connection: socket.socket) -> int:
    """Answers that are still to be had, read to the end of the connection."""
    connection.settimeout(PATIENCE_SECONDS)
    answers, last = 0, b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(1 << 20):
            answers += (last + part).count(b"HTTP/1.1 200 ")
            last = part[-12:]
    return answers


def test_a_flood_of_connections_pushes_out_those_that_wait_longest(tmp_path, opened):
    """A hundred seats: requests in progress keep theirs, newcomers get one, the silent ones go."""
    installation = Installation(tmp_path).start("--connections", "100")
    try:
        body = b'[{"event":"Kept","properties":{"token":"%s","distinct_id":"u"}}]' % installation.token.encode()
        working = opened(installation, head("/track", len(body)) + body[:20])
        newcomer, flood = Api(installation, keep_alive=False), []
        for _ in range(50):
            flood += [opened(installation, said) for said in (b"", b"POST /track HTTP/1.1\r\nHost: x\r\n") for _ in range(10)]
            assert newcomer.track(newcomer.event("Meanwhile", {"distinct_id": "u"})).status_code == 200
        until_closed(flood[:-100], "connections that make room")
        working.sendall(body[20:])
        assert working.recv(65_536).startswith(b"HTTP/1.1 200 ")
        assert newcomer.total("Kept") == 1 and newcomer.total("Meanwhile") == 50
    finally:
        installation.kill()


def test_without_files_for_more_connections_the_server_waits_and_goes_on(installation, api, opened):
    """EMFILE in the accept loop: what is open is served, and the rest as soon as files are free again."""
    assert api.track(api.event("Before", {"distinct_id": "u"})).status_code == 200
    pid = installation.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    in_use = max(int(number) for number in os.listdir(f"/proc/{pid}/fd"))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (in_use + 20, before[1]))
    flood = [opened(installation) for _ in range(100)]
    # The connection that is open already is served all the while.
    for _ in range(20):
        assert api.track(api.event("During", {"distinct_id": "u"})).status_code == 200
    assert "Could not accept a connection" in wait_for_log(installation)
    for connection in flood:
        connection.close()
    assert Api(installation).track(api.event("After", {"distinct_id": "u"})).status_code == 200
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def is_established(installation: Installation, connection: socket.socket) -> bool:
    """Whether the server's end of the connection is open, as the kernel has it. Nothing is read."""
    ends = tuple(f"{int(port):04X}" for port in (installation.listen.rpartition(":")[2], connection.getsockname()[1]))
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table]
    return any((row[1][-4:], row[2][-4:], row[3]) == (*ends, "01") for row in rows[1:])


def wait_for_log(installation: Installation) -> str:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and "Could not accept" not in installation.log_text():
        time.sleep(0.1)
    return installation.log_text()
