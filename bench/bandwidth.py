"""How fast this machine reads memory, and how much of it a question has to read."""

import threading
import time

import numpy

#: Far beyond any cache, and read often enough for the clock.
ARRAY_BYTES = 256 << 20
ROUNDS = 5


def measured(threads: int) -> float:
    """Bytes a second that so many threads read together, the best of a few rounds: noise only ever takes."""
    arrays = [numpy.ones(ARRAY_BYTES // 8, dtype=numpy.int64) for _ in range(threads)]

    def round_trip() -> float:
        readers = [threading.Thread(target=numpy.bitwise_or.reduce, args=(array,)) for array in arrays]
        began = time.perf_counter()
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        return time.perf_counter() - began

    return threads * ARRAY_BYTES / min(round_trip() for _ in range(ROUNDS))


def needed(engines: list, questions: list) -> dict[str, int]:
    """By question, bytes of the columns it needs, of the rows it is about, at the narrowest fixed width."""
    counter = next((engine for engine in engines if hasattr(engine, "run")), None)
    if counter is None:
        return {}
    rows = {reads: counter.run(f"SELECT count(*) FROM events WHERE {reads}")[0][0] for reads in
            {question.reads.rows for question in questions}}
    return {question.name: rows[question.reads.rows] * question.reads.bytes_per_row() for question in questions}
