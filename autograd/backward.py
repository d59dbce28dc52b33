"""The backward pass: gradients are pulled through the graph, from the result to the leaves.

If y = op(a, b) and g = dL/dy has arrived at y, the chain rule sends dL/da = g · ∂y/∂a to a and dL/db = g · ∂y/∂b to
b; each argument adds up what it is sent. Visiting every node after all nodes that use it, one visit each is enough:
that is backpropagation. Such a topological order need not be searched for: what uses a result was made after it.
"""

from __future__ import annotations

import operator
import sys
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from heapq import heappop, heappush
from typing import Any

import numpy as np

from .advice import described
from .anomaly import describe, nonfinite, refuse_edited, refuse_nonfinite
from .modes import enable_grad, modes
from .products import sum_of_rows
from .refusals import given, label, name, refuse_changed, refuse_freed, start
from .tensor import Tensor, at_once, changes, set_grad

__all__ = ["backward", "grad", "topological_order"]

arrays = (np.ndarray, np.generic, Tensor)
ndarray, total = np.ndarray, np.add.reduce  # looked up once per operation
references = sys.getrefcount


def held() -> int:
    """The references that `references` counts of what is in a dict and has a name, and nobody else holds."""
    arrived = {0: np.empty(0)}
    g = arrived[0]
    return references(g)


HELD = held()


def topological_order(*outputs: Tensor) -> list[Tensor]:
    """All tensors that outputs depend on and that require grad, each after everything it was computed from.

    The leaves come first, then the results of operations in the order in which they were made: nothing is made before
    what it is made from. The search keeps a stack of its own, so that no graph is too deep, and visits each node once.
    """
    for output in outputs:
        if not isinstance(output, Tensor):
            raise TypeError(f"topological_order() puts Tensors in order, not {type(output).__name__}: {output!r}.")
    seen = dict.fromkeys(outputs)  # for its keys: a set that keeps their order
    stack = list(seen)
    while stack:
        node = stack.pop()
        if node.op is not None and not node.needs:
            refuse_freed(node)
        for i in node.needs:
            x = node.inputs[i]
            if x not in seen:
                seen[x] = None
                stack.append(x)
    return [x for x in seen if x.op is None] + sorted((x for x in seen if x.op is not None), key=made)


made = operator.attrgetter("tick")  # when an operation's result was recorded


def pull(
    outputs: Sequence[Tensor],
    gradients: Sequence[Any],
    wanted: Any = None,
    create_graph: bool = False,
    freed: list[weakref.ref[Tensor]] | None = None,
    trace: list[Any] | None = None,
) -> tuple[list[Tensor], dict[Tensor, Any]]:
    """The leaves behind outputs, and the gradient that arrives at each tensor when `gradients` start at `outputs`.

    Visits what operations made from the newest to the oldest: `topological_order` backwards. Changes no `.grad`.

    wanted         the tensors that are asked for: only what lies between them and outputs is visited
    create_graph   compute with Tensors, so that the pass is recorded
    freed          drop the graph while going; it gets the operations that have a gradient of an earlier pass
    trace          gets a tuple for each contribution, the fields of a Step; hooks are then not called
    """
    if wanted is not None:
        wanted = between(topological_order(*outputs), wanted)
    watched = modes.anomaly
    careful = create_graph or watched or wanted is not None or trace is not None
    changed = changes[0]
    arrived: dict[Tensor, Any] = {}
    leaves: list[Tensor] = []
    newest: Any = None  # of what operations made and where something has arrived: it is to be visited next
    waiting: list[Tensor] = []  # others of these, oldest first
    older: list[tuple[int, Tensor]] = []  # a heap of those that were older than the newest when something arrived
    for node, g in zip(outputs, gradients):
        if node in arrived:
            arrived[node] = arrived[node] + g
        elif wanted is None or node in wanted:
            arrived[node] = g
            leaves.append(node) if node.op is None else heappush(older, (-node.tick, node))
    while newest is not None or older:  # what uses the newest is newer still, was visited, and has sent it everything
        if older and (newest is None or newest.tick < -older[0][0]):
            node = heappop(older)[1]
        else:
            node, newest = newest, waiting.pop() if waiting else None
        needs = node.needs
        if not needs:
            refuse_freed(node)
        if node.hooks and trace is None:
            arrived[node] = hooked(node, arrived[node])
            changed = changes[0]  # a hook may have changed tensors in place
        if node.tick < changed:
            refuse_changed(node)
        g = arrived[node]
        op: Any = node.op  # leaves are not among the nodes
        if careful or op.each is not None:
            for i, x, part in contributions(node, g, wanted, create_graph, watched):
                before = arrived.get(x)
                arrived[x] = part if before is None else before + part
                if watched and before is not None:
                    refuse_nonfinite(node, arrived[x], f"sent argument {i} what, with the rest, adds up to")
                if trace is not None:
                    trace.append((node, i, x, g, part, before, arrived[x]))
                if before is None:
                    leaves.append(x) if x.op is None else heappush(older, (-x.tick, x))
        else:  # the commonest case of `contributions`, written out for speed
            y, rules, two = node.array, op.rules, False
            values, inputs = node.values, node.inputs
            if node.extra is not None:
                kwargs, saved = node.extra
                args = (g, y, *values) if op.saves is None else (g, y, saved, *values)
            elif len(values) == 2:
                a, b = values
                two = True
            else:
                args, kwargs = (g, y, *values), {}
            for i in needs:
                part = rules[i](g, y, a, b) if two else rules[i](*args, **kwargs) if kwargs else rules[i](*args)
                x, value = inputs[i], values[i]
                if (
                    part.__class__ is not value.__class__
                    or part.__class__ is ndarray
                    and (part.shape != value.shape or part.dtype is not value.dtype)
                ):
                    part = fit(part, value, node, i)
                if x not in arrived:
                    arrived[x] = part
                    if x.op is None:
                        leaves.append(x)
                    elif newest is None:
                        newest = x
                    elif newest.tick < x.tick:
                        waiting.append(newest)
                        newest = x
                    else:
                        heappush(older, (-x.tick, x))
                    continue
                before = arrived[x]  # what nobody else holds, we may add to in place
                if before.__class__ is ndarray and references(before) == HELD and before.base is None:
                    before += part
                elif part.__class__ is ndarray and references(part) == HELD - 1 and part.base is None:
                    part += before
                    arrived[x] = part
                else:
                    arrived[x] = before + part
        if freed is not None:
            del arrived[node]
            if node.grad is not None:
                freed.append(weakref.ref(node))
            node.inputs, node.values, node.needs, node.extra, node.made_by = (), (), (), None, None
    for leaf in leaves if trace is None else ():
        if leaf.hooks:
            arrived[leaf] = hooked(leaf, arrived[leaf])
    return leaves, arrived


