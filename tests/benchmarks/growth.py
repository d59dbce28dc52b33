"""How much more an operation costs, forward and backward, in a graph of 1,000,000 nodes than in one of 1,000."""

from time import perf_counter

SMALL, LARGE = 1_000, 1_000_000


def ours():
    from autograd import Tensor

    a = Tensor(0.5, requires_grad=True)

    def step(n=SMALL):
        """n operations on one number, and the way back."""
        y = a
        for _ in range(n // 2):
            y = y * 0.999 + 0.001
        y.backward()
        a.grad = None

    return step


def ratio(step):
    """Time for each operation in the large graph over that in the small one: the best of several runs of each."""

    def best(n, times):
        runs = []
        for _ in range(times):
            start = perf_counter()
            step(n)
            runs.append((perf_counter() - start) / n)
        return min(runs)

    return best(LARGE, 3) / best(SMALL, 200)
