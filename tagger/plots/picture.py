"""The picture: it has a title, is saved as HTML, SVG or PNG, and displays itself in a notebook."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from tagger.errors import RecipeError
from tagger.files.writing import replaced
from tagger.plots.chart import need_matplotlib, render
from tagger.plots.page import render_html

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CHART = (".svg", ".png")


@dataclass(frozen=True)
class Picture:
    """A picture, drawn when it is saved or displayed.

    Args:
        title: What it shows, in a few words.
        body: Makes the HTML; None to embed the chart in the page.
        figure: Makes the chart; None if the picture is HTML only.
    """

    title: str
    body: Callable[[], Markup] | None = None
    figure: "Callable[[], Figure] | None" = None

    def save(self, path: str | Path) -> None:
        """Write the picture to a file, as HTML, SVG or PNG according to the suffix of its name.

        Raises:
            RecipeError: The name has another suffix, or the picture has no such form.
            MissingExtraError: The file is a chart and matplotlib is not installed.
            DataError: The file cannot be written, or the picture is too large for PNG.
        """
        path = Path(path)
        check_path(path, chart=self.figure is not None)
        data = self._chart(path.suffix.lower()) if path.suffix.lower() in CHART else self._page()
        with replaced(path) as file:
            file.write(data)

    def _repr_html_(self) -> str:
        return str(self._fragment())

    def _page(self) -> bytes:
        return render_html("page", title=self.title, fragment=self._fragment()).encode()

    def _fragment(self) -> Markup:
        if self.body is not None:
            return render_html("fragment", title=self.title, body=self.body())
        data = b64encode(self._chart(".svg")).decode()
        return render_html("fragment", title=self.title, body=render_html("image", title=self.title, data=data))

    def _chart(self, suffix: str) -> bytes:
        assert self.figure is not None
        return render(self.figure, suffix.removeprefix("."), title=self.title)


def check_path(path: Path, *, chart: bool) -> None:
    """Raise if a picture cannot be saved under this name; call it before expensive work.

    Args:
        path: The file.
        chart: Whether the picture has a chart.

    Raises:
        RecipeError: The suffix is none of a picture.
        MissingExtraError: The suffix is that of a chart and matplotlib is not installed.
    """
    allowed = (".html", *CHART) if chart else (".html",)
    if path.suffix.lower() not in allowed:
        choices = " or ".join(allowed)
        raise RecipeError(f"{path}: the name of this picture must end in {choices}, got {path.suffix or 'no suffix'!r}")
    if path.suffix.lower() in CHART:
        need_matplotlib()
