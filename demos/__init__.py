"""One idea a file: `python -m demos` lists them, `python -m demos.NAME` shows one."""
