"""The claims of Hanin and Rolnick 2019, "Deep ReLU Networks Have Surprisingly Few Activation Patterns".

Networks are drawn in `few_patterns_networks`; each other ``few_patterns_*`` module decides one part of the paper.
"""

from __future__ import annotations

from polyrelu.analysis.claims import (
    few_patterns_bends,
    few_patterns_expected,
    few_patterns_partial,
    few_patterns_regions,
    few_patterns_scaling,
)
from polyrelu.analysis.claims.model import Claim

__all__ = ["CLAIMS"]

CLAIMS: tuple[Claim, ...] = (
    *few_patterns_regions.CLAIMS,
    *few_patterns_bends.CLAIMS,
    *few_patterns_expected.CLAIMS,
    *few_patterns_scaling.CLAIMS,
    *few_patterns_partial.CLAIMS,
)
