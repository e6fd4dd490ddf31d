"""The colours, line styles and markers that tell several things apart in a picture.

Twelve colours from two documented palettes. Each pair differs by at least 9 in CIEDE2000, for normal vision and for the
three kinds of colour blindness, and each colour stands out from white and from dark paper. tests/pages/test_palette.py
simulates this.
"""

from typing import Any

COLOURS = (  # red, green, blue
    # Okabe and Ito (2008), "Color universal design", without black and yellow, which some paper hides.
    (0, 114, 178),  # blue
    (230, 159, 0),  # orange
    (0, 158, 115),  # bluish green
    (204, 121, 167),  # reddish purple
    (86, 180, 233),  # sky blue
    (213, 94, 0),  # vermilion
    # Tol (2021), "Colour schemes", SRON/EPS/TN/09-002: one of `muted`, two of `bright`, three of `dark`.
    (221, 204, 119),  # sand
    (170, 51, 119),  # purple
    (34, 85, 85),  # dark cyan
    (187, 187, 187),  # grey
    (102, 51, 51),  # dark red
    (102, 102, 51),  # dark yellow
)
LINES = {"solid": "-", "dashed": "--", "dotted": ":", "double": "-."}  # in CSS, and nearest in matplotlib
MARKERS = "os^DvPX<>phd"


def css_style(number: int) -> str:
    """Return the CSS variables of the n-th of several things: 48 pairs of a colour and a line, then from the start."""
    red, green, blue = COLOURS[number % len(COLOURS)]
    return f"--c: {red} {green} {blue}; --line: {list(LINES)[_turn(number)]}"


def colour_of(number: int) -> str:
    """Return the colour of the n-th of several things as `#rrggbb`; the first twelve differ."""
    return "#" + bytes(COLOURS[number % len(COLOURS)]).hex()


def line_style(number: int) -> dict[str, Any]:
    """Return matplotlib's properties of the n-th of several lines; the first 48 differ, each twelve in marker too."""
    dashes = list(LINES.values())[_turn(number)]
    return {"color": colour_of(number), "linestyle": dashes, "marker": MARKERS[number % len(MARKERS)]}


def _turn(number: int) -> int:
    return number // len(COLOURS) % len(LINES)
