"""Tensor -> plain data: the nodes and edges of the graph behind it. Nothing here draws."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from autograd import Step, Tensor, steps, topological_order

from .data import ARRIVED, CLEARED, LOST, NONE, WAITING, ZERO, Cluster, Edge, Flag, Node, Trace, nested
from .health import CALLED, NOT_CALLED, Thresholds, changed, diagnose, unused
from .modules import frames, outermost, parameter_paths
from .text import number

__all__ = ["trace"]


def trace(output: Tensor, names: Mapping[str, Any] | None = None, thresholds: Thresholds | None = None) -> Trace:
    """The graph behind output. `names`, say `locals()`, gives names to Tensors and to modules."""
    if not isinstance(output, Tensor):
        raise TypeError(f"A graph is drawn from a Tensor, such as a loss, but this is {given(output)}")
    if not isinstance(names or {}, Mapping) or not all(isinstance(name, str) for name in names or ()):
        raise TypeError(f"names= is a dict of names and what they name, as locals() is, not {type(names).__name__}.")
    order = topological_order(output)
    known = known_names(order, names or {})
    models = outermost(order)
    learned = parameter_paths(models)
    notes = stale(order)
    hooked = any(tensor.hooks for tensor in order)  # steps() calls no hooks: that would be another pass
    walk = [] if notes or hooked or output.grad is None else backward_walk(output)
    sent = {(id(step.node), step.position): step.contribution for step in walk}
    found: dict[int, Node] = {}  # by the identity of what they stand for
    nodes: list[Node] = []
    edges: list[Edge] = []

    def add(x: Any, kind: str) -> Node:
        node = describe(f"n{len(nodes)}", x, kind, learned.get(id(x)) or known.get(id(x), ""))
        nodes.append(node)
        return node

    for tensor in order:
        arguments = [(i, x) for i, x in enumerate(tensor.inputs) if x is not None]
        for _, x in arguments:
            if isinstance(x, (Tensor, np.ndarray)) and id(x) not in found:  # one that needs no gradient
                found[id(x)] = add(x, "leaf")
        sources = [(i, found[id(x)] if id(x) in found else add(x, "number")) for i, x in arguments]
        kind = "loss" if tensor is output else "operation"
        if tensor.is_leaf:
            kind = "parameter" if id(tensor) in learned else "leaf"
        node = found[id(tensor)] = add(tensor, kind)
        if node.state == WAITING and output.grad is not None:
            node.state = CLEARED
        for i, source in sources:
            edges.append(Edge(f"e{len(edges)}", source.id, node.id, i, sent.get((id(tensor), i))))

    diagnose(order, walk, found, thresholds)
    if walk:
        several_passes(order, walk, found)
    clusters = frames(order, found, nodes, edges)
    if output.grad is not None:
        add_unused(models, clusters, found, nodes, add)
    return Trace(nodes, edges, clusters, notes)


def given(output: Any) -> str:
    """What was given instead of a Tensor, and what to give."""
    what = type(output).__name__
    if isinstance(output, type):
        return f"the class {output.__name__}. Make one, model = {output.__name__}(...), and call it: model(x)."
    if callable(output):
        return f"{what}. Call it: give what model(x) returns."
    if isinstance(output, (tuple, list)):
        return f"{what} of {len(output)}. Draw one of them, or a loss that is made of all."
    if isinstance(output, np.ndarray):
        return f"{what}, without history. Made of arrays alone? Write x = Tensor(x, requires_grad=True) first."
    if isinstance(output, (float, np.generic)):
        return f"{what}, which has no history. Give the Tensor itself, loss rather than loss.item()."
    return f"{what}."


def backward_walk(output: Tensor) -> list[Step]:
    """The backward pass that output has been through, step by step."""
    with np.errstate(all="ignore"):
        return list(steps(output, output.grad))


def describe(name_in_graph: str, x: Any, kind: str, name: str) -> Node:
    """The node for a Tensor, an array or a number. Leaves may be changed later, so their arrays are copied."""
    if not isinstance(x, Tensor):
        value = np.array(x)
        if kind == "number":
            name = str(x) if isinstance(x, str) else number(x)
        return Node(name_in_graph, kind, "", name, value, None, NONE)
    value, grad = x.data, x.grad
    if x.is_leaf:
        value, grad = np.array(value), None if grad is None else np.array(grad)
    if not x.requires_grad:
        state = NONE
    elif grad is None:
        state = WAITING
    else:
        state = ARRIVED if np.any(grad) else ZERO
    return Node(name_in_graph, kind, symbol(x), x.name or name, value, grad, state)


def symbol(tensor: Tensor) -> str:
    """What made tensor: '+', 'Σ axis=0', '[1:3]', or nothing for a leaf."""
    if tensor.op is None:
        return ""
    metadata = {k: v for k, v in tensor.extra[0].items() if not callable(v)} if tensor.extra else {}
    name = f"[{short(metadata.pop('index'))}]" if "index" in metadata else tensor.op.symbol
    return " ".join([name, *(f"{key}={short(value)}" for key, value in metadata.items() if value is not None)])


def short(value: Any) -> str:
    """An operation's metadata as one would write it, an array as its shape."""
    if isinstance(value, tuple):
        return ", ".join(short(x) for x in value)
    if isinstance(value, slice):
        start, stop, step = ("" if x is None else str(x) for x in (value.start, value.stop, value.step))
        return f"{start}:{stop}" + f":{step}" * bool(step)
    if isinstance(value, np.ndarray) and value.ndim:
        return f"array{value.shape}"
    return "..." if value is Ellipsis else getattr(value, "__name__", str(value))


