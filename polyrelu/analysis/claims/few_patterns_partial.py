"""What is claimed of partial regions, of vertices, and of how to find regions: Appendices A and C of the paper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import comb

import numpy as np

from polyrelu.analysis.answers import decide_region_exists
from polyrelu.analysis.claims.evidence import AllOf, Computation, Counterexample, Examined, Search, search
from polyrelu.analysis.claims.few_patterns_bends import text_of
from polyrelu.analysis.claims.few_patterns_deciding import PAPER, decide_by_counting, decide_for, definition
from polyrelu.analysis.claims.few_patterns_networks import drawn_network, preactivations_at, small_networks
from polyrelu.analysis.claims.model import Claim, Outcome, Subject, found
from polyrelu.certificate.verdict import Evidence, Verdict
from polyrelu.errors import InputError
from polyrelu.exact.domain import Domain
from polyrelu.exact.linalg import dot
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.model import Tessellation

__all__ = ["CLAIMS"]

Point = tuple[Fraction, ...]


def generic(seed: int) -> tuple[Network, Domain]:
    """Return a drawn network and all inputs."""
    dim, widths = ((1, (4, 3)), (2, (3, 3)), (2, (5,)), (2, (2, 2, 2)), (3, (3, 2)))[seed % 5]
    return drawn_network(seed, dim, widths), Domain.all(dim)


def generic_in_box(seed: int) -> tuple[Network, Domain]:
    """Return a drawn network and a box whose sides are thirteenths."""
    network, _ = generic(seed)
    random = np.random.default_rng([seed, 5])
    low = [Fraction(int(v), 13) for v in random.integers(-30, 5, network.dim)]
    sides = random.integers(9, 50, network.dim).tolist()
    return network, Domain.box(low, [a + Fraction(side, 13) for a, side in zip(low, sides, strict=True)])


# Definition 4 and Lemma 9 -------------------------------------------------------------------------------------


def split_partial_regions(network: Network, domain: Domain) -> tuple[int, int]:
    """Return how many open faces there are, and how many of them have a sign vector that another one has too.

    Faces are convex and their sign vectors, -, 0 or + for each neuron, are those of the partial patterns: if no two are
    equal, each partial region is one face.
    """
    t = tessellate(network, domain)
    signs: Counter[tuple[int, ...]] = Counter()
    for dim in range(t.dim + 1):
        faces = t.faces(dim)
        for i in np.flatnonzero(faces.is_inner).tolist():
            vector = [2 * digit - 1 for digit in t.pattern(int(faces.regions[i])).digits]
            for neuron in faces.neurons(i).tolist():
                vector[neuron] = 0
            signs[tuple(vector)] += 1
    return signs.total(), sum(count - 1 for count in signs.values())


PARTIAL = "A k-partial activation region is the set of inputs with a pattern of +, - and k marks, where marked neurons \
are 0."
PARTIAL_CONVEX = "Every k-partial activation region is convex, for all parameters."


def decide_partial(subject: Subject | None) -> Verdict:
    """Decide Lemma 9: an example for one reading, and a proof of the other.

    If marked neurons vanish, every neuron of a layer is an affine function where the layers before it have the
    pattern's signs and zeros. The region is then cut out by affine functions that are > 0, < 0 or = 0: it is convex.
    """
    if subject is not None:
        return decide_for(subject, "002-lemma-9", PARTIAL_CONVEX, split_partial_regions, "open faces and their signs")
    network, points = next(_holes())
    patterns = tuple(network.exact.pattern_at(p) for p in points)
    values = tuple(preactivations_at(network, p)[-1] for p in points)
    example = Counterexample(
        network, points, patterns, (Computation("the last neuron's values", last_values, (network, points), values),)
    )
    text = (
        f"a set where only the last neuron is prescribed, to be on, need not be convex: {_last_text(network)} is "
        f"{', '.join(map(str, values))} at {', '.join(str(p[0]) for p in points)}. If marked neurons vanish the lemma "
        "has a short proof"
    )
    hypotheses = ("a marked neuron is 0, instead of free to have any value",)
    return found(PARTIAL_CONVEX, Outcome.TRUE_UNDER, example, text, hypotheses)


def last_values(network: Network, points: Sequence[Point]) -> tuple[Fraction, ...]:
    """Return the last neuron's preactivations at points."""
    return tuple(preactivations_at(network, point)[-1] for point in points)


