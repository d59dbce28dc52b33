"""List the demos, each with the first line of what it says about itself."""

import ast
from pathlib import Path

for path in sorted(Path(__file__).parent.glob("[!_]*.py")):
    source = path.read_text(encoding="utf-8")
    if "__main__" in source:  # it can be run; the rest is what demos share
        said = ast.get_docstring(ast.parse(source)) or ""
        print(f"python -m demos.{path.stem:<12} {said.partition(chr(10))[0]}")
