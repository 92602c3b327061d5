"""More load than the server can take, and connections that only stand there.

One thread and epoll: thousands of connections, each with one request at a time, paced whatever the answers do. What is
refused is sent again later, as SDKs do, so in the end everything is taken once.
"""

import collections
import resource
import selectors
import socket
import time
from dataclasses import dataclass, field

READ_BYTES = 1 << 16


@dataclass
class Flooded:
    """What offering too much came to."""

    seconds: float = 0.0
    offered: int = 0
    served: int = 0
    #: Refusals by status, and those among the 429 that say when to come back.
    refused: collections.Counter = field(default_factory=collections.Counter)
    with_retry_after: int = 0
    #: Requests that were due when no connection was free.
    late: int = 0
    left: list[bytes] = field(default_factory=list)
    generator_cpu_s: float = 0.0


class Connection:
    def __init__(self, address: str):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.request = b""
        self.sent = 0
        self.received = b""

    def begin(self, request: bytes):
        self.request, self.sent, self.received = request, 0, b""

    def send(self) -> bool:
        """Sends what fits; whether all is sent."""
        try:
            self.sent += self.socket.send(memoryview(self.request)[self.sent :])
        except BlockingIOError:
            pass
        return self.sent == len(self.request)

    def receive(self) -> tuple[int, bytes] | None:
        """Status and head of the answer, once it is complete."""
        try:
            part = self.socket.recv(READ_BYTES)
        except BlockingIOError:
            return None
        if not part:
            raise ConnectionError("the server closed the connection")
        self.received += part
        head, separator, body = self.received.partition(b"\r\n\r\n")
        if not separator:
            return None
        lines = head.lower().split(b"\r\n")
        length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:"))
        return (int(lines[0].split()[1]), head.lower()) if len(body) >= length else None


def offer(address: str, requests: list[bytes], per_second: float, connections_max: int, seconds: float) -> Flooded:
    """Offers `per_second` requests for `seconds`, or until all have been served."""
    raise_file_limit()
    result = Flooded()
    waiting = collections.deque(requests)
    selector = selectors.DefaultSelector()
    idle: list[Connection] = []
    opened = busy = 0
    cpu_before, start = time.process_time(), time.perf_counter()
    while busy or (waiting and time.perf_counter() - start < seconds):
        now = time.perf_counter() - start
        due = int(now * per_second) - result.offered - result.late if now < seconds else 0
        for _ in range(due):
            if not waiting:
                break
            if not idle and opened < connections_max:
                idle.append(Connection(address))
                opened += 1
            if not idle:
                result.late += 1
                continue
            connection = idle.pop()
            connection.begin(waiting.popleft())
            result.offered += 1
            busy += 1
            events = selectors.EVENT_READ if connection.send() else selectors.EVENT_READ | selectors.EVENT_WRITE
            selector.register(connection.socket, events, connection)
        for key, events in selector.select(0.002):
            connection = key.data
            if events & selectors.EVENT_WRITE and connection.send():
                selector.modify(connection.socket, selectors.EVENT_READ, connection)
            answer = connection.receive() if events & selectors.EVENT_READ else None
            if answer is None:
                continue
            selector.unregister(connection.socket)
            idle.append(connection)
            busy -= 1
            status, head = answer
            if status == 200:
                result.served += 1
            else:
                result.refused[status] += 1
                result.with_retry_after += status == 429 and b"\r\nretry-after:" in head
                waiting.append(connection.request)
        if now < seconds:
            result.seconds = time.perf_counter() - start
    result.left = list(waiting)
    result.generator_cpu_s = time.process_time() - cpu_before
    for connection in idle:
        connection.socket.close()
    return result


class Bystanders:
    """Connections that say nothing, and some that begin a request and do not go on."""

    def __init__(self, address: str, silent: int, slow: int):
        raise_file_limit()
        self.address = address
        self.opened = [self.open(b"") for _ in range(silent)]
        self.opened += [self.open(b"POST /track HTTP/1.1\r\nHost: x\r\nX-Slow: ") for _ in range(slow)]

    def open(self, said: bytes) -> socket.socket:
        host, port = self.address.rsplit(":", 1)
        connection = socket.create_connection((host, int(port)), timeout=30)
        connection.sendall(said)
        return connection

    def close(self):
        for connection in self.opened:
            connection.close()


def raise_file_limit():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
