"""Parts of README.md are made by a command. Each stands between two lines of its own:

    <!-- NAME: made by `COMMAND` -->
    <!-- end of NAME -->

The command calls write(NAME, text), which replaces what stands between them.
"""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def parts(name, path):
    """The text of a README before the part NAME, the part, and what comes after; the two lines belong to the others."""
    text, places = path.read_text(encoding="utf-8"), []
    for line in (f"<!-- {name}: made by `COMMAND` -->", f"<!-- end of {name} -->"):
        found = list(re.finditer(f"^{re.escape(line).replace('COMMAND', '.+')}\n", text, re.MULTILINE))
        if len(found) != 1:
            remedy = "Leave one" if found else "Add it where the part belongs"
            raise ValueError(f"{path.name} has the line {line} {len(found)} times, not once. {remedy}.")
        places.append(found[0])
    start, end = places[0].end(), places[1].start()
    if end < start:
        raise ValueError(f"{path.name} ends the part {name} before it begins: <!-- end of {name} --> comes second.")
    return text[:start], text[start:end], text[end:]


def read(name, path=README):
    """What stands in the part NAME."""
    return parts(name, path)[1].strip("\n")


def write(name, text, path=README):
    """Put text in place of what stands in the part NAME."""
    before, _, after = parts(name, path)
    path.write_text(f"{before}\n{text}\n\n{after}", encoding="utf-8")
