"""How the loops of this folder are compiled.

They are serial, cached across processes, and release the GIL. They allocate nothing: without numba's memory
runtime no reference is counted when tables are passed around, which would cost ten times the arithmetic.
Divisions follow IEEE (no exception for a zero divisor), because every bound treats infinities and NaN as
"not decided". Functions called in one place only are inlined: a table is passed as nine words. Only loops whose
error bounds allow it may fuse a product with a sum, or sum in another order.

Numba takes a cached function as current while its own file is unchanged, although what it calls may live in
another file. Here the stamp of every cached function covers all files of the folder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit

__all__ = ["contracted_loop", "inlined", "is_cached", "loop"]


def _sources() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


_STAMP = _sources()
_OPTIONS: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}


def _compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    def decorate(function: Callable[..., Any]) -> Any:
        dispatcher: Any = njit(**_OPTIONS, **options)(function)
        dispatcher._cache._cache_file._source_stamp = _STAMP
        return dispatcher

    return decorate


loop = _compiled()
inlined = _compiled(forceinline=True)
contracted_loop = _compiled(fastmath={"contract", "reassoc"})


def is_cached(function: Any) -> bool:
    """Return whether a compiled function needs no compiler: it has run before, here or in a process that kept it."""
    if function.signatures:
        return True
    function.targetctx.refresh()
    processor = function.targetctx.codegen().magic_tuple()
    return any(key[1] == processor for key in function._cache._cache_file._load_index())
