"""One contestant on one workload, in this process: `python -m tests.benchmarks.measure xor ours` prints JSON."""

import json
import statistics
import sys
from time import perf_counter

import numpy as np

STEPS_COMPARED = 10
TOLERANCE = 1e-5  # relative. Ten float32 steps leave up to 2e-6; forgetting the gradient even of one bias, 3e-5


def mean_time(step, count):
    """Seconds per step, over `count` steps."""
    start = perf_counter()
    for _ in range(count):
        step()
    return (perf_counter() - start) / count


def median_time(step, warm_up=0.2, seconds=0.6, block=0.01):
    """The median over blocks of about 10 ms of the seconds that a step takes.

    Blocks, not single steps: the garbage collector stays on, and who makes reference cycles pays for them.
    """
    step()  # whatever is compiled or imported at the first call
    once = mean_time(step, 2)
    each = mean_time(step, 1 + int(warm_up / once))
    count = 1 + int(block / each)
    return statistics.median(mean_time(step, count) for _ in range(5 + int(seconds / (count * each))))


def result_of(step, times=STEPS_COMPARED):
    """One number that tells whether contestants did the same: the mean of what the last step returned."""
    for _ in range(times):
        result = step()
    values = result.detach() if hasattr(result, "detach") else result
    return float(np.mean(np.asarray(values), dtype=np.float64))


def main(name, contestant):
    from .workloads import WORKLOADS

    workload = WORKLOADS[name]
    answer = {"result": None, "measured": None}
    if workload.check is not None and (step := workload.prepare(contestant, **workload.check)):
        answer["result"] = result_of(step)
    if step := workload.prepare(contestant):
        answer["measured"] = workload.measure(step)
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
