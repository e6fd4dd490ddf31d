"""Charts with matplotlib's object interface: no window, no lasting global state, same bytes for the same data.

Axes have a fixed size in inches, and the file is cropped to what was drawn, labels included. So nothing is cut off or
shrinks, whatever the number and length of the labels. Text in an SVG stays text, drawn with the fonts of the viewer.
"""

import io
import logging
import threading
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from tagger.errors import DataError, MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

logger = logging.getLogger(__name__)

_DRAWING = threading.Lock()  # matplotlib settings and warning filters are global to the process
DPI = 150
LARGEST = 2**16  # pixels of a side of a PNG; few programs open a larger one
FONTS = (  # tried in this order for each glyph, those that are installed
    "DejaVu Sans",
    "Noto Sans",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Devanagari",
    "Noto Sans CJK SC",
    "Noto Emoji",
    "Symbola",
    "Arial Unicode MS",
    "Segoe UI",
    "Segoe UI Symbol",
    "Segoe UI Emoji",
    "Microsoft YaHei",
    "PingFang SC",
)


def need_matplotlib() -> None:
    """Raise if matplotlib is missing.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        raise MissingExtraError(
            'this picture needs matplotlib, which is not installed; run pip install "tagger-bilstm[plots]"'
        ) from None


def render(draw: "Callable[[], Figure]", format: str, *, title: str) -> bytes:
    """Return the bytes of a figure as `svg` or `png`, without a date.

    Raises:
        MissingExtraError: matplotlib is not installed.
        DataError: The figure is too large for PNG.
    """
    need_matplotlib()
    file = io.BytesIO()
    with _DRAWING, warnings.catch_warnings(record=True) as caught, _settings():
        warnings.simplefilter("always")
        figure = draw()
        if format == "png":
            _check_size(figure)
        metadata: dict[str, Any] = {"Title": title} | ({"Date": None} if format == "svg" else {})
        figure.savefig(file, format=format, dpi=DPI, bbox_inches="tight", pad_inches=0.15, metadata=metadata)
    for warning in caught:
        if "missing from font" not in str(warning.message):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    if format == "png" and any("missing from font" in str(warning.message) for warning in caught):
        logger.warning(
            "no installed font has some characters of the picture, which are drawn as boxes; SVG keeps them as text"
        )
    return file.getvalue()


def _settings() -> AbstractContextManager[None]:
    import matplotlib
    from matplotlib.font_manager import fontManager

    installed = set(fontManager.get_font_names())
    return matplotlib.rc_context(
        {
            "svg.hashsalt": "tagger",
            "svg.fonttype": "none",
            "font.family": ["sans-serif"],  # an SVG names it too, for viewers that have none of the fonts
            "font.sans-serif": [font for font in FONTS if font in installed],
            "font.size": 9,
            "text.usetex": False,
            "text.parse_math": False,
            "axes.unicode_minus": True,
        }
    )


def _check_size(figure: "Figure") -> None:
    width, height = (side * DPI for side in figure.get_size_inches())
    if max(width, height) > LARGEST * 0.95:
        raise DataError(
            f"a PNG must be at most {LARGEST} pixels high and wide, this one would be {width:.0f} by {height:.0f}; "
            "save it as .svg, or draw less"
        )


def new_figure(*, width: float, height: float) -> "Figure":
    """Return an empty figure; sizes are in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height))


def add_axes(figure: "Figure", *, left: float, top: float, width: float, height: float) -> "Axes":
    """Add axes to a figure; positions are in inches from its upper left corner."""
    whole, high = figure.get_size_inches()
    axes = figure.add_axes((left / whole, 1 - (top + height) / high, width / whole, height / high))
    axes.spines[["top", "right"]].set_visible(False)
    return axes
