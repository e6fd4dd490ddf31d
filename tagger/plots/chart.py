"""Charts by matplotlib's object interface: no window, no global state that stays, and the same bytes for the same data.

Axes have a fixed size in inches and the file is cut to what was drawn, labels included: so nothing is cut off and
nothing shrinks, whatever the number and length of the labels. Text in an SVG is text: the viewer's fonts draw it.
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

_DRAWING = threading.Lock()  # settings and warnings are those of the process
DPI = 150
LARGEST = 2**16  # pixels of a side of a PNG; programs that show pictures open hardly a larger one
FONTS = (  # asked in turn for a glyph, those that are there
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
    """Refuse to go on without matplotlib.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        raise MissingExtraError(
            'an SVG or PNG picture needs matplotlib, which is not installed; run pip install "tagger-bilstm[plots]"'
        ) from None


def render(draw: "Callable[[], Figure]", format: str, *, title: str) -> bytes:
    """The bytes of a figure as `svg` or `png`, without a date.

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
            "the fonts of this machine lack characters of the picture, which are boxes in it; SVG keeps them"
        )
    return file.getvalue()


def _settings() -> AbstractContextManager[None]:
    import matplotlib
    from matplotlib.font_manager import fontManager

    there = set(fontManager.get_font_names())
    return matplotlib.rc_context(
        {
            "svg.hashsalt": "tagger",
            "svg.fonttype": "none",
            "font.family": ["sans-serif"],  # which an SVG also names, for those who have none of these
            "font.sans-serif": [font for font in FONTS if font in there],
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
            "save it as .svg, or give less"
        )


def new_figure(*, width: float, height: float) -> "Figure":
    """An empty figure; sizes in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height))


def add_axes(figure: "Figure", *, left: float, top: float, width: float, height: float) -> "Axes":
    """Axes whose left upper corner is so many inches from that of the figure."""
    whole, high = figure.get_size_inches()
    axes = figure.add_axes((left / whole, 1 - (top + height) / high, width / whole, height / high))
    axes.spines[["top", "right"]].set_visible(False)
    return axes
