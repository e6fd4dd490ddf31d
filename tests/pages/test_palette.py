"""The palette: its colours stay apart for colour-blind readers, on light and on dark paper."""

from itertools import combinations

import numpy as np
import pytest

from tagger.pages.palette import COLOURS, LINES, colour_of, css_style, line_style

BOUND = 9.0  # CIEDE2000; about 2.3 is just noticeable side by side
# Machado, Oliveira and Fernandes (2009), "A physiologically-based model for simulation of color vision deficiency",
# severity 1, on linear RGB.
VISION = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]])


def linear(rgb: tuple[int, int, int]) -> np.ndarray:
    shares = np.array(rgb) / 255
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)


def lab(light: np.ndarray) -> np.ndarray:
    """CIELAB of linear RGB, with the white of sRGB."""
    ratios = XYZ @ light / XYZ.sum(1)
    x, y, z = np.where(ratios > 216 / 24389, np.cbrt(ratios), (24389 / 27 * ratios + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def ciede2000(one: np.ndarray, two: np.ndarray) -> float:
    """Sharma, Wu and Dalal (2005), "The CIEDE2000 color-difference formula", equations 2 to 22."""
    (l1, a1, b1), (l2, a2, b2) = one, two

    def share(chroma: float) -> float:
        return float(np.sqrt(chroma**7 / (chroma**7 + 25.0**7)))

    grow = 1 + 0.5 * (1 - share((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2))
    c1, c2 = np.hypot(grow * a1, b1), np.hypot(grow * a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, grow * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    middle = (h1 + turn / 2) % 360 if c1 * c2 else h1 + h2
    light, chroma, hue = l2 - l1, c2 - c1, 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    waves = ((-0.17, 1, -30), (0.24, 2, 0), (0.32, 3, 6), (-0.2, 4, -63))
    t = 1 + sum(weight * np.cos(np.radians(times * middle + shift)) for weight, times, shift in waves)
    light /= 1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2)
    chroma /= 1 + 0.045 * mean_c
    hue /= 1 + 0.015 * mean_c * t
    angle = 60 * np.exp(-(((middle - 275) / 25) ** 2))
    rotation = -2 * share(mean_c) * np.sin(np.radians(angle))
    return float(np.sqrt(light**2 + chroma**2 + hue**2 + rotation * chroma * hue))


@pytest.mark.parametrize(
    ("one", "two", "expected"),  # from table 1 of Sharma, Wu and Dalal (2005)
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_distance_has_its_published_values(one, two, expected: float) -> None:
    assert ciede2000(np.array(one, float), np.array(two, float)) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("vision", VISION)
def test_twelve_colours_stay_apart_for_each_kind_of_vision(vision: str) -> None:
    seen = [lab(np.clip(np.array(VISION[vision]) @ linear(rgb), 0, 1)) for rgb in COLOURS]
    assert len(seen) == 12
    distances = {pair: ciede2000(seen[pair[0]], seen[pair[1]]) for pair in combinations(range(12), 2)}
    closest = min(distances, key=distances.__getitem__)
    assert distances[closest] > BOUND, (closest, distances[closest])


@pytest.mark.parametrize("paper", [(255, 255, 255), (22, 24, 28)])
def test_each_colour_stands_out_from_light_and_dark_paper(paper: tuple[int, int, int]) -> None:
    for rgb in COLOURS:
        dark, light = sorted(float(XYZ[1] @ linear(each)) for each in (rgb, paper))
        assert (light + 0.05) / (dark + 0.05) > 1.5, rgb
        assert ciede2000(lab(linear(rgb)), lab(linear(paper))) > 15, rgb


def test_48_things_differ_in_colour_or_line_and_twelve_in_marker() -> None:
    number = len(COLOURS) * len(LINES)
    assert len({css_style(i) for i in range(number)}) == number == 48
    assert len({tuple(line_style(i).values()) for i in range(number)}) == number
    assert css_style(number) == css_style(0)
    for part in ("color", "marker"):
        assert len({line_style(i)[part] for i in range(12)}) == 12
    assert colour_of(0) == "#0072b2"
