"""Processor time of the running installation, by process and by what the server's threads are for."""

import os

from frostpane import Frostpane
from machine import cpu_seconds

#: Threads of the server by name, as the kernel shows them. Whatever has another name works on requests.
THREADS = {"store-log": "log", "store-maintain": "maintenance"}


def by_process(server: Frostpane) -> dict[str, float]:
    """Seconds of the server and of its vault."""
    own = server.process.pid
    return {
        "server": cpu_seconds([own]),
        "vault": cpu_seconds([pid for pid in server.processes() if pid != own]),
    }


def by_purpose(server: Frostpane) -> dict[str, float]:
    """Seconds of the server's threads: requests, log, maintenance. Those that have ended count as requests."""
    ticks = dict.fromkeys(THREADS.values(), 0)
    directory = f"/proc/{server.process.pid}/task"
    for task in os.listdir(directory):
        try:
            stat = open(f"{directory}/{task}/stat").read()
        except OSError:
            continue
        purpose = THREADS.get(stat[stat.index("(") + 1 : stat.rindex(")")])
        if purpose:
            fields = stat.rsplit(")", 1)[1].split()
            ticks[purpose] += int(fields[11]) + int(fields[12])
    seconds = {purpose: count / os.sysconf("SC_CLK_TCK") for purpose, count in ticks.items()}
    return {"requests": cpu_seconds([server.process.pid]) - sum(seconds.values()), **seconds}


def difference(after: dict[str, float], before: dict[str, float]) -> dict[str, float]:
    return {name: after[name] - before[name] for name in after}
