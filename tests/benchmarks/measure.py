"""One contestant on one workload, in this process: `python -m tests.benchmarks.measure xor ours`.

It prints JSON when it is ready, and a number for each line that it reads: what was measured in that turn.
"""

import json
import sys
from time import perf_counter

import numpy as np

STEPS_COMPARED = 10
TOLERANCE = 1e-5  # relative. Ten float32 steps leave up to 2e-6; forgetting the gradient even of one bias, 3e-5


def mean_time(step, seconds):
    """Seconds per step, over as many as it takes to fill `seconds`, but at least one.

    Many, where steps are short: the garbage collector stays on, and who makes reference cycles pays for them.
    """
    count, passed, start = 0, 0.0, perf_counter()
    while not count or passed < seconds:
        step()
        count, passed = count + 1, perf_counter() - start
    return passed / count


def turn(step):
    """Seconds per step, over about 20 ms, after 2 ms that do not count.

    In these, what the first step compiles is compiled, and the caches fill again that others have used.
    """
    mean_time(step, 0.002)
    return mean_time(step, 0.02)


def result_of(step, times=STEPS_COMPARED):
    """One number that tells whether contestants did the same: the mean of what the last step returned."""
    for _ in range(times):
        result = step()
    values = result.detach() if hasattr(result, "detach") else result
    return float(np.mean(np.asarray(values), dtype=np.float64))


def main(name, contestant):
    from .workloads import WORKLOADS

    workload = WORKLOADS[name]
    result = None
    if workload.check is not None and (step := workload.prepare(contestant, **workload.check)):
        result = result_of(step)
    step = workload.prepare(contestant)
    print(json.dumps({"result": result, "able": step is not None}), flush=True)
    for _ in sys.stdin:
        print(workload.measure(step), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
