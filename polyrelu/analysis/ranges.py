"""The exact range of each output on a domain, or the half-line along which it has no bound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Unpack

from polyrelu.analysis.ground import Ground, Options, find_ground, require
from polyrelu.analysis.maximum import OutputMaximum, OutputRise, is_about, maximize_outputs
from polyrelu.certificate.verdict import Verdict
from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network

__all__ = ["OutputRange", "RangeEvidence", "chosen_outputs", "output_range", "ranges_on"]


@dataclass(frozen=True, slots=True)
class OutputRange:
    """What values an output takes on a domain.

    Attributes
    ----------
    output : int
    lower, upper : Fraction or None
        The least and the largest value, attained; None where there is no bound.
    lower_point, upper_point : tuple of Fraction, length dim
        Inputs that attain them; where there is no bound, an input from which the half-line starts.
    lower_ray, upper_ray : tuple of Fraction or None
        A direction from there in which the output falls or rises for ever; None where there is a bound.
    """

    output: int
    lower: Fraction | None
    upper: Fraction | None
    lower_point: tuple[Fraction, ...]
    upper_point: tuple[Fraction, ...]
    lower_ray: tuple[Fraction, ...] | None = None
    upper_ray: tuple[Fraction, ...] | None = None

    def __str__(self) -> str:
        left = "(-inf" if self.lower is None else f"[{self.lower}"
        return f"{left}, {'inf)' if self.upper is None else f'{self.upper}]'}"


@dataclass(frozen=True, eq=False)
class RangeEvidence:
    """Proof of the ranges of some outputs on a domain.

    Attributes
    ----------
    ground : Ground
    ranges : tuple of OutputRange
    lower, upper : tuple of OutputMaximum or OutputRise, one for each range
        The lower end is proved as the largest value of minus the output.
    """

    ground: Ground
    ranges: tuple[OutputRange, ...]
    lower: tuple[OutputMaximum | OutputRise, ...]
    upper: tuple[OutputMaximum | OutputRise, ...]

    def check(self) -> None:
        """Raise `CertificateError` unless each end is proved, given that the regions cover the domain."""
        require(len(self.ranges) == len(self.lower) == len(self.upper), "two proofs for each range")
        for found, lower, upper in zip(self.ranges, self.lower, self.upper, strict=True):
            for sign, proof in ((-1, lower), (1, upper)):
                weights = tuple(Fraction(sign * (i == found.output)) for i in range(len(proof.weights)))
                require(proof.weights == weights, "a proof about this output")
                require(is_about(proof, self.ground), "a proof about this network and this domain")
                proof.check()
            require(_range_of(found.output, lower, upper) == found, "proofs of the ends that it states")


def output_range(
    network: Network,
    domain: Domain | None = None,
    outputs: Sequence[int] | None = None,
    **options: Unpack[Options],
) -> Verdict:
    """Return the exact least and largest value of each output on a domain.

    Parameters
    ----------
    network : Network
    domain : Domain, optional
        All of R^dim by default. It may be unbounded or flat.
    outputs : sequence of int, optional
        Which ones; all by default.
    **options
        ``method``, ``max_regions``, ``max_seconds``, ``progress``, as for `tessellate`.

    Returns
    -------
    Verdict
        Its value is a tuple of `OutputRange`. If a budget ended the enumeration, ``holds`` is None and the value are
        the ranges on the regions found (None if there is none): each true range contains them.

    Examples
    --------
    >>> from polyrelu.testing import xor
    >>> verdict = output_range(xor(), Domain.unit(2))
    >>> print(verdict.statement, verdict.value[0].upper_point)
    on 0:1,0:1 the range of output 0 is [0, 1] (Fraction(1, 1), Fraction(0, 1))
    >>> verdict.evidence.check()
    >>> found = output_range(xor(), Domain.all(2)).value[0]
    >>> print(found, found.upper, found.lower_point, found.lower_ray)
    (-inf, 1] 1 (Fraction(1, 1), Fraction(0, 1)) (Fraction(1, 1), Fraction(0, 1))
    """
    domain = domain or Domain.all(network.dim)
    numbers = chosen_outputs("output_range", network, outputs)
    ground = find_ground(network, domain, **options)
    if ground is None:
        return Verdict(f"the ranges of outputs {numbers} on {domain.label} are known", None, None)
    evidence = ranges_on(ground, numbers)
    sentences = ", ".join(f"the range of output {found.output} is {found}" for found in evidence.ranges)
    if not ground.tessellation.is_complete:
        return Verdict(f"on {domain.label} {sentences}", None, None, evidence.ranges)
    return Verdict(f"on {domain.label} {sentences}", True, evidence, evidence.ranges)


def ranges_on(ground: Ground, outputs: Sequence[int]) -> RangeEvidence:
    """Return the ranges of some outputs on the regions of a ground, with their proof."""
    n_out = ground.network.n_out
    weights = [[sign * (i == output) for i in range(n_out)] for output in outputs for sign in (-1, 1)]
    proofs = maximize_outputs(ground, weights)
    lower, upper = tuple(proofs[::2]), tuple(proofs[1::2])
    found = tuple(_range_of(*three) for three in zip(outputs, lower, upper, strict=True))
    return RangeEvidence(ground, found, lower, upper)


def chosen_outputs(who: str, network: Network, outputs: Sequence[int] | None) -> list[int]:
    """Return which outputs are meant; raise `InputError` for one that the network does not have."""
    chosen = list(range(network.n_out)) if outputs is None else list(outputs)
    for output in chosen:
        if not 0 <= output < network.n_out:
            raise InputError(
                f"{who} needs one of the network's {network.n_out} outputs but received {output}. Count from 0."
            )
    return chosen


def _range_of(output: int, lower: OutputMaximum | OutputRise, upper: OutputMaximum | OutputRise) -> OutputRange:
    return OutputRange(
        output,
        -lower.value if isinstance(lower, OutputMaximum) else None,
        upper.value if isinstance(upper, OutputMaximum) else None,
        lower.point,
        upper.point,
        None if isinstance(lower, OutputMaximum) else lower.ray,
        None if isinstance(upper, OutputMaximum) else upper.ray,
    )
