"""A tour of the engine: a session at the Python prompt, every answer computed as it is printed.

    python -m demos.tour [--seed 0] [--out FOLDER] [--quick]

NumPy goes in, derivatives come out. The lines below can be typed as they stand; what the tour prints under them is what
Python answered just now. Two pictures follow: the graph of y, and a function with its first three derivatives.
"""

import ast
import textwrap
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import numpy as np

import viz
from autograd import functional

from .common import Findings, arguments, picture

SESSION = """\
# 1. An array that remembers: NumPy's own functions compute with it, and it knows what they did.
import numpy as np
from autograd import Tensor, call, functional, grad, gradcheck, no_grad, op, steps
x = Tensor([0.0, 1.0, 2.0], requires_grad=True, name="x")
y = np.sum(x * np.exp(x))
y

# 2. How much does y change with each number in x? By the product rule, (1 + x) exp(x).
y.backward()
x.grad
np.allclose(x.grad, (1 + x.data) * np.exp(x.data))

# 3. Broadcasting is undone by itself: b was added to three rows, so it collects from three.
b = Tensor([10.0, 20.0], requires_grad=True)
np.sum(np.ones((3, 2)) * [1.0, 5.0] * b).backward()
b.grad

# 4. The backward pass one contribution at a time: a is used three times, and its parts add up to 2 a + 1.
a = Tensor(3.0, requires_grad=True, name="a")
for step in steps(a * a + a):
    print(step)

# 5. A derivative is a Tensor too, and has derivatives: of a^3 they are 3 a^2, 6 a, 6.
first, = grad(a**3, a, create_graph=True)
second, = grad(first, a, create_graph=True)
third, = grad(second, a)
first.item(), second.item(), third.item()
functional.hessian(np.prod)(np.array([1.0, 2.0, 3.0]))

# 6. Whatever NumPy computes: the gradient of log |det A| is the inverse of A, transposed.
A = Tensor([[2.0, 1.0], [0.0, 4.0]], requires_grad=True)
np.linalg.slogdet(A)[1].backward()
A.grad
np.linalg.inv(A.data).T

# 7. A new operation is its function and, beside it, its derivative. gradcheck compares with finite differences.
cube = op(lambda x: x * x * x, lambda g, y, x: g * 3 * x * x, name="cube", at=[call((3,))])
cube(x)
gradcheck(cube)

# 8. What would lose a gradient is refused, and the error says what to write instead.
x[0] = 5.0

# 9. So learning is a short loop. The points lie on t = 2 u + 1, but for a little noise.
rng = np.random.default_rng(seed)
u = rng.uniform(-1, 1, 100)
t = 2 * u + 1 + rng.normal(0, 0.01, 100)
w, c = Tensor(0.0, requires_grad=True), Tensor(0.0, requires_grad=True)
for _ in range(200):
    slopes = grad(np.mean(np.square(w * u + c - t)), [w, c])
    with no_grad():
        w -= 0.5 * slopes[0]
        c -= 0.5 * slopes[1]
w, c
"""


def replay(session, names):
    """Run a session statement by statement and print it as the prompt would; gives what was answered to each."""
    lines, answers, end = session.splitlines(), {}, 0
    for statement in ast.parse(session).body:
        for remark in lines[end : statement.lineno - 1]:
            print(remark.removeprefix("# "))
        end = statement.end_lineno or end
        source = lines[statement.lineno - 1 : end]
        print("   >>>", "\n   ... ".join(source))
        with redirect_stdout(StringIO()) as printed:
            try:
                exec(compile(ast.Interactive([statement]), "<tour>", "single"), names)
            except Exception as error:  # as the prompt does: say it and go on
                print(textwrap.fill(f"{type(error).__name__}: {error}", 112))
        answers["\n".join(source)] = printed.getvalue()
        print(textwrap.indent(printed.getvalue(), "   "), end="")
    return answers


def main(argv=None):
    args = arguments(__doc__, argv)
    names: dict[str, Any] = {}
    answers = replay(SESSION.replace("seed", str(args.seed)), names)
    found = Findings(answers=answers, w=names["w"].item(), c=names["c"].item())

    try:
        print("\n   written:", viz.draw(names["y"]).save(args.out / "tour.svg"))
    except viz.LayoutError as error:
        print("\n   left out: tour.svg.", error)

    x = np.linspace(-3, 3, 301)
    functions = [lambda x: x * np.exp(-x * x)]
    for _ in range(3):  # the derivatives of the sum of all f(x_i) are the f'(x_i)
        functions.append(functional.gradient(lambda x, f=functions[-1]: np.sum(f(x))))

    def draw(axes):
        for order, (f, style) in enumerate(zip(functions, ["-", "--", "-.", ":"])):
            axes.plot(x, f(x), style, label="f" + "'" * order, linewidth=2)
        axes.set(xlabel="x", ylabel="value", title="f(x) = x exp(-x$^2$) and its derivatives, by the engine")
        axes.legend()

    picture(args.out / "tour.png", draw, size=(6.5, 4))
    return found


if __name__ == "__main__":
    main()
