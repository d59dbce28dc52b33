"""python -m tests.benchmarks: a table of who needs how long, with the ratio theirs / ours."""

import argparse
import cProfile
import importlib.metadata
import importlib.util
import json
import os
import platform
import pstats
import subprocess
import sys
from pathlib import Path

import numpy as np

from demos.readme import write

from .contest import compete
from .measure import TOLERANCE, mean_time
from .workloads import CONTESTANTS, WORKLOADS

PROFILED = [name for name in WORKLOADS if name != "import"]  # of which Python itself tells: python -X importtime
THREAD_VARIABLES = "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"


def installed():
    """The contestants that can be tried here; ours always can."""
    return [name for name, package in CONTESTANTS.items() if package is None or importlib.util.find_spec(package)]


def processor():
    """The processor's name as the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def machine(names):
    """What a reader must know to judge the numbers: machine, load, versions, threads."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    threads = {variable: os.environ.get(variable, "unset") for variable in THREAD_VARIABLES}
    packages = [CONTESTANTS[name] for name in names if CONTESTANTS[name]]
    if "pytorch" in names:
        command = [sys.executable, "-c", "import torch; print(torch.get_num_threads())"]
        threads["torch.get_num_threads()"] = subprocess.check_output(command, text=True).strip()
    return {
        "system": platform.platform(),
        "processor": processor(),
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "blas": f"{blas['name']} {blas['version']}",
        "versions": {package: importlib.metadata.version(package) for package in packages},
        "threads": threads,
    }


def header(about, rounds, missing):
    """The same as text."""
    together = lambda pairs, sign: ", ".join(f"{name}{sign}{value}" for name, value in pairs.items())
    yield f"A whole step: best median of ten turns in {rounds} processes; in brackets theirs / ours, median of all"
    yield f"{about['processor']}, {about['cpus']} CPUs, load {about['load']} at the start, {about['system']}"
    yield f"Python {about['python']}, {together(about['versions'], ' ')}; NumPy's BLAS: {about['blas']}"
    yield f"Threads: each library's default; {together(about['threads'], '=')}"
    for name in missing:
        yield f"Not installed: {name} ({CONTESTANTS[name]})"


def amount(value, unit):
    """'2570 us', '12.4 MB', '1.21'."""
    if unit == "s":
        value, unit = (value * 1e3, "ms") if value >= 0.01 else (value * 1e6, "us")
    elif unit == "MB":
        value /= 1e6
    return f"{value:.{0 if value >= 100 else 2 if unit == 'x' else 1}f} {unit}"


def cell(answer, unit):
    """'2570 us (6.90)'; '-' for who has no listing or lacks what it takes."""
    if "error" in answer:
        return "not available"
    if not answer.get("measured"):
        return "-"
    ratio = f"({answer['ratio']:.2f})" if answer.get("ratio") else ""
    return f"{amount(answer['measured'], unit)} {ratio:>8}"


def cells(name, results, names):
    """A line of the table, in parts."""
    return [cell(results.get(other, {}), WORKLOADS[name].unit) for other in names]


def row(name, results, names):
    """A line of the table."""
    return (f"{name:12}" + "".join(f"{text:>19}" for text in cells(name, results, names))).rstrip()


def markdown(saved):
    """The table for the README, from what --json saved."""
    about, results = saved["machine"], saved["results"]
    names = [name for name in CONTESTANTS if any(name in answers for answers in results.values())]
    lines = ["| | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    for workload, answers in results.items():
        parts = (" ".join(text.split()) for text in cells(workload, answers, names))
        lines.append(f"| {WORKLOADS[workload].about} | {' | '.join(parts)} |")
    return "\n".join([*lines, "", ".\n".join(header(about, saved["rounds"], [])) + "."])


def complaints(name, results):
    """What was not available and why, and whose result differs from the first one's."""
    for contestant, answer in results.items():
        if "error" in answer:
            yield f"{name}, {contestant}: not available: {answer['error']}"
    computed = {contestant: answer.get("result") for contestant, answer in results.items()}
    values = {contestant: value for contestant, value in computed.items() if value is not None}
    for contestant, value in values.items():
        reference = next(iter(values.values()))
        if not abs(value - reference) <= TOLERANCE * abs(reference):  # so that NaN differs too
            yield f"{name}, {contestant}: DIFFERENT RESULT: {value} instead of {reference}"


def profile(workload, seconds=1.0):
    """Prints where our time goes: functions by their own time, over so many seconds of steps."""
    step = WORKLOADS[workload].prepare("ours")
    step()
    with cProfile.Profile() as profiler:
        mean_time(step, seconds)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(25)


def arguments():
    epilog = "workloads:\n" + "\n".join(f"  {name:12} {workload.about}" for name, workload in WORKLOADS.items())
    parser = argparse.ArgumentParser("python -m tests.benchmarks", description=__doc__, epilog=epilog)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", nargs="+", choices=WORKLOADS, metavar="NAME", help="only these workloads")
    parser.add_argument("--rounds", type=int, default=5, help="new processes for each contestant (default: 5)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="save the results")
    parser.add_argument("--readme", type=Path, metavar="FILE", help="only write what FILE saved to README.md")
    parser.add_argument("--profile", choices=PROFILED, metavar="NAME", help="profile our step instead")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    if options.json and not options.json.parent.is_dir():
        parser.error(f"--json: there is no folder {options.json.parent}")
    return options


def main():
    options = arguments()
    if options.profile:
        return profile(options.profile)
    if options.readme:
        return write("speed", markdown(json.loads(options.readme.read_text())))

    chosen = options.only or list(WORKLOADS)
    names = installed()
    about = machine(names)
    print(*header(about, options.rounds, CONTESTANTS.keys() - names), "", sep="\n")
    print(f"{'':12}" + "".join(f"{name:>19}" for name in names), flush=True)
    results, remarks = {}, []
    for workload in chosen:
        results[workload] = compete(workload, names, options.rounds)
        remarks += complaints(workload, results[workload])
        print(row(workload, results[workload], names), flush=True)
    print("", *(f"{name:12} {WORKLOADS[name].about}" for name in chosen), "", *remarks, sep="\n")

    if options.json:
        options.json.write_text(json.dumps({"machine": about, "rounds": options.rounds, "results": results}, indent=2))
    return any("DIFFERENT" in remark for remark in remarks)


if __name__ == "__main__":
    sys.exit(main())
