"""Which module made what. Modules are known by what they can do alone: `named_modules` and `named_parameters`.

A module's call leaves on its output a linked list, `made_by = (module, inputs, made_by)`, the outermost call first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd import Tensor

from .data import Cluster, Edge, Node, everything, nested

__all__ = ["frames", "outermost", "parameter_paths"]


def calls(tensor: Tensor) -> Iterator[tuple[Any, Any]]:
    """The module calls that returned tensor, outermost first, as (module, inputs)."""
    record = tensor.made_by
    while record:
        module, inputs, record = record
        yield module, inputs


def outermost(order: Iterable[Tensor]) -> list[Any]:
    """The modules that are no part of another one, in the order in which they are met."""
    met = {id(module): module for tensor in order for module, _ in calls(tensor)}
    parts = {id(part) for module in met.values() for part in submodules(module).values() if part is not module}
    return [module for key, module in met.items() if key not in parts]


def submodules(module: Any) -> dict[str, Any]:
    """module and every module inside it, by path."""
    return dict(module.named_modules()) if hasattr(module, "named_modules") else {"": module}


def parameter_paths(modules: Iterable[Any]) -> dict[int, str]:
    """The path of each parameter by its identity, after its class's name where several modules have parameters."""
    learning = [module for module in modules if next(iter(module.named_parameters()), None)]
    classes = [type(module).__name__ for module in learning]
    paths: dict[int, str] = {}
    for i, module in enumerate(learning):
        number = str(classes[: i + 1].count(classes[i])) if classes.count(classes[i]) > 1 else ""
        for path, parameter in module.named_parameters():
            paths.setdefault(id(parameter), path if len(learning) == 1 else f"{classes[i]}{number}.{path}")
    return paths


# ---- frames around what a call made -------------------------------------------------------------------------------


@dataclass(eq=False)
class Call:
    """One call of a module: what it was given, and the operations between that and what it returned."""

    module: Any
    given: set[int]
    inside: dict[int, Tensor] = field(default_factory=dict)

    def walk(self, output: Tensor) -> None:
        """Collect what lies behind output, as far as the inputs of the call."""
        stack = [output]
        while stack:
            tensor = stack.pop()
            if tensor.op is None or id(tensor) in self.given or id(tensor) in self.inside:
                continue
            self.inside[id(tensor)] = tensor
            stack += [x for x in tensor.inputs if isinstance(x, Tensor)]


def identities(inputs: Any) -> set[int]:
    """The tensors and arrays among the arguments of a call, in lists and dictionaries too, by their identity."""
    if isinstance(inputs, (Tensor, np.ndarray)):
        return {id(inputs)}
    if isinstance(inputs, Mapping):
        inputs = list(inputs.values())
    return {i for x in inputs for i in identities(x)} if isinstance(inputs, (list, tuple)) else set()


def module_calls(order: Iterable[Tensor]) -> list[Call]:
    """The calls behind a graph, the largest first, an outer one before an inner one that made the same."""
    found: dict[tuple[int, int], Call] = {}
    for tensor in order:
        for module, inputs in calls(tensor):
            call = found.setdefault((id(module), id(inputs)), Call(module, identities(inputs)))
            call.walk(tensor)
    return sorted(found.values(), key=lambda call: -len(call.inside))


def frames(order: Sequence[Tensor], found: Mapping[int, Node], nodes: list[Node], edges: list[Edge]) -> list[Cluster]:
    """The clusters of a graph: a frame for each call, holding what it made and the leaves that only it uses."""
    paths: dict[int, str] = {}
    for root in outermost(order):
        for path, part in submodules(root).items():
            paths.setdefault(id(part), path)
    roots: list[Cluster] = []
    chain: dict[str, list[Cluster]] = {}  # of each node: the clusters around it, outermost first
    given: dict[str, set[str]] = {}  # of each cluster: the nodes that its call was given
    times: dict[int, int] = {}
    for call in module_calls(order):
        made = [found[key] for key in call.inside if key in found]
        around = {tuple(c.id for c in chain.get(node.id, [])) for node in made}
        if len(around) != 1:  # nothing inside, or two calls that overlap without nesting, which cannot be drawn
            continue
        parents = chain.get(made[0].id, [])
        times[id(call.module)] = times.get(id(call.module), 0) + 1
        cluster = Cluster(f"m{len(given)}", label(call.module, paths, times[id(call.module)]), call.module)
        (parents[-1].clusters if parents else roots).append(cluster)
        given[cluster.id] = {found[key].id for key in call.given if key in found}
        for node in made:
            chain[node.id] = [*parents, cluster]
    users: dict[str, list[list[Cluster]]] = {}
    for edge in edges:
        users.setdefault(edge.source, []).append(chain.get(edge.target, []))
    for node in nodes:
        if node.id not in chain:  # a leaf stands with its users, but outside a call that was given it
            chain[node.id] = common(users.get(node.id, []))
            outside = [i for i, cluster in enumerate(chain[node.id]) if node.id in given[cluster.id]]
            del chain[node.id][min(outside, default=len(chain[node.id])) :]
        if chain[node.id]:
            chain[node.id][-1].nodes.append(node)
    place = {node.id: i for i, node in enumerate(nodes)}
    for cluster in nested(roots):
        cluster.clusters.sort(key=lambda inner: max(place[node.id] for node in everything(inner)))
    return roots


def label(module: Any, paths: Mapping[int, str], time: int) -> str:
    """'0: Linear': the last part of a module's path and its class; of a second call too, which it is."""
    name = paths.get(id(module), "").rpartition(".")[2]
    return (f"{name}: " if name else "") + type(module).__name__ + (f" (call {time})" if time > 1 else "")


def common(chains: list[list[Cluster]]) -> list[Cluster]:
    """The clusters that all chains start with."""
    shared = []
    for level in zip(*chains):
        if any(cluster is not level[0] for cluster in level):
            break
        shared.append(level[0])
    return shared
