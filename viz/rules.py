"""What a derivative rule says: its text, as it stands in the table."""

from __future__ import annotations

import ast
import inspect
import linecache
from functools import lru_cache
from typing import Any

import numpy as np

from autograd import Op

__all__ = ["formula"]


def formula(op: Op, position: int) -> list[Any]:
    """The text of a rule; what the names in it stand for: "g", "y", "s", "i", or the position of an argument; and
    whether it gives what has the result's shape, which the engine sums to the argument's."""
    rule = op.each or op.rules[position]
    assert rule is not None
    parameters = list(inspect.signature(rule).parameters)
    known = ["g", "y", *["i"] * bool(op.each), *["s"] * bool(op.saves), *range(len(op.rules))]
    body, names = written(rule) or (f"{getattr(rule, '__name__', 'rule')}({', '.join(parameters)})", set(parameters))
    elementwise = isinstance(op.function, np.ufunc) and op.function.signature is None
    return [body, {name: what for name, what in zip(parameters, known) if name in names}, elementwise or body == "g"]


def written(rule: Any) -> tuple[str, set[str]] | None:
    """The body of a lambda as it stands in its file, and the names in it; None of what is no lambda or has no file."""
    code = getattr(rule, "__code__", None)
    if code is None or code.co_name != "<lambda>":
        return None
    imports, found = lambdas(code.co_filename)
    found = [node for node in found if node.lineno == code.co_firstlineno]
    if len(found) > 1:  # several on one line: which of them becomes the same code?
        found = [node for node in found if compiled(node, imports) == (code.co_code, code.co_names, code.co_consts)]
    if not found:
        return None
    body = found[0].body
    before, place = body.lineno - 1, ast.copy_location(ast.Pass(), body)
    ast.increment_lineno(place, -before)  # in its own lines, as the whole file takes long to split
    lines = linecache.getlines(code.co_filename)[before : body.end_lineno]
    text = " ".join((ast.get_source_segment("".join(lines), place) or "").split())
    return text, {node.id for node in ast.walk(body) if isinstance(node, ast.Name)}


@lru_cache
def lambdas(file: str) -> tuple[list[ast.stmt], list[ast.Lambda]]:
    """The imports of a file, and all its lambdas."""
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except SyntaxError:
        return [], []
    imports: list[ast.stmt] = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    return imports, [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]


def compiled(node: ast.Lambda, imports: list[ast.stmt]) -> tuple[Any, ...]:
    """What a lambda becomes: code, names, constants. It stands among the imports: calls into modules are special."""
    module = ast.Module([*imports, ast.copy_location(ast.Expr(node), node)], type_ignores=[])
    (code,) = (x for x in compile(module, "", "exec").co_consts if getattr(x, "co_name", "") == "<lambda>")
    return code.co_code, code.co_names, code.co_consts
