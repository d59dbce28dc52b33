"""Draw less: fold modules into one card each, stacks of alike ones into one, and cut off what is far from the loss."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from .data import NONE, Cluster, Edge, Node, Trace, everything

__all__ = ["fold", "nearest", "readable"]

STACK = 3  # so many alike modules in a row are drawn as one card


def readable(data: Trace, depth: int | None = None, limit: int | None = None) -> Trace:
    """data folded at `depth`, or as little as brings it to `limit` nodes; at worst the nodes nearest the loss."""
    if depth is not None:
        data = fold(data, depth)
    elif limit is not None and len(data.nodes) > limit and data.clusters:
        level = levels(data.clusters) - 1
        while level and len(fold(data, level).nodes) > limit:
            level -= 1
        many = f"{len(data.nodes):,} nodes are too many to read"
        data = fold(data, level)
        data.notes.append(f"{many}, so modules are folded as by depth={level}; limit=None draws every node.")
    return data if limit is None or len(data.nodes) <= limit else nearest(data, limit)


def levels(clusters: list[Cluster]) -> int:
    """How many clusters deep the deepest is."""
    return 1 + max(levels(cluster.clusters) for cluster in clusters) if clusters else 0


def fold(data: Trace, depth: int) -> Trace:
    """Every module call at this depth as one card: depth=0 folds whole models, 1 their parts, 2 the parts of those."""
    standing: dict[str, Node] = {}  # for each node that disappears, the card that stands for it

    def open_to(cluster: Cluster, level: int) -> Cluster:
        """The cluster with its calls at `depth` folded."""
        copy = Cluster(cluster.id, cluster.label, cluster.module, list(cluster.nodes))
        copy.clusters = folded(cluster.clusters, level + 1, copy.nodes)
        return copy

    def folded(clusters: list[Cluster], level: int, into: list[Node]) -> list[Cluster]:
        """The clusters of one level; where it is `depth`, cards in their stead, which go into a list of nodes."""
        if level < depth:
            return [open_to(cluster, level) for cluster in clusters]
        for group in stacks(clusters, data.edges):
            made = card(group, data)
            standing.update((node.id, made) for node in made.inside)
            into.append(made)
        return []

    clusters = folded(data.clusters, 0, [])
    return Trace(*stand_in(data, standing), clusters, list(data.notes))


def stand_in(data: Trace, standing: dict[str, Node]) -> tuple[list[Node], list[Edge]]:
    """The nodes and edges with cards in their stead: a card where its last node stood, one edge where several ran."""
    nodes = [standing.get(node.id, node) for node in data.nodes]
    last = {id(node): i for i, node in enumerate(nodes)}
    nodes = [node for i, node in enumerate(nodes) if last[id(node)] == i]
    edges: dict[object, Edge] = {}
    for edge in data.edges:
        source, target = (standing[end].id if end in standing else end for end in (edge.source, edge.target))
        if source != target:
            touched = edge.source in standing or edge.target in standing
            edges.setdefault((source, target) if touched else edge.id, Edge(edge.id, source, target, edge.position))
    return nodes, list(edges.values())


def card(group: list[Cluster], data: Trace) -> Node:
    """One node for a call, or for a stack of alike ones, with the value and the gradient of what leaves it."""
    inside = everything(*group)
    ids = {node.id for node in inside}
    leaving = {edge.source for edge in data.edges if edge.source in ids and edge.target not in ids}
    output = [node for node in data.nodes if node.id in ids and (node.id in leaving or node is data.nodes[-1])][-1]
    name, _, kind = group[0].label.rpartition(": ")
    if len(group) > 1:
        name, kind = f"{name} .. {group[-1].label.rpartition(': ')[0]}", f"{kind} \u00d7{len(group)}"
    return Node(group[0].id, "module", kind, name, output.value, output.grad, output.state, inside=inside)


def stacks(clusters: list[Cluster], edges: list[Edge]) -> Iterator[list[Cluster]]:
    """Clusters one by one; but alike ones of which each feeds the next alone, in one list."""
    runs: list[list[Cluster]] = []
    for cluster in clusters:
        if runs and alike(runs[-1][-1]) == alike(cluster) and feeds_only(runs[-1][-1], cluster, edges):
            runs[-1].append(cluster)
        else:
            runs.append([cluster])
    for run in runs:
        yield from [run] if len(run) >= STACK else ([cluster] for cluster in run)


def alike(cluster: Cluster) -> tuple[str, list[tuple[int, ...]]]:
    """What two modules have in common that are drawn as one: their class, and the shapes of what they learn."""
    return type(cluster.module).__name__, [node.value.shape for node in everything(cluster) if node.kind == "parameter"]


def feeds_only(one: Cluster, other: Cluster, edges: list[Edge]) -> bool:
    """Whether all that leaves one cluster goes into the other."""
    inside, goal = ({node.id for node in everything(cluster)} for cluster in (one, other))
    leaving = {edge.target for edge in edges if edge.source in inside} - inside
    return bool(leaving) and leaving <= goal


def nearest(data: Trace, limit: int) -> Trace:
    """The `limit` nodes fewest steps from the loss, and one that stands for the rest."""
    sources: dict[str, list[str]] = {}
    for edge in data.edges:
        sources.setdefault(edge.target, []).append(edge.source)
    kept = {data.nodes[-1].id}
    waiting = deque(kept)
    while waiting and len(kept) < limit - 1:
        for source in sources.get(waiting.popleft(), []):
            if source not in kept and len(kept) < limit - 1:
                kept.add(source)
                waiting.append(source)
    rest = Node("rest", "rest", "", f"{len(data.nodes) - len(kept):,} nodes more", np.array(len(kept)), None, NONE)
    edges = [
        edge if edge.source in kept else Edge(edge.id, rest.id, edge.target, edge.position)
        for edge in data.edges
        if edge.target in kept
    ]
    note = f"Only the {len(kept)} nodes nearest the end are drawn, of {len(data.nodes):,}; limit=None draws every node."
    nodes = [rest, *(node for node in data.nodes if node.id in kept)]
    return Trace(nodes, edges, [inner for c in data.clusters if (inner := pruned(c, kept))], [*data.notes, note])


def pruned(cluster: Cluster, kept: set[str]) -> Cluster | None:
    """The cluster with the nodes that are kept, or None when that leaves it empty."""
    inner = [c for c in (pruned(c, kept) for c in cluster.clusters) if c]
    nodes = [node for node in cluster.nodes if node.id in kept]
    return Cluster(cluster.id, cluster.label, cluster.module, nodes, inner) if nodes or inner else None
