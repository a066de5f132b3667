"""Which output is the largest: convex polygons with affine scores, cut where the winner changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from polyrelu.plot.view import Cells

__all__ = ["cut_classes"]

ZERO = 2.0**-40
"""Differences of scores this small, relative to the largest score, count as ties."""


def cut_classes(
    cells: Cells, scores: NDArray[np.float64]
) -> tuple[list[NDArray[np.float64]], NDArray[np.int64], NDArray[np.float64]]:
    """Return polygons, the class of each, and the segments between different classes.

    Parameters
    ----------
    cells : Cells
    scores : float64 array, shape (n_points, n_classes)
        At the corners, affine on each cell; the class of a point is its largest score, at a tie the first.

    Returns
    -------
    polygons : list of float64 array, shape (n_corners, 2)
    classes : int64 array, shape (n_polygons,)
    segments : float64 array, shape (n_segments, 2, 2)
    """
    near = ZERO * max(float(np.abs(scores).max(initial=0.0)), np.finfo(float).tiny)
    ties = scores >= scores.max(axis=1, keepdims=True, initial=-np.inf) - near
    everywhere = np.logical_and.reduceat(ties, cells.indptr[:-1], axis=0) if len(cells.regions) else ties[:0]
    whole = everywhere.any(axis=1)
    classes = np.argmax(everywhere, axis=1)
    polygons, labels, segments = [], [], []
    for cell, polygon in enumerate(cells.polygons()):
        rows = scores[cells.indptr[cell] : cells.indptr[cell + 1]]
        parts = [(polygon, rows, int(classes[cell]))] if whole[cell] else list(_parts(polygon, rows, near))
        for corners, values, label in parts:
            polygons.append(corners)
            labels.append(label)
            if whole[cell] and ties[cells.indptr[cell] : cells.indptr[cell + 1]].sum() == len(corners):
                continue  # no tie at any corner
            segments += _tied_sides(corners, values, label, near)
    return polygons, np.array(labels, np.int64), np.array(segments).reshape(-1, 2, 2)


def _parts(polygon: NDArray[np.float64], scores: NDArray[np.float64], near: float):  # type: ignore[no-untyped-def]
    """Yield (corners, scores, class) of the parts of a polygon with one class each."""
    reached = np.flatnonzero((scores > -np.inf).any(axis=0))
    for label in reached.tolist():
        rows = np.concatenate([polygon, scores], axis=1)
        for other in reached.tolist():
            if other != label and len(rows):
                rows = _half(rows, rows[:, 2 + label] - rows[:, 2 + other], near if other > label else -near)
        if len(rows) > 2:
            yield rows[:, :2], rows[:, 2:], label
