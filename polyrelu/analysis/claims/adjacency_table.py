"""How often Lemma 1 of paper 003 fails: a claim for each architecture, with its frequencies."""

from __future__ import annotations

from functools import partial

from polyrelu.analysis.claims.adjacency import apart_pair
from polyrelu.analysis.claims.adjacency_lemma import PAPER
from polyrelu.analysis.claims.evidence import AllOf, Computation
from polyrelu.analysis.claims.model import Claim, Outcome, Subject, found
from polyrelu.analysis.claims.subjects import refuse
from polyrelu.analysis.frequencies import AdjacencyFrequencies, adjacency_frequencies, integer_network
from polyrelu.certificate.verdict import Evidence, Verdict

__all__ = ["TABLE_CLAIMS"]

N_NETWORKS, SEED = 60, 2020
Architecture = tuple[int, ...]

ROWS: dict[str, tuple[Outcome, tuple[Architecture, ...]]] = {
    "depth-1": (Outcome.TRUE, ((1, 6), (2, 6), (3, 5))),
    "1-3-3": (Outcome.FALSE, ((1, 3, 3),)),
    "1-6-6": (Outcome.FALSE, ((1, 6, 6),)),
    "2-3-3": (Outcome.FALSE, ((2, 3, 3),)),
    "2-4-4": (Outcome.FALSE, ((2, 4, 4),)),
    "2-6-6": (Outcome.FALSE, ((2, 6, 6),)),
    "2-3-3-3": (Outcome.FALSE, ((2, 3, 3, 3),)),
    "2-4-4-4": (Outcome.FALSE, ((2, 4, 4, 4),)),
    "3-4-4": (Outcome.FALSE, ((3, 4, 4),)),
    "narrow-depth-2": (Outcome.TRUE_UNDER, ((2, 2, 2), (2, 2, 6), (3, 3, 3), (3, 3, 5), (3, 2, 5))),
    "narrow-depth-3": (Outcome.FALSE, ((2, 2, 2, 2), (2, 2, 3, 3), (3, 3, 3, 3))),
}
NARROW = ("the rows of the first layer's weight are linearly independent", "the biases of the second layer are not 0")


def _decide(row: str, subject: Subject | None) -> Verdict:
    """The rows with zeros are theorems (003-shallow and 003-narrow); the others have counterexamples."""
    refuse(subject, f"003-frequency-{row}", "random networks of its own")
    outcome, architectures = ROWS[row]
    counted = [adjacency_frequencies(architecture, N_NETWORKS, SEED) for architecture in architectures]
    description = "; ".join(_text(each) for each in counted)
    evidence = [_recounted(each) for each in counted]
    violating = next(((each.architecture, i) for each in counted for i in _violating(each)), None)
    if violating is None:
        hypotheses = NARROW if outcome is Outcome.TRUE_UNDER else ()
        outcome = Outcome.NOT_REFUTED if outcome is Outcome.FALSE else outcome
        return found(_statement(row), outcome, AllOf(tuple(evidence)), description, hypotheses)
    counterexample = apart_pair(integer_network(violating[0], (SEED, violating[1])))
    parts = evidence if counterexample is None else [counterexample, *evidence]
    return found(_statement(row), Outcome.FALSE, AllOf(tuple(parts)), description)


def _statement(row: str) -> str:
    names = ", ".join(f"{a[0]};{','.join(map(str, a[1:]))}" for a in ROWS[row][1])
    return f"in every network with inputs;widths {names} and general weights, Hamming distance 1 means a common facet"


def _text(counted: AdjacencyFrequencies) -> str:
    first, *widths = counted.architecture
    return (
        f"{first};{','.join(map(str, widths))}: {counted.n_violating} of {counted.n_networks} networks, "
        f"{counted.n_apart} of {counted.n_hamming1} pairs at distance 1 not adjacent ({counted.n_apart_in_last} of "
        f"them differ in the last layer), {counted.n_joined} adjacent pairs at a larger distance"
    )


def _recounted(counted: AdjacencyFrequencies) -> Evidence:
    """Return the counts of the first networks as a fact that can be counted again."""
    few = adjacency_frequencies(counted.architecture, 3, SEED)
    return Computation("counts of the first networks", adjacency_frequencies, (counted.architecture, 3, SEED), few)


def _violating(counted: AdjacencyFrequencies) -> list[int]:
    """Return the first network with a pair that is apart, in a list that is empty if there is none."""
    if not counted.n_violating:
        return []
    networks = (integer_network(counted.architecture, (SEED, i)) for i in range(counted.n_networks))
    return [next(i for i, network in enumerate(networks) if apart_pair(network) is not None)]


TABLE_CLAIMS = tuple(
    Claim(f"003-frequency-{row}", PAPER, "Lemma 1, frequencies", _statement(row), outcome, partial(_decide, row))
    for row, (outcome, _) in ROWS.items()
)
