"""A small load generator: requests made beforehand, sent over plain sockets, several connections at a time.

Everything that costs time, such as JSON, percent-encoding and gzip, happens before the clock starts, so that Python
is not what is measured. Its own processor time is reported with the results.
"""

import resource
import socket
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import quote_from_bytes

from frostpane import gzipped, json_array

READ_BYTES = 1 << 16


@dataclass
class Outcome:
    """What sending a list of requests came to."""

    seconds: float = 0.0
    #: Of each request, in the order of answers: from the moment it was due to the last byte of the answer.
    latencies_s: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    generator_cpu_s: float = 0.0

    def percentile_ms(self, share: float) -> float:
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e3


def import_request(host: str, path: str, authorization: str, lines: list[bytes]) -> bytes:
    """A batch as an importer sends it: gzip over a JSON array."""
    body = gzipped(json_array(lines))
    headers = ["Content-Type: application/json", "Content-Encoding: gzip", f"Authorization: {authorization}"]
    return request(host, path, headers, body)


def track_request(host: str, token: str, lines: list[bytes]) -> bytes:
    """A batch as the browser SDK sends it: a form with percent-encoded JSON."""
    tokened = b'"properties":{"token":"' + token.encode() + b'",'
    events = json_array(line.replace(b'"properties":{', tokened, 1) for line in lines)
    body = b"data=" + quote_from_bytes(events, safe="").encode()
    return request(host, "/track/?verbose=1&ip=0", ["Content-Type: application/x-www-form-urlencoded"], body)


def request(host: str, path: str, headers: list[str], body: bytes) -> bytes:
    head = [f"POST {path} HTTP/1.1", f"Host: {host}", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def send(address: str, requests: list[bytes], connections: int, per_second: float | None = None) -> Outcome:
    """Sends all requests: as fast as answers come, or at a steady pace, whatever the answers do."""
    outcome = Outcome()
    lock = threading.Lock()
    position = 0
    cpu_before = own_cpu_seconds()
    start = time.perf_counter()

    def work():
        nonlocal position
        host, port = address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=120) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                with lock:
                    mine, position = position, position + 1
                if mine >= len(requests):
                    return
                due = time.perf_counter()
                if per_second:
                    # Late starts count as waiting: a client that is held up still waits.
                    due = start + mine / per_second
                    time.sleep(max(0.0, due - time.perf_counter()))
                connection.sendall(requests[mine])
                status, answer = receive(connection)
                outcome.latencies_s.append(time.perf_counter() - due)
                if status != 200 or b'"status":0' in answer or answer == b"0":
                    outcome.refused.append(f"{status} {answer[:200].decode(errors='replace')}")

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcome.seconds = time.perf_counter() - start
    outcome.generator_cpu_s = own_cpu_seconds() - cpu_before
    return outcome


def receive(connection: socket.socket) -> tuple[int, bytes]:
    """Status and body of one answer."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += read(connection)
    head, body = received.split(b"\r\n\r\n", 1)
    lines = head.split(b"\r\n")
    length = next(int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        body += read(connection)
    return int(lines[0].split()[1]), body


def read(connection: socket.socket) -> bytes:
    part = connection.recv(READ_BYTES)
    if not part:
        raise ConnectionError("the server closed the connection")
    return part


def own_cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
