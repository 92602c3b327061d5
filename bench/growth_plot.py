"""The plot of bench/growth: a small chart for each question, both axes logarithmic."""

import textwrap
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt

#: Told apart by colour-blind readers too.
COLOURS = {"Frostpane": "#0f6b8f", "DuckDB": "#c98a00", "ClickHouse": "#8a8f98"}
OTHER = "#444444"
#: By number of threads.
DASHES = {"1": (0, (1, 1.5)), "2": "solid"}
COLUMNS = 4
GOAL_MS = 1000


def draw(found: dict, path: Path):
    # Text stays text, and the same figures make the same file.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "growth", "font.size": 8, "font.family": "sans-serif"})
    questions = found["questions"]
    rows = -(-len(questions) // COLUMNS)
    figure, axes = plt.subplots(rows, COLUMNS, figsize=(11, 2.3 * rows + 0.6), sharex=True, sharey=True, squeeze=False)
    for axis in axes.flat[len(questions) :]:
        axis.set_visible(False)
    for axis, (name, engines) in zip(axes.flat, questions.items()):
        chart(axis, name, engines)
    for axis in axes[-1]:
        axis.set_xlabel("events")
    handles = {handle.get_label(): handle for axis in axes.flat for handle in axis.get_legend_handles_labels()[0]}
    figure.legend(handles.values(), handles.keys(), loc="lower center", ncols=len(handles), frameon=False)
    figure.tight_layout(rect=(0, 0.3 / figure.get_figheight(), 1, 1))
    figure.savefig(path, metadata={"Date": None, "Title": "How the cost of each question grows"})
    plt.close(figure)


def chart(axis, name: str, engines: dict):
    axis.set(xscale="log", yscale="log")
    sizes = sorted({events for lines in engines.values() for points in lines.values() for events, _ in points})
    axis.set_xticks(sizes, [count_text(events) for events in sizes])
    axis.yaxis.set_major_formatter(lambda milliseconds, _: time_text(milliseconds))
    axis.minorticks_off()
    axis.set_title(textwrap.fill(name, 34), fontsize=8, loc="left")
    axis.axhline(GOAL_MS, color="#cc4444", linewidth=0.6)
    axis.grid(True, which="major", color="#e4e6ea", linewidth=0.5)
    axis.spines[["top", "right"]].set_visible(False)
    # Frostpane last, so that it lies on top.
    for engine in sorted(engines, key=lambda engine: engine == "Frostpane"):
        for threads, points in engines[engine].items():
            label = f"{engine}, {threads} thread{'' if threads == '1' else 's'}"
            style = {"color": COLOURS.get(engine, OTHER), "linestyle": DASHES.get(threads, "dashed"), "label": label}
            axis.plot(*zip(*points), marker="o", markersize=2.5, linewidth=1.3, **style)


def count_text(events: int) -> str:
    return f"{events / 1e6:g} M" if events >= 1e6 else f"{events:,}"


def time_text(milliseconds: float) -> str:
    return f"{milliseconds / 1000:g} s" if milliseconds >= 1000 else f"{milliseconds:g} ms"
