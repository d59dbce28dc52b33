"""Values, gradients and second derivatives against PyTorch's, where that is installed.

float64 has 16 digits; a relative error of 1e-12 leaves four of them for the order in which two libraries compute.
"""

import numpy as np
import pytest

import autograd
from autograd import Op, Tensor, grad
from autograd.operations import samples, table

torch = pytest.importorskip("torch")
F, activations, special = torch.nn.functional, autograd.activations, autograd.special

alike = """
    add subtract multiply divide power float_power negative positive absolute square sqrt reciprocal exp exp2 expm1
    log log2 log10 log1p sin cos tan arcsin arccos arctan arctan2 sinh cosh tanh arcsinh arccosh arctanh hypot
    logaddexp logaddexp2 maximum minimum fmax fmin
    sinc deg2rad rad2deg remainder fmod sign floor ceil trunc fliplr flipud ravel inner kron
"""  # the names that both have


def on_spd(f):
    """f of a positive definite matrix made of the given one."""
    return lambda x: f(x @ x.T + 3 * np.eye(3)) if not isinstance(x, torch.Tensor) else f(x @ x.T + 3 * torch.eye(3))


pairs = {
    "sum": (lambda x: np.sum(x, axis=0), lambda x: x.sum(0), [(3, 4)]),
    "mean": (lambda x: np.mean(x, axis=1), lambda x: x.mean(1), [(3, 4)]),
    "prod": (lambda x: np.prod(x, axis=1), lambda x: x.prod(1), [(3, 4)]),
    "var": (lambda x: np.var(x, axis=1, ddof=1), lambda x: x.var(1), [(3, 4)]),
    "std": (lambda x: np.std(x, axis=1, ddof=1), lambda x: x.std(1), [(3, 4)]),
    "max": (lambda x: np.max(x, axis=1), lambda x: x.amax(1), [(3, 4)]),
    "cumsum": (lambda x: np.cumsum(x, 1), lambda x: x.cumsum(1), [(3, 4)]),
    "cumprod": (lambda x: np.cumprod(x, 1), lambda x: x.cumprod(1), [(3, 4)]),
    "median": (lambda x: np.median(x, axis=1), lambda x: x.median(1).values, [(3, 5)]),
    "nansum": (np.nansum, torch.nansum, [(3, 4)]),
    "sort": (np.sort, lambda x: x.sort().values, [(3, 4)]),
    "diff": (np.diff, torch.diff, [(3, 4)]),
    "roll": (lambda x: np.roll(x, 2, 1), lambda x: x.roll(2, 1), [(3, 4)]),
    "rot90": (lambda x: np.rot90(x, 3), lambda x: x.rot90(3), [(3, 4)]),
    "tril": (lambda x: np.tril(x, -1), lambda x: x.tril(-1), [(3, 4)]),
    "squeeze": (lambda x: np.squeeze(x, 1), lambda x: x.squeeze(1), [(3, 1, 4)]),
    "tile": (lambda x: np.tile(x, (2, 3)), lambda x: x.tile((2, 3)), [(3, 4)]),
    "repeat": (lambda x: np.repeat(x, 2, 0), lambda x: x.repeat_interleave(2, 0), [(3, 4)]),
    "where": (lambda x, y: np.where(x > y, x, y), lambda x, y: torch.where(x > y, x, y), [(3, 4), (4,)]),
    "clip": (lambda x: np.clip(x, -1, 1), lambda x: x.clamp(-1, 1), [(3, 4)]),
    "clip by arrays": (np.clip, torch.clamp, [(3, 4), (4,), (3, 1)]),
    "matmul": (np.matmul, torch.matmul, [(2, 3, 4), (4, 5)]),
    "matmul of vectors": (np.matmul, torch.matmul, [(2, 3, 4), (4,)]),
    "vdot": (np.vdot, torch.vdot, [(3,), (3,)]),
    "tensordot": (np.tensordot, lambda a, b: torch.tensordot(a, b, 2), [(2, 3, 4), (3, 4, 2)]),
    "einsum": (
        lambda a, b: np.einsum("bij,kj->bik", a, b),
        lambda a, b: torch.einsum("bij,kj->bik", a, b),
        [(2, 3, 4), (5, 4)],
    ),
    "cross": (np.cross, lambda a, b: torch.cross(a, b, dim=-1), [(2, 3), (2, 3)]),
    "inv": (np.linalg.inv, torch.linalg.inv, [(3, 3)]),
    "solve": (np.linalg.solve, torch.linalg.solve, [(3, 3), (3, 2)]),
    "det": (np.linalg.det, torch.linalg.det, [(3, 3)]),
    "slogdet": (lambda x: np.linalg.slogdet(x)[1], lambda x: torch.linalg.slogdet(x)[1], [(3, 3)]),
    "pinv": (np.linalg.pinv, torch.linalg.pinv, [(4, 3)]),
    "cholesky": (on_spd(np.linalg.cholesky), on_spd(torch.linalg.cholesky), [(3, 3)]),
    "eigvalsh": (on_spd(np.linalg.eigvalsh), on_spd(torch.linalg.eigvalsh), [(3, 3)]),
    "eigh": (
        on_spd(lambda x: np.linalg.eigh(x).eigenvectors ** 2),
        on_spd(lambda x: torch.linalg.eigh(x).eigenvectors ** 2),
        [(3, 3)],
    ),
    "svdvals": (np.linalg.svdvals, torch.linalg.svdvals, [(4, 3)]),
    "svd": (
        lambda x: np.linalg.svd(x, full_matrices=False).U ** 2,
        lambda x: torch.linalg.svd(x, full_matrices=False).U ** 2,
        [(4, 3)],
    ),
    "norm": (np.linalg.norm, torch.linalg.norm, [(3, 4)]),
    **{
        f"norm {p}": (
            lambda x, p=p: np.linalg.norm(x, p, axis=1),
            lambda x, p=p: torch.linalg.vector_norm(x, p, dim=1),
            [(3, 4)],
        )
        for p in (0.5, 1, 2, 3, np.inf, -np.inf)
    },
    **{
        f"matrix norm {p}": (lambda x, p=p: np.linalg.norm(x, p), lambda x, p=p: torch.linalg.norm(x, p), [(3, 4)])
        for p in ("fro", "nuc", 1, 2, np.inf)
    },
    "erf": (special.erf, torch.erf, [(3, 4)]),
    "expit": (special.expit, torch.sigmoid, [(3, 4)]),
    "xlogy": (lambda x, y: special.xlogy(x, y * y), lambda x, y: torch.xlogy(x, y * y), [(3, 4), (4,)]),
    "softmax": (lambda x: special.softmax(x, axis=1), lambda x: x.softmax(1), [(3, 4)]),
    "log_softmax": (lambda x: special.log_softmax(x, axis=1), lambda x: x.log_softmax(1), [(3, 4)]),
    "logsumexp": (lambda x: special.logsumexp(x, axis=1), lambda x: x.logsumexp(1), [(3, 4)]),
    "relu": (activations.relu, F.relu, [(3, 4)]),
    "leaky_relu": (activations.leaky_relu, F.leaky_relu, [(3, 4)]),
    "elu": (lambda x: activations.elu(x, alpha=0.7), lambda x: F.elu(x, alpha=0.7), [(3, 4)]),
    "softplus": (
        lambda x: activations.softplus(x, beta=2, threshold=3),
        lambda x: F.softplus(x, beta=2, threshold=3),
        [(3, 4)],
    ),
    "silu": (activations.silu, F.silu, [(3, 4)]),
    "gelu": (activations.gelu, F.gelu, [(3, 4)]),
    "gelu, tanh": (
        lambda x: activations.gelu(x, approximate="tanh"),
        lambda x: F.gelu(x, approximate="tanh"),
        [(3, 4)],
    ),
}
on = dict.fromkeys(pairs, (-2.0, 2.0))
for name in alike.split():
    function, theirs = getattr(np, name), getattr(torch, "pow" if name == "power" else name)
    entry = table[function]
    arity = len(entry.rules) if isinstance(entry, Op) else len(samples[function][0][0].args)
    pairs[name] = function, theirs, [(3, 4), (2, 4) if name in ("inner", "kron") else (4,)][:arity]
    on[name] = entry.on if isinstance(entry, Op) else (-2.0, 2.0)


