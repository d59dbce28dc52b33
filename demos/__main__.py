"""List the demos, each with the first line of what it says about itself; --all runs them as well.

    python -m demos [--all] [--seed 0] [--out FOLDER] [--quick]

A demo that fails says why and is named at the end; the others run all the same, and the exit code is 1.
"""

import ast
import sys
import traceback
from importlib import import_module

from . import sources
from .common import Findings, arguments

if sys.argv[1:2] and sys.argv[1] in sources():
    sys.exit(f"A demo is a module of its own: python -m demos.{sys.argv[1]}")
args = arguments(__doc__, all="run every demo, with the other options")
options = [option for option in sys.argv[1:] if option != "--all"]
found: dict[str, Findings] = {}
failed = []
for name, source in sorted(sources().items(), key=lambda item: item[0] == "claims"):  # last, as it gathers the others'
    said = ast.get_docstring(ast.parse(source)) or ""
    line = f"python -m demos.{name:<14} {said.partition(chr(10))[0]}"
    if not args.all:
        print(line)
        continue
    print(f"\n{line}\n{'=' * len(line)}", flush=True)
    try:
        main = import_module(f"demos.{name}").main
        found[name] = main(options, found) if name == "claims" else main(options)
    except Exception:
        traceback.print_exc(file=sys.stdout)
        failed.append(name)
if failed:
    sys.exit(f"\nfailed: {', '.join(f'demos.{name}' for name in failed)}")
