"""What is claimed of activation regions and linear regions as sets: Section 2 of the paper.

The regions of the paper are *strict*: sets where every neuron is > 0 or < 0. They differ from `Tessellation`'s regions
where a neuron vanishes on a full-dimensional set.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, groupby

import numpy as np

from polyrelu.analysis.bounds import zaslavsky_count
from polyrelu.analysis.claims.evidence import Computation
from polyrelu.analysis.claims.few_patterns_deciding import (
    PAPER,
    decide_by_counting,
    definition,
)
from polyrelu.analysis.claims.few_patterns_networks import (
    all_patterns,
    degenerate_network,
    drawn_network,
    preactivations_at,
)
from polyrelu.analysis.claims.model import Claim, Outcome, Subject
from polyrelu.certificate.answer_rows import pattern_rows
from polyrelu.certificate.verdict import Verdict
from polyrelu.enumeration.count import count_regions
from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import rank
from polyrelu.network.activation import HARD_TANH, leaky_relu
from polyrelu.network.model import Network
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.geometry import facet_point

__all__ = ["CLAIMS"]

ARCHITECTURES = ((1, (3, 3)), (2, (3, 3)), (2, (4,)), (2, (2, 2, 2)), (3, (3, 2)))


def both_kinds(seed: int) -> tuple[Network, Domain]:
    """Return a drawn or a degenerate network, in turn, and all inputs."""
    dim, widths = ARCHITECTURES[seed // 2 % len(ARCHITECTURES)]
    draw = degenerate_network if seed % 2 else drawn_network
    return draw(seed, dim, widths), Domain.all(dim)


# Definitions --------------------------------------------------------------------------------------------------


TWICE = Network.from_arrays([([[1]], [0]), ([[1]], [0]), ([[1]], [0])])
"""relu(relu(x)), biases 0: on x < 0 the second neuron vanishes identically."""


def numbers_of(network: Network, domain: Domain) -> tuple[int, int, int]:
    """Return the numbers of regions, of strict regions and of linear regions."""
    t = tessellate(network, domain)
    return t.n_regions, int(t.is_strict.sum()), t.n_linear_regions


def zeros_of(network: Network, points: Sequence[Sequence[object]]) -> tuple[tuple[int, ...], ...]:
    """Return which neurons vanish at points."""
    return tuple(tuple(i for i, z in enumerate(preactivations_at(network, p)) if z == 0) for p in points)


STRICT = "An activation region is the set of inputs at which every neuron's preactivation has the sign of a pattern, \
+ or -; regions that are empty do not count."
BENT = "The bent hyperplane of a neuron is the set of inputs at which its preactivation, bias included, is 0."
LINEAR = "Linear regions are the connected components of what is left of the input space without the points at which \
the gradient of the network is discontinuous."


# Lemmas 1 and 7: convexity ------------------------------------------------------------------------------------


def returns_on_lines(network: Network, domain: Domain) -> tuple[int, int]:
    """Return how many points on lines were evaluated, and how often a line came back to a pattern that it had left.

    Lines run through all of a box around the origin, whatever the domain is.
    """
    random = np.random.default_rng(int(network.hash[:8], 16))
    n_points, n_returns = 0, 0
    for _ in range(3):
        p, q = ([Fraction(int(v), 20) for v in random.integers(-60, 61, network.dim)] for _ in range(2))
        steps = (Fraction(k, 30) for k in range(31))
        patterns = [network.exact.pattern_at([a + s * (b - a) for a, b in zip(p, q, strict=True)]) for s in steps]
        runs = [pattern for pattern, _ in groupby(patterns)]
        n_points += len(patterns)
        n_returns += len(runs) - len(set(runs))
    return n_points, n_returns


CONVEX = "Every activation region is convex, for all parameters."
CONVEX_ALL = "The sets of inputs with one pattern are convex for every continuous piecewise-linear activation."


def other_activation(seed: int) -> tuple[Network, Domain]:
    dim, widths = ARCHITECTURES[seed % len(ARCHITECTURES)]
    activation = (HARD_TANH, leaky_relu(Fraction(1, 2)), leaky_relu(-1))[seed % 3]
    return drawn_network(seed, dim, widths, activation), Domain.all(dim)


# Lemma 2 and equation (7): bent hyperplanes -------------------------------------------------------------------


def open_borders(network: Network, domain: Domain) -> tuple[int, int]:
    """Return how many regions and facets there are, and how many of them contradict Lemma 2.

    Regions are convex, hence connected. A strict one has no vanishing neuron at a point inside, any other has one: so
    strict regions lie outside the bent hyperplanes and the others within. Two strict regions that meet in a facet would
    be one component if no neuron vanished there.
    """
    t = tessellate(network, domain)
    strict = enumerate(t.is_strict.tolist())
    wrong = sum((0 in preactivations_at(t.network, t.witness(i))) == is_strict for i, is_strict in strict)
    facets = t.inner_facets.tolist()
    wrong += sum(0 not in preactivations_at(t.network, facet_point(t, facet) or ()) for facet in facets)
    return t.n_regions + len(facets), wrong


def kinks_without_zero(network: Network, domain: Domain) -> tuple[int, int]:
    """Return how many facets the network has a kink on, and on how many of them no neuron vanishes."""
    t = tessellate(network, domain)
    maps, pairs = t.linear_regions.maps, t.facet_regions
    kinks = [f for f in t.inner_facets.tolist() if maps[pairs[f, 0]] != maps[pairs[f, 1]]]
    return len(kinks), sum(0 not in preactivations_at(t.network, facet_point(t, f) or ()) for f in kinks)


COMPONENTS = "The activation regions are the connected components of the input space without the bent hyperplanes of \
all neurons, for all parameters."
KINKS = "The gradient of the network is discontinuous only at points of bent hyperplanes, for all parameters."


# Equation (4): hyperplanes in general position ----------------------------------------------------------------


def is_general_position(network: Network) -> bool:
    """Return whether the hyperplanes of the first layer are in general position.

    Any k of them meet in a set of codimension k, for k up to dim, and no dim + 1 of them in a point.
    """
    rows = [row.row for row in pattern_rows(network, next(all_patterns(network)), None)]
    if any(not any(row[:-1]) for row in rows):
        return False
    dim = network.dim
    normals = (rank([row[:-1] for row in each]) == len(each) for each in combinations(rows, min(dim, len(rows))))
    points = (rank(each) == len(each) for each in combinations(rows, min(dim + 1, len(rows))))
    return all(normals) and all(points)


def not_zaslavsky(network: Network, domain: Domain) -> tuple[int, int]:
    """Return (1, 1) if hyperplanes in general position have another number of regions than the formula says."""
    if not is_general_position(network) or domain.rows:
        return 0, 0
    return 1, int(count_regions(network) != zaslavsky_count(network.dim, network.n_neurons))


def one_layer(seed: int) -> tuple[Network, Domain]:
    dim, n = ((1, 7), (2, 8), (3, 6), (4, 6), (5, 4))[seed % 5]
    return drawn_network(seed, dim, [n]), Domain.all(dim)


ZASLAVSKY = "n hyperplanes of R^d in general position have sum over i <= d of C(n, i) regions; these are the \
activation regions of one hidden layer."


def decide_zaslavsky(subject: Subject | None) -> Verdict:
    """Decide the formula; a subject needs one hidden layer, and is examined on all inputs."""
    if subject is not None and len(subject.network.hidden) != 1:
        raise InputError(
            f"Claim 002-equation-4 needs one hidden layer but received {len(subject.network.hidden)}. Cut the network."
        )
    return _zaslavsky(subject)


_zaslavsky = decide_by_counting(
    "002-equation-4", ZASLAVSKY, not_zaslavsky, one_layer, range(40), "drawn hyperplanes in R^1 to R^5",
    "arrangements over all inputs whose general position is checked, counted by linear programs",
)  # fmt: skip


CLAIMS = (
    Claim(
        "002-definition-1", PAPER, "Definition 1", STRICT, Outcome.DEFINITION,
        definition(
            STRICT,
            "relu(relu(x)) with biases 0 has 2 regions where a neuron that is 0 counts as off, 1 strict region and 2 "
            "linear regions: the convention matters where a neuron vanishes identically",
            Computation("regions, strict regions, linear regions", numbers_of, (TWICE, Domain.all(1)), (2, 1, 2)),
        ),
    ),
    Claim(
        "002-equation-2", PAPER, "eq. (2)", BENT, Outcome.DEFINITION,
        definition(
            BENT,
            "for relu(relu(x)) the bent hyperplane of the first neuron is {0}, that of the second all x <= 0",
            Computation("which neurons vanish", zeros_of, (TWICE, ((-1,), (0,), (1,))), ((1,), (0, 1), ())),
        ),
    ),
    Claim(
        "002-lemma-1", PAPER, "Lemma 1", CONVEX, Outcome.NOT_REFUTED,
        decide_by_counting(
            "002-lemma-1", CONVEX, returns_on_lines, both_kinds, range(30), "30 drawn and degenerate networks",
            "points on lines, evaluated in rationals; no line may come back to a pattern that it has left", False,
        ),
    ),
    Claim(
        "002-lemma-7", PAPER, "Lemma 7", CONVEX_ALL, Outcome.NOT_REFUTED,
        decide_by_counting(
            "002-lemma-7", CONVEX_ALL, returns_on_lines, other_activation, range(30),
            "30 drawn networks with hard tanh and leaky ReLU, also of slope -1",
            "points on lines, evaluated in rationals; no line may come back to a pattern that it has left", False,
        ),
    ),
    Claim(
        "002-lemma-2", PAPER, "Lemma 2, eq. (3)", COMPONENTS, Outcome.NOT_REFUTED,
        decide_by_counting(
            "002-lemma-2", COMPONENTS, open_borders, both_kinds, range(40), "40 drawn and degenerate networks",
            "regions and facets, at an exact point of each: which neurons vanish",
        ),
    ),
    Claim(
        "002-definition-2", PAPER, "Definition 2", LINEAR, Outcome.DEFINITION,
        definition(
            LINEAR,
            "a network that is constant where its last layer is off: 3 regions, 3 strict, 1 linear region",
            Computation(
                "regions, strict regions, linear regions", numbers_of,
                (Network.from_arrays([([[1], [1]], [0, -1]), ([[-1, -1]], [-1]), ([[1]], [0])]), Domain.all(1)),
                (3, 3, 1),
            ),
        ),
    ),
    Claim(
        "002-equation-7", PAPER, "eq. (7)", KINKS, Outcome.NOT_REFUTED,
        decide_by_counting(
            "002-equation-7", KINKS, kinks_without_zero, both_kinds, range(40), "40 drawn and degenerate networks",
            "facets with different gradients on their sides, at an exact point of each: does a neuron vanish",
        ),
    ),
    Claim("002-equation-4", PAPER, "eq. (4)", ZASLAVSKY, Outcome.NOT_REFUTED, decide_zaslavsky),
)  # fmt: skip