def contributions(
    node: Tensor, g: Any, wanted: Any = None, create_graph: bool = False, watched: bool = False
) -> Iterator[tuple[int, Tensor, Any]]:
    """What node sends to each input that needs a gradient, when g has arrived: position, input, gradient."""
    op: Any = node.op
    kwargs, saved = node.extra or ({}, None)
    if watched:
        refuse_edited(node)
    y, args = (node, node.inputs) if create_graph else (node.array, node.values)
    if op.saves is not None:
        args = (op.saves(*args, **kwargs) if create_graph else saved, *args)
    for i in node.needs:
        x = node.inputs[i]
        if wanted is not None and x not in wanted:
            continue
        try:
            part = op.each(g, y, i, *args, **kwargs) if op.each else op.rules[i](g, y, *args, **kwargs)
        except FloatingPointError as error:  # the rule is recorded, and watched itself
            raise FloatingPointError(f"In the derivative rule of {op.name}, {error}{describe(node)}") from None
        part = fit(part, node.values[i], node, i)
        if watched:
            refuse_nonfinite(node, part, "sent back")
        yield i, x, part


def between(nodes: list[Tensor], wanted: Sequence[Tensor]) -> set[Tensor]:
    """The tensors through which a gradient passes on its way to those wanted; nodes are in topological order."""
    found = set(wanted)
    for node in nodes:
        if any(node.inputs[i] in found for i in node.needs):
            found.add(node)
    return found


def fit(part: Any, value: Any, node: Tensor, i: int) -> Any:
    """part as a gradient of node's argument i, which had this value: of its shape and dtype."""
    if not isinstance(part, arrays):
        part = np.asarray(part)
    if part.dtype.kind not in "fiub":
        gave = described(part.item() if part.size == 1 else part)
        raise TypeError(f"The derivative rule of {name(node)} for argument {i} gave {gave}, no real numbers.")
    if part.shape != value.shape:
        part = unbroadcast(part, value.shape, node, i)
    if part.dtype is not value.dtype and part.dtype != value.dtype:
        part = part.astype(value.dtype)
    return part


def unbroadcast(part: Any, shape: tuple[int, ...], node: Tensor, i: int) -> Any:
    """part summed over the axes along which an argument of this shape was broadcast."""
    if len(shape) == 1 and part.shape[1:] == shape:
        return sum_of_rows(part)
    extra = part.ndim - len(shape)
    axes: Any = tuple(range(extra))
    if part.shape[extra:] != shape:
        if extra < 0 or any(n != m and n != 1 for n, m in zip(shape, part.shape[extra:])):
            raise ValueError(
                f"The derivative rule of {name(node)} for argument {i} gave shape {part.shape}, which does not fit an "
                f"argument of shape {shape}. A gradient has its argument's shape, or one that this broadcasts to."
            )
        axes += tuple(k + extra for k, n in enumerate(shape) if n != part.shape[k + extra])
    part = total(part, axes)
    return part if part.shape == shape else part.reshape(shape)


def hooked(node: Tensor, g: Any) -> Any:
    """g after node's hooks, which get an array of their own."""
    if g.__class__ is ndarray:
        g = g.copy()
    for hook in list(node.hooks.values()) if node.hooks else ():
        replaced = hook(g)
        if replaced is not None:
            replaced = given(replaced, node, "returned by a hook")
            g = replaced if isinstance(g, Tensor) or not isinstance(replaced, Tensor) else np.array(replaced.array)[()]
            if modes.anomaly and (what := nonfinite(g)):
                raise FloatingPointError(
                    f"A hook of a Tensor{label(node)} of shape {node.shape} made its gradient {what}.{describe(node)}"
                )
    return g


