"""List the demos, each with the first line of what it says about itself; `--all` runs them, with what else is given."""

import ast
import runpy
import sys
from pathlib import Path

run = "--all" in sys.argv
sys.argv = [argument for argument in sys.argv if argument != "--all"]
for path in sorted(Path(__file__).parent.glob("[!_]*.py")):
    source = path.read_text(encoding="utf-8")
    if "__main__" in source:  # it can be run; the rest is what demos share
        said = ast.get_docstring(ast.parse(source)) or ""
        print(f"python -m demos.{path.stem:<14} {said.partition(chr(10))[0]}", flush=True)
        if run:
            runpy.run_module(f"demos.{path.stem}", run_name="__main__")
