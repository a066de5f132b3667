"""Regions glued: arrays for millions of regions, how they meet, exact numbers on demand, files."""

from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.level_sets import LevelSet
from polyrelu.tessellation.model import Tessellation

__all__ = ["LevelSet", "Tessellation", "tessellate"]
