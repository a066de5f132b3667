"""The questions one can put to a single region, in one place.

Each answer is exact, or says ``_float`` and is proved to be on the safe side; what can be proved comes with its
evidence, and a ``check_*`` function that needs no solver.

>>> from polyrelu import Domain, Network, region_at
>>> from polyrelu.region.queries import exact_volume, nearest_point
>>> network = Network.from_arrays([([[1, 1], [1, 1]], [0, -1]), ([[1, -2]], [0])])
>>> strip = region_at(network, ["1/4", "1/4"], Domain.unit(2))
>>> exact_volume(strip), nearest_point(strip, [1, 1]).point
(Fraction(1, 2), (Fraction(1, 2), Fraction(1, 2)))
"""

from __future__ import annotations

from polyrelu.region.centre import InscribedBall, chebyshev_centre, check_ball
from polyrelu.region.ellipsoid import InscribedEllipsoid, check_ellipsoid, inscribed_ellipsoid_float
from polyrelu.region.nearest import Nearest, check_nearest, nearest_point
from polyrelu.region.sampling import hit_and_run
from polyrelu.region.volume import exact_volume, polytope_volume

__all__ = [
    "InscribedBall",
    "InscribedEllipsoid",
    "Nearest",
    "chebyshev_centre",
    "check_ball",
    "check_ellipsoid",
    "check_nearest",
    "exact_volume",
    "hit_and_run",
    "inscribed_ellipsoid_float",
    "nearest_point",
    "polytope_volume",
]