def close(found, expected):
    expected = expected.numpy(force=True)
    scale = np.max(np.abs(expected), initial=1e-300)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * max(scale, 1))


@pytest.fixture(autouse=True)
def double():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("name", pairs)
def test_values_gradients_and_second_derivatives_are_pytorchs(name):
    ours, theirs, shapes = pairs[name]
    rng = np.random.default_rng(4)
    arrays = [rng.uniform(*on[name], shape) for shape in shapes]
    xs = [Tensor(a, requires_grad=True) for a in arrays]
    ts = [torch.tensor(a, requires_grad=True) for a in arrays]
    x, t = ours(*xs), theirs(*ts)
    close(x.data, t)

    weights = rng.uniform(0.5, 1.5, x.shape)
    first = grad(np.sum(x * weights), xs, create_graph=True)
    firsts = torch.autograd.grad((t * torch.tensor(weights)).sum(), ts, create_graph=True, materialize_grads=True)
    for a, b in zip(first, firsts):
        close(a.data, b)

    total = sum(np.sum(a * a) for a in first)
    totals = sum((b * b).sum() for b in firsts)
    if not isinstance(total, Tensor) or not total.requires_grad or not totals.requires_grad:
        return
    second = grad(total, xs, allow_unused=True)
    seconds = torch.autograd.grad(totals, ts, materialize_grads=True)
    for a, b in zip(second, seconds):
        close(np.zeros(b.shape) if a is None else a.data, b)


