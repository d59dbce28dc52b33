"""A graph as plain data: what there is to draw, and nothing about how."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

__all__ = ["Cluster", "Edge", "Flag", "Node", "Trace", "everything", "nested"]

ARRIVED, ZERO, WAITING, CLEARED, LOST, NONE = "arrived", "zero", "waiting", "cleared", "lost", "none"  # of a gradient


class Flag(NamedTuple):
    """A word for what is wrong with a gradient, such as VANISHING, and a sentence that says why."""

    word: str
    reason: str


@dataclass(eq=False)
class Node:
    """One value: a Tensor, or an array or a number that an operation used.

    id         n0, n1, ... in topological order
    kind       "number", "leaf", "parameter", "operation", "module", or "loss": where the backward pass starts
    symbol     of the operation that made it, with its metadata; empty for a leaf
    name       its own, its path in a module, or its name among `names`; may be empty
    state      of the gradient: "arrived", "zero" exactly, "waiting" for a backward pass, "cleared" after
               it, as by zero_grad(), "lost" as the pass did not come here, "none" as none is required
    notes      what should be said of it besides
    flags      what is wrong with its gradient, if anything is
    inside     of a module that is drawn as one card: the nodes in it
    """

    id: str
    kind: str
    symbol: str
    name: str
    value: Any
    grad: Any
    state: str
    notes: list[str] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)
    inside: list[Node] = field(default_factory=list)


class Edge(NamedTuple):
    """The node `source` is argument number `position` of the operation that made `target`.

    sent   what the backward pass sends back along it, or None where it has not run
    """

    id: str
    source: str
    target: str
    position: int
    sent: Any = None


@dataclass(eq=False)
class Cluster:
    """One call of a module: the nodes made inside it, and the calls inside it."""

    id: str
    label: str
    module: Any
    nodes: list[Node] = field(default_factory=list)
    clusters: list[Cluster] = field(default_factory=list)


@dataclass(eq=False)
class Trace:
    """Nodes in topological order, edges, the outermost clusters, and what should be said of the whole."""

    nodes: list[Node]
    edges: list[Edge]
    clusters: list[Cluster] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def everything(*clusters: Cluster) -> list[Node]:
    """All nodes in these clusters, in the clusters inside them too."""
    return [node for cluster in nested(list(clusters)) for node in cluster.nodes]


def nested(clusters: list[Cluster]) -> Iterator[Cluster]:
    """All clusters, each before those inside it."""
    for cluster in clusters:
        yield cluster
        yield from nested(cluster.clusters)