# ---- names --------------------------------------------------------------------------------------------------------


def known_names(order: Iterable[Tensor], names: Mapping[str, Any]) -> dict[int, str]:
    """What each Tensor, array or module parameter is called in `names`."""
    known: dict[int, str] = {}
    for name, x in names.items():
        if name.startswith("_"):  # IPython keeps its past results under such names
            continue
        if isinstance(x, (Tensor, np.ndarray)):
            known.setdefault(id(x), name)
        elif hasattr(x, "named_parameters") and not isinstance(x, type):
            for path, parameter in x.named_parameters():
                known.setdefault(id(parameter), f"{name}.{path}")
    return known


# ---- what should be said besides ----------------------------------------------------------------------------------


def stale(order: Iterable[Tensor]) -> list[str]:
    """A sentence, when a value was changed in place after the graph had used it."""
    if changed(order):
        return [
            "Some leaves were changed after this graph was recorded, as by an optimizer; their new values are shown, "
            "but not what was sent back along each edge."
        ]
    return []


def several_passes(order: Iterable[Tensor], walk: list[Step], found: Mapping[int, Node]) -> None:
    """A note on each leaf whose gradient is not what one pass through this graph sends it: clipped, or of several."""
    sent = {id(step.argument): step.after for step in walk}
    for leaf in order:
        if not leaf.is_leaf or leaf.grad is None or id(leaf) not in sent:
            continue
        once = np.asarray(sent[id(leaf)])
        tolerance = 100 * np.finfo(leaf.dtype).eps * np.max(np.abs(once), initial=0)
        finite = np.isfinite(tolerance) and np.isfinite(leaf.grad).all()
        if not finite or np.allclose(leaf.grad, once, rtol=0, atol=tolerance):
            continue
        largest = np.argmax(np.abs(once))
        times = round(float(leaf.grad.flat[largest] / once.flat[largest])) if tolerance else 0
        exactly = times > 1 and np.allclose(leaf.grad, times * once, rtol=0, atol=times * tolerance)
        found[id(leaf)].notes.append(f"sum of {times} backward passes" if exactly else "not what this pass sent")


def add_unused(
    models: list[Any],
    clusters: list[Cluster],
    found: dict[int, Node],
    nodes: list[Node],
    add: Callable[[Any, str], Node],
) -> None:
    """Nodes for the parameters that no gradient reaches, each in its module's frame where there is one."""
    frame = {id(cluster.module): cluster for cluster in nested(clusters)}
    for model, owner, parameter in unused(models, found):
        node = found[id(parameter)] = add(parameter, "parameter")
        nodes[-2:] = node, nodes[-2]  # the loss stays last
        node.state = LOST
        node.flags.append(Flag("UNUSED", CALLED if id(owner) in frame else NOT_CALLED))
        around = frame.get(id(owner)) or frame.get(id(model))
        if around:
            around.nodes.append(node)
