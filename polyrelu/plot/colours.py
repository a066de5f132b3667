"""Colours: of regions from their patterns, of layers in order, of classes told apart by everyone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["BORDER_COLOUR", "INK", "class_colours", "layer_colours", "lightened", "region_colours"]

INK = "#2b2b33"
BORDER_COLOUR = "#8a8a94"

# Paul Tol's "bright" scheme, which colour-blind people can tell apart.
CLASSES = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#8c8c8c")


def region_colours(words: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return a pale colour for each packed pattern, shape (n, 3): the same for a pattern in every picture."""
    mixed = np.full(len(words), 0x9E3779B97F4A7C15, np.uint64)
    for column in words.T:
        mixed = _mix(mixed ^ column)
    hue = (mixed & np.uint64(0xFFFF)).astype(np.float64) / 0xFFFF
    shade = (mixed >> np.uint64(16) & np.uint64(0xFFFF)).astype(np.float64) / 0xFFFF
    return _from_oklch(0.80 + 0.13 * shade, np.full(len(hue), 0.075), 2 * np.pi * hue)


def layer_colours(n_layers: int) -> NDArray[np.float64]:
    """Return a colour for each layer, from dark to bright, shape (n_layers, 3)."""
    import matplotlib

    stops = np.linspace(0.05, 0.75, n_layers) if n_layers > 1 else np.array([0.25])
    return matplotlib.colormaps["plasma"](stops)[:, :3]


def class_colours(n_classes: int) -> NDArray[np.float64]:
    """Return a strong colour for each class, shape (n_classes, 3)."""
    from matplotlib.colors import to_rgb

    if n_classes <= len(CLASSES):
        return np.array([to_rgb(colour) for colour in CLASSES[:n_classes]]).reshape(-1, 3)
    angles = 2 * np.pi * np.arange(n_classes) / n_classes
    return _from_oklch(np.where(np.arange(n_classes) % 2, 0.72, 0.56), np.full(n_classes, 0.13), angles)


def lightened(colours: NDArray[np.float64], amount: float = 0.62) -> NDArray[np.float64]:
    """Return colours mixed with this much white."""
    return 1 - (1 - np.asarray(colours)) * (1 - amount)


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the finaliser of SplitMix64 (Steele, Lea and Flood 2014): neighbouring patterns get unrelated numbers."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _from_oklch(
    lightness: NDArray[np.float64], chroma: NDArray[np.float64], hue: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return sRGB, shape (n, 3), of colours in OKLCH (Ottosson 2020), whose lightness the eye sees as equal."""
    a, b = chroma * np.cos(hue), chroma * np.sin(hue)
    lms = np.stack(
        [
            lightness + 0.3963377774 * a + 0.2158037573 * b,
            lightness - 0.1055613458 * a - 0.0638541728 * b,
            lightness - 0.0894841775 * a - 1.2914855480 * b,
        ]
    )
    to_linear = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    linear = np.clip((to_linear @ lms**3).T, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