def _holes() -> Iterator[tuple[Network, tuple[Point, ...]]]:
    """Yield the smallest networks whose last neuron is on, off and on again at three points of a line."""
    points = tuple((Fraction(v),) for v in (-2, 0, 2))
    for network in small_networks(1, [2, 1]):
        left, middle, right = last_values(network, points)
        if left > 0 and middle < 0 and right > 0:
            yield network, points


def _last_text(network: Network) -> str:
    return text_of(network).removeprefix("relu(").removesuffix(")")


# Lemmas 11 to 13: faces in general position -------------------------------------------------------------------


def odd_faces(network: Network, domain: Domain) -> tuple[int, int]:
    """Return how many open faces there are, and how many have another codimension than vanishing neurons."""
    t = tessellate(network, domain)
    n_faces, odd = 0, 0
    for dim in range(t.dim + 1):
        faces = t.faces(dim)
        zeros = np.diff(faces.zero_indptr)[faces.is_inner]
        n_faces += len(zeros)
        odd += int((zeros != t.dim - dim).sum())
    return n_faces, odd


def too_many_partial(network: Network, domain: Domain) -> tuple[int, int]:
    """Return how many numbers k there are, and for how many of them there are more k-partial regions than (12) says.

    The bound is the sum over j >= k of ``C(j, k) 2^(j - k)`` times the number of points on j-dimensional faces of the
    box where exactly j neurons vanish. In the plane and for k = 0: 4 inner vertices + 2 on the sides + 4 corners.
    """
    t = _in_bounded(network, domain)
    points = Counter(neurons for neurons, sides in _vertices(t) if neurons + sides == t.dim)
    wrong = 0
    for k in range(t.dim + 1):
        bound = sum(comb(j, k) * 2 ** (j - k) * points[j] for j in range(k, t.dim + 1))
        wrong += t.count_partial_regions(k) > bound
    return t.dim + 1, wrong


def odd_vertices(network: Network, domain: Domain) -> tuple[int, int]:
    """Return how many vertices there are, and how many have not ``dim`` neurons and sides of the box in all.

    Vertices are finitely many: small enough balls around them are disjoint. Where j neurons vanish on a j-dimensional
    face of the box they are hyperplanes close by, so that the ball's part of what they leave is a ball again.
    """
    t = _in_bounded(network, domain)
    vertices = _vertices(t)
    return len(vertices), sum(neurons + sides != t.dim for neurons, sides in vertices)


def _vertices(t: Tessellation) -> list[tuple[int, int]]:
    """Return for each vertex how many neurons vanish there, and on how many sides of the box it lies."""
    found_here = []
    for vertex, point in enumerate(t.vertices_exact()):
        sides = sum(dot(row, (*point, Fraction(1))) == 0 for row in t.domain.rows)
        found_here.append((len(t.vertex_neurons(vertex)), sides))
    return found_here


def _in_bounded(network: Network, domain: Domain) -> Tessellation:
    t = tessellate(network, domain)
    if not t.bounded.all():
        raise InputError(
            f"Claims about vertices of a cube need a bounded domain but received {domain.label}. Give a box: LO:HI."
        )
    return t


HYPERPLANES = "With probability 1, where exactly k neurons vanish their common zeros are, nearby, a plane of \
codimension k."
VERTICES = "With probability 1, the number of k-partial regions that meet a cube is at most the sum over j >= k of \
C(j, k) 2^(j - k) times the number of points on its j-dimensional faces where exactly j neurons vanish."
BALLS = "With probability 1, the points on j-dimensional faces of a cube where j neurons vanish are isolated, and the \
neurons are hyperplanes in balls around them."


# Appendix A: how regions are found ----------------------------------------------------------------------------


def misjudged_cuts(network: Network, domain: Domain) -> tuple[int, int]:
    """Return how many regions of all neurons but the last there are, and for how many the corners' signs mislead.

    A region is cut by the last neuron if both of its patterns have a region; the rule of the paper says that it is if
    the neuron has both signs at the region's vertices.
    """
    layers = [(np.asarray(layer.weight), layer.bias) for layer in network.layers]
    (weight, bias), (output, constant) = layers[-2], layers[-1]
    without = Network.from_arrays([*layers[:-2], (weight[:-1], bias[:-1]), (output[:, :-1], constant)])
    t, patterns = _in_bounded(without, domain), set(tessellate(network, domain).pattern_texts())
    wrong = 0
    for i, text in enumerate(t.pattern_texts()):
        values = [preactivations_at(network, t.vertex_exact(v))[-1] for v in t.corners(i).tolist()]
        says = min(values) < 0 < max(values)
        wrong += says != (text + "0" in patterns and text + "1" in patterns)
    return t.n_regions, wrong