points = {
    "abs": (np.abs, torch.abs, [0.0, 1]),
    "sign": (np.sign, torch.sign, [0.0, 1]),
    "round": (np.round, torch.round, [0.0, 0.5]),
    "max": (np.max, torch.amax, [1.0, 3, 3]),
    "maximum": (
        lambda x: np.maximum(x, x.data[::-1].copy()),
        lambda x: torch.maximum(x, x.detach().flip(0)),
        [1.0, 3, 1],
    ),
    "clip": (lambda x: np.clip(x, -1, 1), lambda x: x.clamp(-1, 1), [-1.0, 0, 1, 2]),
    "norm": (np.linalg.norm, torch.linalg.norm, [0.0, 0]),
    "norm 1": (lambda x: np.linalg.norm(x, 1), lambda x: torch.linalg.norm(x, 1), [0.0, 1]),
    "norm ∞": (lambda x: np.linalg.norm(x, np.inf), lambda x: torch.linalg.norm(x, np.inf), [-3.0, 3, 1]),
    "x⁰": (lambda x: x**0, lambda x: x**0, [0.0, 2]),
    "x¹": (lambda x: x**1, lambda x: x**1, [0.0, -2]),
    "x²": (lambda x: x**2, lambda x: x**2, [0.0, -2]),
    "0ˣ": (lambda x: np.power(0.0, x), lambda x: torch.pow(torch.zeros(()), x), [0.0, 1, 2]),
    "prod": (np.prod, torch.prod, [0.0, 2, 3]),
    "cumprod": (np.cumprod, lambda x: x.cumprod(0), [2.0, 0, 3, 0]),
    "sinc": (np.sinc, torch.sinc, [0.0, 1]),
    "xlogy": (lambda x: special.xlogy(x, 0.0), lambda x: torch.xlogy(x, torch.zeros(())), [0.0]),
    "std": (np.std, lambda x: x.std(correction=0), [1.0, 1]),
    "arctan2": (lambda x: np.arctan2(x, 0.0), lambda x: torch.atan2(x, torch.zeros(())), [0.0, 1]),
    "nan_to_num": (np.nan_to_num, torch.nan_to_num, [np.nan, np.inf, 1]),
    "relu": (activations.relu, F.relu, [0.0, -1000, 1000]),
    "leaky_relu": (activations.leaky_relu, F.leaky_relu, [0.0, -1000, 1000]),
    "elu": (activations.elu, F.elu, [0.0, -1000, 1000]),
    "softplus": (activations.softplus, F.softplus, [20.0, -1000, 1000]),
    "silu": (activations.silu, F.silu, [0.0, -1000, 1000]),
    "gelu": (activations.gelu, F.gelu, [0.0, -1000, 1000]),
    "logsumexp": (special.logsumexp, lambda x: x.logsumexp(0), [1000.0, -1000, 900]),
    "eigvalsh": (np.linalg.eigvalsh, torch.linalg.eigvalsh, [[1.0, 0], [0, 1]]),
}


@pytest.mark.parametrize(("ours", "theirs", "point"), points.values(), ids=points)
def test_conventions_are_pytorchs(ours, theirs, point):
    x, t = Tensor(np.array(point), requires_grad=True), torch.tensor(point, requires_grad=True)
    (expected,) = torch.autograd.grad(theirs(t).sum(), t)
    np.testing.assert_allclose(grad(np.sum(ours(x)), x)[0].data, (expected + 0).numpy(), rtol=1e-12, atol=1e-15)


every = np.array(np.meshgrid([0.0, 1, 2], [0.0, 1, 2], [0.0, 1, 2])).reshape(3, -1)
some = np.array(np.meshgrid([0.0, 2], [-1.0, 0, 0.5, 3])).reshape(2, -1)
ties = {"clip": (np.clip, torch.clamp, every), "xlogy": (special.xlogy, torch.xlogy, some)}


@pytest.mark.parametrize(("ours", "theirs", "arguments"), ties.values(), ids=ties)
def test_conventions_are_pytorchs_in_every_argument(ours, theirs, arguments):
    xs, ts = [Tensor(x, requires_grad=True) for x in arguments], torch.tensor(arguments, requires_grad=True)
    with np.errstate(all="ignore"):
        found = grad(np.sum(ours(*xs)), xs)
    (expected,) = torch.autograd.grad(theirs(*ts).sum(), ts)
    np.testing.assert_array_equal([g.data for g in found], expected.numpy())
