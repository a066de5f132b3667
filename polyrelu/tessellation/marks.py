"""The numbers that stand for places and owners in the arrays of a tessellation."""

from __future__ import annotations

__all__ = ["AT_INFINITY", "BORDER", "FAR_SIDE", "INSIDE", "ON_BORDER"]

INSIDE, ON_BORDER, AT_INFINITY = 0, 1, 2
"""Entries of `Tessellation.vertex_kind`."""

BORDER, FAR_SIDE = -1, -2
"""First entries of `Tessellation.vertex_rows` that are not neurons."""
