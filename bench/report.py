"""The measurements as Markdown."""

import math
import statistics

LEGEND = """Milliseconds, warm: p50 / p95 of the wall times, mean processor time in brackets. "×" says how many times faster
Frostpane is than the faster of the others, by p50 of the wall times and by processor time; below 1 it is slower. "At
bandwidth" is what reading the needed columns once would take at the memory bandwidth measured in this run, and how many
times as long Frostpane takes. Per-person questions, where the goal is 3 ×, are marked ●; elsewhere it is 1 ×.
"""
COLD_LEGEND = """Milliseconds, cold: each engine closed, the page cache dropped, the engine opened again, then this one question.
"""


def markdown(result: dict, questions: list) -> str:
    lines = [f"Machine: {result['machine']}.", f"Command: `{result['command']}`, scripts of commit {result['commit']}.", ""]
    lines += sizes(result)
    for run in result["runs"]:
        lines += [f"#### {threads_text(run['threads'])}, warm", "", *LEGEND.splitlines(), ""]
        lines += [f"Memory bandwidth with {threads_text(run['threads'])}: {run['bandwidth'] / 1e9:.1f} GB/s.", ""]
        lines += warm_table(result, run, questions)
        if any(run["cold"].values()):
            lines += [f"#### {threads_text(run['threads'])}, cold", "", *COLD_LEGEND.splitlines(), ""]
            lines += cold_table(result, run, questions)
    lines.append(f"The machine was busy for {result['busy_cores']:.2f} of its cores on average during the whole run.")
    return "\n".join(lines) + "\n"


def threads_text(threads: int) -> str:
    return "1 thread" if threads == 1 else f"{threads} threads"


def sizes(result: dict) -> list[str]:
    load = next(iter(result["engines"].values()))["load"]
    count = load["rows"]
    lines = [f"| {count:,} rows | load | on disk | bytes per row |", "|---|---|---|---|"]
    lines.append(f"| as NDJSON | | {load['row_bytes'] / 1e6:,.0f} MB | {load['row_bytes'] / count:.1f} |")
    for name, engine in result["engines"].items():
        took = f"{engine['load']['seconds']:,.0f} s ({count / max(engine['load']['seconds'], 1e-3):,.0f}/s)"
        for part, size in engine["disk_bytes"].items():
            lines.append(f"| {name} {engine['version']}{part} | {took} | {size / 1e6:,.1f} MB | {size / count:.1f} |")
            took = ""
    return [*lines, ""]


def warm_table(result: dict, run: dict, questions: list) -> list[str]:
    names = list(result["engines"])
    lines = [f"| question | {' | '.join(names)} | × wall | × processor | at bandwidth | answers |"]
    lines.append("|---|" + "---|" * (len(names) + 4))
    for question in questions:
        times = run["warm"][question.name]
        walls = {name: percentile([wall for wall, _ in taken], 50) for name, taken in times.items()}
        # The mean: where the kernel counts in steps of 10 ms, a median would be one of two steps.
        cpus = {name: statistics.mean(cpu for _, cpu in taken) for name, taken in times.items()}
        cells = [
            f"{walls[name] * 1e3:.1f} / {percentile([wall for wall, _ in times[name]], 95) * 1e3:.1f} ({cpus[name] * 1e3:.0f})"
            if name in times
            else "refused"
            for name in names
        ]
        cells += [advantage(walls), advantage(cpus), floor(result, run, question, walls.get("Frostpane"))]
        cells.append("DIFFER" if question.name in result["differing"] else "equal")
        lines.append(f"| {label(question)} | {' | '.join(cells)} |")
    return [*lines, ""]


def cold_table(result: dict, run: dict, questions: list) -> list[str]:
    names = [name for name in result["engines"] if name != "reference"]
    lines = [f"| question | {' | '.join(names)} | × wall |", "|---|" + "---|" * (len(names) + 1)]
    for question in questions:
        times = run["cold"][question.name]
        walls = {name: percentile([wall for wall, _ in taken], 50) for name, taken in times.items()}
        cells = [f"{walls[name] * 1e3:.0f}" if name in walls else "refused" for name in names]
        lines.append(f"| {label(question)} | {' | '.join([*cells, advantage(walls)])} |")
    return [*lines, ""]


def label(question) -> str:
    return f"{'● ' if question.per_person else ''}{question.name}"


def percentile(values: list[float], share: float) -> float:
    """The smallest of the values that at least this share of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share / 100) - 1)]


def advantage(seconds: dict[str, float]) -> str:
    """How many times faster Frostpane is than the faster of the others."""
    others = [seconds[name] for name in seconds if name not in ("Frostpane", "reference")]
    if not others or not seconds.get("Frostpane"):
        return ""
    return f"{min(others) / seconds['Frostpane']:.2f}"


def floor(result: dict, run: dict, question, seconds: float | None) -> str:
    size = result["needed_bytes"].get(question.name)
    if size is None or seconds is None:
        return ""
    least = size / run["bandwidth"]
    return f"{least * 1e3:.2f} ({seconds / least:.0f} ×)" if least else ""
