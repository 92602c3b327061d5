"""Asking, comparing and timing."""

import sys
import time

import machine
from frostpane import Refused

#: What an engine that cannot answer ends with; the question then counts as answered differently.
FAILURES = (Refused, AssertionError, KeyError)


def compare(engines: list, questions: list) -> set[str]:
    """Asks everything once, which also warms the engines; names of the questions that are answered differently."""
    differing = set()
    for question in questions:
        print(f"comparing: {question.name}", file=sys.stderr)
        answers = []
        for engine in engines:
            try:
                answers.append((engine.name, engine.ask(question)))
            except FAILURES as failure:
                print(f"{question.name}: {engine.name}: {failure!r}", file=sys.stderr)
                differing.add(question.name)
        for name, answer in answers[1:]:
            if answer != answers[0][1]:
                print(f"{question.name}: {name} and {answers[0][0]} differ", file=sys.stderr)
                print(f"  {answers[0][0]}: {answers[0][1]}\n  {name}: {answer}", file=sys.stderr)
                differing.add(question.name)
    return differing


def warm(engines: list, questions: list, runs: int) -> dict:
    """Wall and processor seconds by question and engine; engines take turns, so that noise strikes all alike."""
    times: dict[str, dict[str, list]] = {question.name: {} for question in questions}
    # Once without the clock: the number of threads may have changed, and with it what is in memory.
    for question in questions if runs else []:
        for engine in engines:
            ask(engine, question)
    for done in range(runs):
        print(f"warm run {done + 1} of {runs}", file=sys.stderr)
        for question in questions:
            for engine in engines:
                record(times, question, engine)
    return times


def cold(engines: list, questions: list, runs: int) -> dict:
    """The same, each time with nothing in memory: engine closed, page cache dropped, engine opened. Opening is not timed.

    Without --cold-runs, or where the page cache cannot be dropped, there are no times.
    """
    times: dict[str, dict[str, list]] = {question.name: {} for question in questions}
    for done in range(runs):
        print(f"cold run {done + 1} of {runs}", file=sys.stderr)
        for question in questions:
            for engine in engines:
                if engine.name == "reference":
                    continue
                engine.close()
                dropped = machine.drop_page_cache()
                engine.open()
                if not dropped:
                    return times
                record(times, question, engine)
    return times


def ask(engine, question) -> bool:
    try:
        engine.ask(question)
    except FAILURES:
        return False
    return True


def record(times: dict, question, engine):
    cpu, began = engine.cpu_seconds(), time.perf_counter()
    if ask(engine, question):
        wall_s = time.perf_counter() - began
        times[question.name].setdefault(engine.name, []).append([wall_s, engine.cpu_seconds() - cpu])
