"""Claims of paper 003 (Shepeleva et al., ReLU code space): definitions and Theorem 1.1 here, and the list of all.

Adjacency is in `adjacency_lemma.py`, `adjacency_table.py` and `adjacency_true.py`, classes are in
`code_space_classes.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np

from polyrelu.analysis.answers import decide_region_exists
from polyrelu.analysis.claims.adjacency import generic_network, sample_network
from polyrelu.analysis.claims.adjacency_lemma import LEMMA_CLAIMS, PAPER
from polyrelu.analysis.claims.adjacency_table import TABLE_CLAIMS
from polyrelu.analysis.claims.adjacency_true import TRUE_CLAIMS
from polyrelu.analysis.claims.code_space_classes import CLASS_CLAIMS, classes_of
from polyrelu.analysis.claims.evidence import (
    AllOf,
    Computation,
    Counterexample,
    Examined,
    Exhaustive,
    HasPattern,
    search,
)
from polyrelu.analysis.claims.model import Claim, Outcome, Subject, found
from polyrelu.analysis.claims.proofs import n_cases, proved
from polyrelu.analysis.claims.subjects import refuse
from polyrelu.analysis.codes import CodeSpace, code_space_of
from polyrelu.analysis.counterexamples import search_counterexample
from polyrelu.certificate.answers import MapsEqual, RegionEmpty, RegionExists
from polyrelu.certificate.verdict import Verdict
from polyrelu.errors import InternalError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.region.model import Region
from polyrelu.tessellation.build import tessellate

__all__ = ["CLAIMS"]

SPACE = "the code space consists of the patterns of all points, those of lower-dimensional classes included"
METRIC = "the Hamming distance, truncated at any threshold of at least 1, is a metric on the code space"
SAME_CODE = "two inputs with one pattern have one affine map"
SAME_MAP = "two inputs with one affine map have one pattern"
BIJECTION = "patterns and classes correspond one to one"
INDICES = "the layers of equation (7) compose to the network of equation (6)"


def _space(subject: Subject | None) -> Verdict:
    """What is to be decided is how much larger the space is than the set of patterns of regions."""
    if subject is not None:
        evidence = _sizes("this network", subject.network, subject.domain)
        words = f"{evidence.value[0]} patterns, {evidence.value[1]} of them with a region"
        return found(SPACE, Outcome.DEFINITION, evidence, words)
    cross = Network.from_arrays([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])
    flat = Pattern.parse("00")
    no_region = decide_region_exists(cross, flat).evidence
    if not isinstance(no_region, RegionEmpty):
        raise InternalError("The pattern 00 of (x, -x) needs to have no region but has one. Please report this.")
    parts = HasPattern(cross, (Fraction(0),), flat), no_region
    n_generic = sum(_flat_patterns(generic_network(seed)) > 0 for seed in range(21))
    n_sample = sum(_flat_patterns(sample_network(seed)) > 0 for seed in range(49))
    description = (
        "in (x, -x) the point 0 alone has the pattern 00, and no region has it; such patterns occur in "
        f"{n_generic} of 21 random networks with large integers and in {n_sample} of 49 degenerate ones"
    )
    return found(SPACE, Outcome.DEFINITION, AllOf((*parts, _sizes("(x, -x)", cross, Domain.all(1)))), description)


def _sizes(name: str, network: Network, domain: Domain) -> Computation:
    what = f"patterns, and patterns with a region, of {name}"
    return Computation(what, _size, (network, domain), _size(network, domain))


def _size(network: Network, domain: Domain) -> tuple[int, int]:
    space = code_space_of(network, domain)
    return len(space), int(space.has_region.sum())


def _flat_patterns(network: Network) -> int:
    """Return how many patterns have no region."""
    n, n_regions = _size(network, Domain.all(network.dim))
    return n - n_regions


def _metric(subject: Subject | None) -> Verdict:
    """Proof: it is a sum of discrete metrics, one for each neuron; and min(a + b, t) <= min(a, t) + min(b, t)."""
    if subject is not None:
        space = code_space_of(subject.network, subject.domain)
        return _metric_on(space, _some(len(space)))
    evidence = search("triples of patterns, thresholds 1 to 4", _examine_metric, range(28), sample=4)
    return proved(METRIC, [evidence], f"proof: a sum of discrete metrics; {n_cases(evidence)} triples recomputed")


def _metric_on(space: CodeSpace, chosen: np.ndarray) -> Verdict:
    """Return whether the axioms hold for some patterns of a space."""
    part = CodeSpace(space.network, space.words[chosen], space.has_region[chosen])
    wrong = sum(count_violations(part, threshold) for threshold in (1, 2, 3, 4))
    what = f"violations among {len(part)} of {len(space)} patterns, thresholds 1 to 4"
    evidence = AllOf(tuple(Computation(what, count_violations, (part, each), 0) for each in (1, 2, 3, 4)))
    return found(METRIC, Outcome.FALSE if wrong else Outcome.TRUE, evidence, f"{wrong} {what}")


def _some(n: int) -> np.ndarray:
    """Return at most 100 numbers below n, evenly spread."""
    return np.unique(np.linspace(0, n - 1, min(n, 100)).astype(int))


def _examine_metric(seed: int) -> Examined:
    space = code_space_of(sample_network(seed))
    for threshold in (1, 2, 3, 4):
        wrong = count_violations(space, threshold)
        if wrong:
            return Examined(0, Computation("violated axioms", count_violations, (space, threshold), wrong))
    return Examined(4 * len(space) ** 3, None)


def count_violations(space: CodeSpace, threshold: int) -> int:
    """Return how many pairs and triples of a space violate an axiom of a metric."""
    d = space.distance_matrix(threshold).astype(np.int64)
    is_equal = np.eye(len(space), dtype=bool)
    triangles = (d[:, None, :] > d[:, :, None] + d[None, :, :]).sum()
    return int((d != d.T).sum() + ((d == 0) != is_equal).sum() + triangles)


def _same_code(subject: Subject | None) -> Verdict:
    """Proof: with the digits given, each layer is affine, and so is their composition."""
    refuse(subject, "003-same-code", "all networks")
    evidence = search("points with their patterns' maps", _examine_maps, range(49), sample=5)
    return proved(SAME_CODE, [evidence], f"proof by composition; {n_cases(evidence)} points recomputed")


def _examine_maps(seed: int) -> Examined:
    """Compare the affine map of each class with the network at a point of every face of it."""
    network = sample_network(seed)
    n = 0
    for each in classes_of(network):
        affine = Region(network, each.region.pattern).affine_map
        for face in each.inside:
            if affine(face.point) != network.exact(face.point):
                return Examined(n, HasPattern(network, face.point, each.region.pattern))
            n += 1
    return Examined(n, None)


def _same_map(subject: Subject | None) -> Verdict:
    """False: a layer that is off hides what the layers before it do."""
    if subject is not None:
        pair = _equal_maps(subject.network, subject.domain)
        if pair is not None:
            return found(SAME_MAP, Outcome.FALSE, pair, "two regions of this network with one affine map")
        arguments = subject.network, subject.domain
        fact = Computation("regions minus distinct affine maps", _count_equal, arguments, 0)
        return found(SAME_MAP, Outcome.TRUE, fact, "the regions of this network have distinct affine maps")
    small = search_counterexample(_equal_maps, [(1, 2), (1, 1, 1)], budget=60)
    lines, off = ([[1, 0], [0, 1], [1, 1]], [0, 0, -1]), ([[-1, -1, -1]] * 2, [-1, -1])
    dead = Network.from_arrays([lines, off, ([[1, 1]], [0])])
    hidden = _equal_maps(dead)
    if small is None or hidden is None:
        raise InternalError("The search for regions with one map needs to find some. Please report this.")
    description = (
        f"found among {small.n_examined} networks and made smaller, to {small.network.n_neurons} neurons; and behind a "
        f"layer that is never on, all {tessellate(dead).n_regions} regions of three lines have one map"
    )
    return found(SAME_MAP, Outcome.FALSE, AllOf((small.evidence, hidden)), description)


def _count_equal(network: Network, domain: Domain | None) -> int:
    t = tessellate(network, domain)
    return t.n_regions - t.n_affine_maps


def _equal_maps(network: Network, domain: Domain | None = None) -> Counterexample | None:
    """Return two regions with one affine map, None if all maps are distinct."""
    t = tessellate(network, domain)
    if t.n_affine_maps == t.n_regions:
        return None
    maps = t.linear_regions.maps
    order = np.argsort(maps, kind="stable")
    first = int(np.flatnonzero(np.diff(maps[order]) == 0)[0])
    a, b = order[first : first + 2].tolist()
    patterns = t.pattern(a), t.pattern(b)
    inside = [RegionExists(t.network, t.pattern(i), t.domain, t.witness(i)) for i in (a, b)]
    points = tuple(each.point for each in inside)
    return Counterexample(t.network, points, patterns, (*inside, MapsEqual(t.network, *patterns)))


def _bijection(subject: Subject | None) -> Verdict:
    """Proof: the classes are the sets of points with one value of a function, and the code space is its image."""
    network, domain = (subject.network, subject.domain) if subject else (sample_network(5), None)
    classes = list(classes_of(network, domain))
    parts = [HasPattern(e.region.network, e.faces[-1].point, e.region.pattern, e.region.domain) for e in classes]
    evidence = Exhaustive("a point of each class", len(code_space_of(network, domain)), tuple(parts))
    which = "this network" if subject else "one network"
    description = f"proof: fibres of a function; a point of each of the {len(parts)} classes of {which}"
    return found(BIJECTION, Outcome.TRUE, evidence, description)


def _indices(subject: Subject | None) -> Verdict:
    """Equation (6) needs g_1, ..., g_l; equation (7) numbers them from 0 to l and gives g_k the sizes of g_(k + 1)."""
    refuse(subject, "003-def-3", "the notation")
    sizes = (2, 3, 4)
    literal = Computation("layers of equation (7), l = 2", literal_layers, (sizes,), [(2, 3), (3, 4), None])
    meant = Computation("layers of equation (6)", meant_layers, (sizes,), [(2, 3), (3, 4)])
    description = (
        "a question of indices: for sizes 2, 3, 4 equation (7) has three layers, the last with a size that is not "
        "defined, and equation (6) composes two; read g_k: R^n_(k-1) -> R^n_k for k from 1 to l"
    )
    return found(INDICES, Outcome.DEFINITION, AllOf((literal, meant)), description)


def literal_layers(sizes: tuple[int, ...]) -> list[tuple[int, int] | None]:
    """Return the inputs and outputs of g_0, ..., g_l as printed: from n_k to n_(k + 1), None where that is missing."""
    return [(n, sizes[k + 1]) if k + 1 < len(sizes) else None for k, n in enumerate(sizes)]


def meant_layers(sizes: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return the inputs and outputs of g_1, ..., g_l as they compose: from n_(k - 1) to n_k."""
    return [(sizes[k - 1], sizes[k]) for k in range(1, len(sizes))]


def _claim(name: str, place: str, statement: str, expected: Outcome, decide: Callable[..., Verdict]) -> Claim:
    return Claim(f"003-{name}", PAPER, place, statement, expected, decide)


CLAIMS: tuple[Claim, ...] = (
    _claim("def-1", "Definition 1", SPACE, Outcome.DEFINITION, _space),
    _claim("def-1-metric", "Definition 1", METRIC, Outcome.TRUE, _metric),
    _claim("same-code", "after Definition 1", SAME_CODE, Outcome.TRUE, _same_code),
    _claim("same-map", "after Definition 1", SAME_MAP, Outcome.FALSE, _same_map),
    _claim("theorem-1-1", "Theorem 1.1", BIJECTION, Outcome.TRUE, _bijection),
    *CLASS_CLAIMS,
    *LEMMA_CLAIMS,
    *TRUE_CLAIMS,
    *TABLE_CLAIMS,
    _claim("def-3", "Definition 3", INDICES, Outcome.DEFINITION, _indices),
)
