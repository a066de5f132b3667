"""Networks with known answers, for tests and for teaching.

Every function returns a `Network` and says in its docstring what is exactly true of it; for arrangements a second
function, ``<family>_counts``, says how many regions there are over all of R^dim, by a formula and with its source.

>>> from polyrelu.testing import shi, shi_counts
>>> shi(3).n_neurons, shi_counts(3)
(6, Counts(regions=16, bounded=0))
"""

from __future__ import annotations

from polyrelu.testing.arrangements import (
    braid,
    catalan,
    central_arrangement,
    coxeter,
    generic_arrangement,
    graphic,
    grid,
    linial,
    pencil,
    resonance,
    semiorder,
    shi,
    threshold,
)
from polyrelu.testing.counts import (
    Counts,
    braid_counts,
    catalan_counts,
    central_counts,
    coxeter_counts,
    coxeter_shi_counts,
    generic_counts,
    graphic_counts,
    grid_counts,
    linial_counts,
    montufar_counts,
    pencil_counts,
    resonance_counts,
    semiorder_counts,
    shi_counts,
    telgarsky_counts,
    threshold_counts,
)
from polyrelu.testing.deep import (
    adjacency_counterexample,
    direct_sum,
    gaussian,
    montufar,
    telgarsky,
    thick_zero,
    xor,
)

__all__ = [
    "Counts",
    "adjacency_counterexample",
    "braid",
    "braid_counts",
    "catalan",
    "catalan_counts",
    "central_arrangement",
    "central_counts",
    "coxeter",
    "coxeter_counts",
    "coxeter_shi_counts",
    "direct_sum",
    "gaussian",
    "generic_arrangement",
    "generic_counts",
    "graphic",
    "graphic_counts",
    "grid",
    "grid_counts",
    "linial",
    "linial_counts",
    "montufar",
    "montufar_counts",
    "pencil",
    "pencil_counts",
    "resonance",
    "resonance_counts",
    "semiorder",
    "semiorder_counts",
    "shi",
    "shi_counts",
    "telgarsky",
    "telgarsky_counts",
    "thick_zero",
    "threshold",
    "threshold_counts",
    "xor",
]
