"""List the demos, each with the first line of what it says about itself."""

import ast
from pathlib import Path

for path in sorted(Path(__file__).parent.glob("[!_]*.py")):
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    print(f"python -m demos.{path.stem:<12} {said.partition(chr(10))[0]}")
