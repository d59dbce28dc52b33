"""One idea a file: `python -m demos` lists them, `python -m demos.NAME` shows one."""

from pathlib import Path


def sources():
    """The source of every demo, by name. A file that cannot be run is no demo: it is what demos share."""
    files = sorted(Path(__file__).parent.glob("[!_]*.py"))
    texts = {path.stem: path.read_text(encoding="utf-8") for path in files}
    return {name: text for name, text in texts.items() if 'if __name__ == "__main__":' in text}
