"""Pictures of extracted functions: layers merged one by one, and coefficients beside those of the network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyrelu.analysis.tropex.coefficients import CoefficientComparison
from polyrelu.analysis.tropex.process import MergeStep
from polyrelu.errors import InputError
from polyrelu.plot.canvas import fresh_axes, style
from polyrelu.plot.colours import CLASSES, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.typing import ColorType

__all__ = ["add_band", "plot_angles", "plot_merge_steps", "widen"]

BLUE, RED = CLASSES[:2]
LEAST_SPAN = 6.0
"""Percent that an axis of percentages shows at least."""


def plot_merge_steps(
    runs: Sequence[Sequence[MergeStep]], ax: Axes | None = None, names: Sequence[str] | None = None
) -> Axes:
    """Draw how many points keep their label while layers become an extracted function (Trimmel et al. 2021, Fig. 3).

    Parameters
    ----------
    runs : sequence of sequences of MergeStep
        What `transformation_process` returns for a network, ``[steps]``, or for several trained alike: the mean over
        them is a line, and one standard deviation to both sides a band.
    ax : Axes, optional
    names : sequence of str, optional
        Of the layers, from the last one to the first; default: how they are stored, as `MergeStep.layer` says.

    Raises
    ------
    InputError
        If there is no run, or the runs or names are not as many layers.
    """
    lengths = {len(run) for run in runs}
    if len(lengths) != 1 or (names is not None and {len(names) + 1} != lengths):
        raise InputError(
            f"plot_merge_steps needs runs, and names if any, of one number of layers but received {sorted(lengths)} "
            f"steps{'' if names is None else f' and {len(names)} names'}. Draw networks of one shape together."
        )
    ax = fresh_axes(ax)
    places = range(*lengths)
    for name, label, colour, dashed in (
        ("agreement", "same label as the network", BLUE, False),
        ("accuracy", "right label", RED, True),
    ):
        shares = [[getattr(step, name) for step in run] for run in runs]
        if all(share is not None for run in shares for share in run):
            add_band(ax, places, 100 * np.array(shares), colour, label, dashed=dashed)
    ax.set_xticks(places, ["none", *(names or [step.layer for step in runs[0][1:]])])
    style(ax, "layers merged, from the last one", "test points, %")
    widen(ax)
    ax.legend(frameon=False, fontsize="small", labelcolor=INK, loc="lower left")
    return ax


def plot_angles(comparison: CoefficientComparison, is_right: ArrayLike | None = None, ax: Axes | None = None) -> Axes:
    """Draw angle and distance between the slopes in a network and in its extracted function (Fig. 2), a dot a point.

    Parameters
    ----------
    comparison : CoefficientComparison
        As `compare_coefficients` returns it. Points without an angle are left out.
    is_right : bool array, shape (n,), optional
        In which colour; default: whether the extracted function has the network's label.
    ax : Axes, optional

    Raises
    ------
    InputError
        If ``is_right`` is not one for each point.
    """
    names = ("extracted function right", "wrong")
    if is_right is None:
        is_right, names = comparison.labels == comparison.extracted_labels, ("same label", "another label")
    chosen = np.asarray(is_right)
    if chosen.shape != comparison.angles.shape or chosen.dtype != np.bool_:
        raise InputError(
            f"plot_angles needs {len(comparison.angles)} times True or False but received {chosen.dtype} of shape "
            f"{chosen.shape}. Give one for each point."
        )
    ax = fresh_axes(ax)
    for part, colour, size, name in zip((chosen, ~chosen), (BLUE, RED), (12, 22), names, strict=True):
        shown = part & ~np.isnan(comparison.angles)
        ax.scatter(
            comparison.angles[shown], comparison.distances[shown], s=size, color=colour, alpha=0.6, linewidths=0,
            label=f"{name} ({int(shown.sum())})", zorder=2 if colour is BLUE else 3,
        )  # fmt: skip
    style(ax, "angle, degrees", "distance")
    ax.set_xlim(-5, max(100.0, float(np.nan_to_num(comparison.angles).max(initial=0.0)) + 5))
    ax.set_xticks([degrees for degrees in (0, 30, 60, 90, 120, 150, 180) if degrees <= ax.get_xlim()[1]])
    ax.set_yscale("symlog", linthresh=1, linscale=0.4)
    ax.set_ylim(-0.05, 2 * max(1.0, float(comparison.distances.max(initial=0.0))))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()
    ax.axvline(90, color=INK, linewidth=0.6, linestyle=":", zorder=0)
    ax.legend(framealpha=1, edgecolor="none", fontsize="small", labelcolor=INK, loc="lower right")
    return ax


def add_band(
    ax: Axes,
    places: Sequence[int],
    values: NDArray[np.float64],
    colour: ColorType,
    name: str,
    dashed: bool = False,
    limits: tuple[float, float] = (0.0, 100.0),
) -> None:
    """Draw the mean over runs as a line, and one deviation to both sides, up to what values there can be."""
    mean, deviation = values.mean(axis=0), values.std(axis=0)  # nan, where one run has no value, leaves a gap
    below, above = (np.clip(mean + sign * deviation, *limits) for sign in (-1, 1))
    ax.fill_between(places, below, above, color=colour, alpha=0.18, linewidth=0)
    ax.plot(places, mean, color=colour, marker="o", markersize=3.5, linestyle="--" if dashed else "-", label=name)


def widen(ax: Axes) -> None:
    """Show a span of percentages in which small deviations look small."""
    low, high = ax.get_ylim()
    ax.set_ylim(min(low, high - LEAST_SPAN), high, auto=True)  # axes that share the scale may have more to show
