"""Write down PyTorch's numbers for machines without it: python tests/nn/record_optim.py, where torch is installed."""

import json
import runpy
from pathlib import Path

HERE = Path(__file__).parent
FILE = HERE / "recorded_optim.json"
SOURCES = {"optimizers": "test_optim.py", "schedulers": "test_schedulers.py"}


def compact(values):
    """JSON with 13 decimals: more than the comparisons look at."""
    return json.dumps(json.loads(json.dumps(values), parse_float=lambda text: round(float(text), 13)))


if __name__ == "__main__":
    if not FILE.exists():
        FILE.write_text(json.dumps({section: {} for section in SOURCES}))
    sections = []
    for section, source in SOURCES.items():
        cases = runpy.run_path(str(HERE / source))["record"]()
        lines = [f"{json.dumps(case)}: {compact(values)}" for case, values in cases.items()]
        sections.append(f"{json.dumps(section)}: {{\n" + ",\n".join(lines) + "\n}")
    FILE.write_text("{" + ",\n".join(sections) + "}\n")