CUTS = "A neuron cuts a region if and only if it has different signs at some two of the region's vertices."


def decide_cuts(subject: Subject | None) -> Verdict:
    """Decide the rule: an unbounded region that misleads it, and bounded ones, for which it has a proof.

    An affine function on a bounded region lies between its values at the vertices and takes both signs inside if it
    takes both at vertices; if it takes one sign, or 0, at all of them it does so inside.
    """
    if subject is not None:
        return decide_for(subject, "002-appendix-a", CUTS, misjudged_cuts, "bounded regions without the last neuron")
    example, text = next(_unbounded_cuts())

    def examine(seed: int) -> Examined:
        n_cases, n_exceptions = misjudged_cuts(*generic_in_box(seed))
        evidence = Computation("misjudged cuts", misjudged_cuts, generic_in_box(seed), (n_cases, n_exceptions))
        return Examined(n_cases, evidence if n_exceptions else None)

    boxes = search("drawn networks in boxes", examine, range(30))
    assert isinstance(boxes, Search)
    hypotheses = ("the region is bounded; else the neuron's growth along the rays counts too",)
    what = f"{text}. In boxes, not refuted on {sum(boxes.n_cases)} regions; it has a short proof"
    return found(CUTS, Outcome.TRUE_UNDER, AllOf((example, boxes)), what, hypotheses)


def _unbounded_cuts() -> Iterator[tuple[Evidence, str]]:
    """Yield networks of two neurons on the line whose second one cuts a half-line and is not 0 at its end."""
    for network in small_networks(1, [2]):
        (a, _), (b, _) = network.hidden[0].weight[:, 0], network.hidden[0].bias
        if not a:
            continue
        end = (-Fraction(b) / Fraction(a),)
        value = preactivations_at(network, end)[1]
        for digit in (0, 1):
            patterns = tuple(Pattern(((digit, other),)) for other in (0, 1))
            existing = [decide_region_exists(network, pattern) for pattern in patterns]
            if value and all(verdict.holds for verdict in existing):
                facts = tuple(verdict.evidence for verdict in existing if verdict.evidence is not None)
                at_end = Computation("both neurons at the end", preactivations_at, (network, end), (Fraction(0), value))
                evidence = Counterexample(network, tuple(v.value for v in existing), patterns, (*facts, at_end))
                yield evidence, (
                    f"{text_of(network)}: the half-line with first digit {digit} has the only vertex {end[0]}, where "
                    f"the second neuron is {value}; but it has both signs on the half-line"
                )


CLAIMS = (
    Claim(
        "002-appendix-a", PAPER, "Appendix A", CUTS, Outcome.TRUE_UNDER, decide_cuts,
    ),
    Claim(
        "002-definition-4", PAPER, "Definition 4", PARTIAL, Outcome.DEFINITION,
        definition(
            PARTIAL, "three lines of the plane in general position: 7 regions, 9 edges, 3 vertices, for k = 0, 1, 2",
            Computation(
                "open faces, faces with equal signs", split_partial_regions,
                (Network.from_arrays([([[1, 0], [0, 1], [1, 1]], [0, 0, -1]), ([[1, 1, 1]], [0])]), Domain.all(2)),
                (19, 0),
            ),
        ),
    ),
    Claim("002-lemma-9", PAPER, "Lemma 9", PARTIAL_CONVEX, Outcome.TRUE_UNDER, decide_partial),
    Claim(
        "002-lemma-11", PAPER, "Lemma 11", HYPERPLANES, Outcome.NOT_REFUTED,
        decide_by_counting(
            "002-lemma-11", HYPERPLANES, odd_faces, generic, range(40), "40 drawn networks, biases not 0",
            "open faces of all dimensions, whose codimension is compared with the number of vanishing neurons",
        ),
    ),
    Claim(
        "002-lemma-12", PAPER, "Lemma 12, eq. (12)", VERTICES, Outcome.NOT_REFUTED,
        decide_by_counting(
            "002-lemma-12", VERTICES, too_many_partial, generic_in_box, range(40), "40 drawn networks in boxes",
            "numbers k for which k-partial regions and vertices are counted",
        ),
    ),
    Claim(
        "002-lemma-13", PAPER, "Lemma 13", BALLS, Outcome.NOT_REFUTED,
        decide_by_counting(
            "002-lemma-13", BALLS, odd_vertices, generic_in_box, range(30), "30 drawn networks in boxes",
            "vertices, at which vanishing neurons and sides of the box are counted",
        ),
    ),
)  # fmt: skip
