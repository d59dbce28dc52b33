"""What an option may be: asked where it is given, before it fails far from there."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["check_whole"]


def check_whole(option: str, value: Any, least: int, none: str = "") -> None:
    """Refuse what is no whole number, or less than `least`. If `none` says what None does, None is fine."""
    if value is None and none:
        return
    if not isinstance(value, (int, np.integer)) or value < least:
        other = f", or None, which {none}" * bool(none)
        raise ValueError(f"{option} is a whole number, at least {least}{other}, but got {value!r}.")
