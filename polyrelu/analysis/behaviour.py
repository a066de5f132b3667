"""What a network does on a domain: the questions, in one place.

Each answer is exact and carries its evidence. A question with a yes or no, or a number, returns a `Verdict`; a question
for a set returns the set, with a ``check`` of its own. Evidence about all inputs speaks of every region, and stands on
a `Ground` that says of which network, which domain and which regions.

>>> from polyrelu import Domain
>>> from polyrelu.testing import xor
>>> from polyrelu.analysis.behaviour import output_range, preimage
>>> print(output_range(xor(), Domain.unit(2)).value[0])
[0, 1]
>>> preimage(xor(), Domain.box(["1/2"], [1]), Domain.unit(2)).volume
Fraction(3, 4)
"""

from __future__ import annotations

from polyrelu.analysis.classes import (
    ChosenEverywhere,
    class_boundary,
    class_set,
    decide_class_everywhere,
    decide_class_nowhere,
)
from polyrelu.analysis.equivalence import (
    Agree,
    Differ,
    Difference,
    DifferenceEvidence,
    decide_equivalent,
    max_difference,
)
from polyrelu.analysis.ground import Ground, find_ground
from polyrelu.analysis.images import OutputPiece, OutputUnion, image
from polyrelu.analysis.lipschitz import LipschitzEvidence, LocalLipschitz, local_lipschitz
from polyrelu.analysis.monotonicity import Monotone, Monotonicity, NotMonotone, decide_monotone
from polyrelu.analysis.polyhedra import Polyhedron
from polyrelu.analysis.preimages import InputPiece, InputUnion, preimage
from polyrelu.analysis.ranges import OutputRange, RangeEvidence, output_range
from polyrelu.analysis.reach import NotReached, Reached, decide_reachable
from polyrelu.analysis.side_by_side import difference, side_by_side

__all__ = [
    "Agree",
    "ChosenEverywhere",
    "Differ",
    "Difference",
    "DifferenceEvidence",
    "Ground",
    "InputPiece",
    "InputUnion",
    "LipschitzEvidence",
    "LocalLipschitz",
    "Monotone",
    "Monotonicity",
    "NotMonotone",
    "NotReached",
    "OutputPiece",
    "OutputRange",
    "OutputUnion",
    "Polyhedron",
    "RangeEvidence",
    "Reached",
    "class_boundary",
    "class_set",
    "decide_class_everywhere",
    "decide_class_nowhere",
    "decide_equivalent",
    "decide_monotone",
    "decide_reachable",
    "difference",
    "find_ground",
    "image",
    "local_lipschitz",
    "max_difference",
    "output_range",
    "preimage",
    "side_by_side",
]
