"""The colours and line styles that tell several things apart in a picture."""

# Okabe and Ito (2008), "Color universal design": distinguishable for colour-blind readers too. Red, green, blue.
OKABE_ITO = (
    (0, 114, 178),  # blue
    (230, 159, 0),  # orange
    (0, 158, 115),  # bluish green
    (204, 121, 167),  # reddish purple
    (86, 180, 233),  # sky blue
    (213, 94, 0),  # vermilion
    (240, 228, 66),  # yellow
)
LINES = ("solid", "dashed", "dotted", "double")


def css_style(number: int) -> str:
    """Return the CSS variables of the n-th of several things: 28 pairs of a colour and a line, then from the start."""
    red, green, blue = OKABE_ITO[number % len(OKABE_ITO)]
    return f"--c: {red} {green} {blue}; --line: {LINES[number // len(OKABE_ITO) % len(LINES)]}"