adding = threading.RLock()  # of two threads that send gradients to the same leaf, one waits


def backward(self: Tensor, gradient: Any = None, retain_graph: bool = True) -> None:
    """Compute d self / d t for every tensor t that self depends on, and leave it in `t.grad`.

    A leaf's `grad` adds up over several calls, until `zero_grad`; an operation's is that of the last call. All
    gradients are computed before they are stored, and stored at once: a failure, or Ctrl-C, leaves them as they were.

    gradient       d L / d self, of this shape; may be left out for a scalar, where it is 1
    retain_graph   False frees the graph while going, to save memory: operations then keep no gradient, and after a
                   failure on the way the loss has to be computed anew
    """
    g = start(self, gradient, "backward()")
    freed: list[weakref.ref[Tensor]] | None = None if retain_graph else []
    leaves, arrived = pull([self], [np.array(g.array)[()] if isinstance(g, Tensor) else g], freed=freed)
    for ref in freed or ():
        if (node := ref()) is not None:
            arrived[node] = None
    with adding:
        for leaf in leaves:
            g = arrived[leaf]
            if leaf.grad is not None:
                arrived[leaf] = g = added(leaf, g)
            if g.__class__ is not ndarray or references(g) > HELD or g.base is not None:
                arrived[leaf] = np.array(g, order="C")  # its own, writable, an array of shape () too
        at_once(map(set_grad, arrived, arrived.values()))


def added(leaf: Tensor, g: Any) -> Any:
    """g and what leaf has already of earlier passes."""
    if np.shape(leaf.grad) not in ((), leaf.shape):  # a number, such as 0, is added to each element
        raise RuntimeError(
            f"A Tensor{label(leaf)} of shape {leaf.shape} has a grad of shape {np.shape(leaf.grad)}, to which nothing "
            "can be added: a gradient has its tensor's shape. Call zero_grad() first."
        )
    together = leaf.grad + g
    if modes.anomaly and (what := nonfinite(together)):
        raise FloatingPointError(
            f"The gradient of a Tensor{label(leaf)} of shape {leaf.shape} adds up to {what} over several passes. "
            "Call zero_grad() before each."
        )
    return together


Tensor.backward = backward  # type: ignore[method-assign]


def grad(
    outputs: Any, inputs: Any = (), grad_outputs: Any = None, create_graph: bool = False, allow_unused: bool = False
) -> tuple[Tensor | None, ...]:
    """d outputs / d inputs as Tensors, one for each input, as torch.autograd.grad; no `.grad` is touched.

    grad_outputs   what each output's gradient starts with: of its shape; may be left out for scalars
    create_graph   record the backward pass too, so that the result can be differentiated again
    allow_unused   answer None for an input that no output depends on, instead of raising

    >>> from autograd import Tensor, grad
    >>> x = Tensor(2.0, requires_grad=True)
    >>> slope, = grad(x**3, x, create_graph=True)
    >>> slope, grad(slope, x)
    (Tensor(12., op=multiply), (Tensor(12.),))
    """
    outputs = list(outputs) if isinstance(outputs, Iterable) and not isinstance(outputs, Tensor) else [outputs]
    inputs = list(inputs) if isinstance(inputs, Iterable) and not isinstance(inputs, Tensor) else [inputs]
    if grad_outputs is None:
        grad_outputs = [None] * len(outputs)
    elif not isinstance(grad_outputs, (list, tuple)):
        grad_outputs = [grad_outputs]
    if len(grad_outputs) != len(outputs):
        raise ValueError(f"grad() got {len(outputs)} outputs, but {len(grad_outputs)} grad_outputs.")
    for t in outputs:
        if callable(t):
            start(t, None, "grad()")
    if not inputs:
        raise TypeError("grad() needs the inputs to differentiate with respect to: grad(loss, [w, b]).")
    for i, x in enumerate(inputs):
        if not isinstance(x, Tensor) or not x.tracked:
            raise RuntimeError(
                f"grad(): input {i} is not a Tensor that requires grad; make it with requires_grad=True."
            )
    gradients = [start(t, g, "grad()") for t, g in zip(outputs, grad_outputs)]
    if create_graph:
        with enable_grad():
            _, arrived = pull(outputs, [g if isinstance(g, Tensor) else Tensor(g) for g in gradients], inputs, True)
    else:
        _, arrived = pull(outputs, [g.array if isinstance(g, Tensor) else g for g in gradients], inputs)
    unused = [i for i, x in enumerate(inputs) if x not in arrived]
    if unused and not allow_unused:
        raise RuntimeError(
            f"grad(): no output depends on input {unused[0]}. Pass allow_unused=True to get None for it. (A derivative "
            "that is constant piece by piece, such as relu's, depends on nothing: its own is 0.)"
        )
    found = (arrived.get(x) for x in inputs)
    return tuple(g if g is None or isinstance(g, Tensor) else Tensor(np.array(g)) for g in found)
