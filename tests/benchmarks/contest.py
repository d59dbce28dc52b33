"""Contestants in processes of their own, which take turns every few hundredths of a second.

The speed of a machine that others use too changes from one second to the next. Who takes turns so often meets the same
speed as the others; who waits is stopped, all threads of it, so that it does not take time from who runs.
"""

import json
import random
import signal
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from .workloads import WORKLOADS

ROOT = Path(__file__).parents[2]
IN_A_ROW = 10  # turns that a median is taken of: a machine that others use too is quiet for a second, not for a minute


class Contestant:
    """A process that is stopped while others have their turn; where a system cannot stop it, it waits for its own."""

    def __init__(self, workload, name, errors):
        """errors is the open file that its messages go to, not a pipe, where many warnings would get stuck."""
        command = [sys.executable, "-m", "tests.benchmarks.measure", workload, name]
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        self.process = subprocess.Popen(command, cwd=ROOT, text=True, **pipes)
        self.errors, self.times = errors, []
        self.error = None
        self.answer = self.hear() or {}  # once it is ready
        self.able = self.answer.pop("able", False)
        self.pause()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.process.kill()
        self.process.communicate()

    def hear(self):
        """The next line that it prints; None, with its error kept, if it has ended."""
        if line := self.process.stdout.readline():
            return json.loads(line)
        code = self.process.wait()
        self.errors.seek(0)
        self.error = (self.errors.read().strip().splitlines() or [f"exit code {code}"])[-1]
        return None

    def send(self, name):
        """Send the signal of this name, if the system has it and the process is alive."""
        if hasattr(signal, name) and self.process.poll() is None:
            self.process.send_signal(getattr(signal, name))

    def pause(self):
        self.send("SIGSTOP")

    def turn(self):
        """Let it measure once."""
        self.send("SIGCONT")
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        if time := self.hear():
            self.times.append(time)
        self.pause()

    def report(self):
        """{"result": ..., "measured": its best median, "times": all}, or {"error": the last line of its traceback}."""
        if self.error:
            return {"error": self.error}
        medians = [statistics.median(self.times[i : i + IN_A_ROW]) for i in range(0, len(self.times), IN_A_ROW)]
        return {**self.answer, "measured": min(medians, default=None), "times": self.times}


def contest(workload, names):
    """{contestant: report} of one round, in which all of them, each in a new process, take turns.

    The order is another each time: a machine may be slower after one of them than after another.
    """
    with ExitStack() as stack:
        contestants = {}
        for name in names:
            errors = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8"))
            contestants[name] = stack.enter_context(Contestant(workload, name, errors))
        for _ in range(WORKLOADS[workload].turns):
            for contestant in random.sample(list(contestants.values()), len(contestants)):
                if contestant.able and not contestant.error:
                    contestant.turn()
        return {name: contestant.report() for name, contestant in contestants.items()}


def compete(workload, names, rounds):
    """{contestant: its best report, with "ratio", theirs / ours: the median of all turns}.

    In several rounds, as a process may be unlucky with where its memory lies. Turns are compared one by one: who has
    the same turn meets the same speed, while two best medians may be of a quiet second and of a busy one.
    """
    names = [name for name in names if name in WORKLOADS[workload].contestants()]
    heard = {name: [] for name in names}
    for _ in range(rounds):
        for name, report in contest(workload, names).items():
            heard[name].append(report)
        names = [name for name in names if heard[name][-1].get("measured")]  # who cannot do it is asked once
    answers = {name: best(reports) for name, reports in heard.items()}
    for name in answers.keys() - {"ours"}:
        ratios = [theirs / ours for theirs, ours in zip(times(heard[name]), times(heard["ours"]))]
        answers[name]["ratio"] = statistics.median(ratios) if ratios else None
    return answers


def times(reports):
    """The times of all turns in several reports."""
    return [time for report in reports for time in report.get("times", [])]


def best(reports):
    """The quickest of several reports, without its times; the first error if there was one."""
    failed = [report for report in reports if "error" in report]
    report = failed[0] if failed else min(reports, key=lambda report: report["measured"] or 0)
    return {key: value for key, value in report.items() if key != "times"}
