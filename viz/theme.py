"""The colours of a picture on a light page and on a dark one."""

__all__ = ["THEMES"]

# Vermilion and blue stay apart for every kind of colour blindness (Okabe and Ito, 2008); text never has their colour.
THEMES = {
    "light": {
        "page": "#ffffff", "text": "#1c2128", "muted": "#57606a", "line": "#768390", "cluster": "#f3f5f8",
        "leaf": "#ffffff", "parameter": "#fff6dd", "operation": "#eaf2fb", "loss": "#f0eafa", "module": "#e9f5ec",
        "positive": "#d55e00", "negative": "#0072b2",
        "NAN": "#b3208c", "EXPLODING": "#b3261e", "DEAD": "#24292f", "UNUSED": "#57606a", "VANISHING": "#6639ba",
        "SATURATED": "#8a5a00", "CANCELLED": "#116a70",
    },
    "dark": {
        "page": "#14181d", "text": "#e6edf3", "muted": "#a3adb8", "line": "#7d8794", "cluster": "#1c222a",
        "leaf": "#14181d", "parameter": "#332a10", "operation": "#152a42", "loss": "#2b2142", "module": "#14301f",
        "positive": "#f0803c", "negative": "#56b4e9",
        "NAN": "#f778ba", "EXPLODING": "#ff7b72", "DEAD": "#e6edf3", "UNUSED": "#a3adb8", "VANISHING": "#b78aff",
        "SATURATED": "#d8a020", "CANCELLED": "#39c5cf",
    },
}  # fmt: skip
