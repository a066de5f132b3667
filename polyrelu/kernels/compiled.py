"""How the loops of this folder are compiled.

They are serial, cached across processes, and release the GIL. They allocate nothing: without numba's memory
runtime no reference is counted when tables are passed around, which would cost ten times the arithmetic.
Divisions follow IEEE (no exception for a zero divisor), because every bound treats infinities and NaN as
"not decided". Functions called in one place only are inlined: a table is passed as nine words. Only loops whose error bounds allow it may fuse a product with a sum.
"""

from __future__ import annotations

from numba import njit

__all__ = ["contracted_loop", "inlined", "loop"]

loop = njit(cache=True, nogil=True, error_model="numpy", _nrt=False)
inlined = njit(cache=True, nogil=True, error_model="numpy", _nrt=False, forceinline=True)
contracted_loop = njit(cache=True, nogil=True, error_model="numpy", _nrt=False, fastmath={"contract"})
