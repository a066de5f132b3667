"""Claims of paper 003 (Shepeleva et al.) about half-open classes: their closures, interiors, faces and order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from itertools import product

from polyrelu.analysis.claims.adjacency import sample_network
from polyrelu.analysis.claims.adjacency_lemma import PAPER
from polyrelu.analysis.claims.evidence import AllOf, Computation, Counterexample, Examined, HasPattern, Search, search
from polyrelu.analysis.claims.model import Claim, Outcome, Subject, found
from polyrelu.analysis.claims.proofs import n_cases, proved
from polyrelu.analysis.claims.subjects import check_dense_relu, refuse
from polyrelu.analysis.codes import code_space_of
from polyrelu.analysis.counterexamples import search_counterexample
from polyrelu.analysis.half_open import HalfOpenClass, half_open_class
from polyrelu.certificate.answer_rows import pattern_rows, value_at
from polyrelu.certificate.answers import RegionExists
from polyrelu.certificate.verdict import Evidence, Verdict
from polyrelu.errors import InputError, InternalError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.network.pattern import Pattern
from polyrelu.region.hrep import relu_recursion
from polyrelu.tessellation.build import tessellate

__all__ = ["CLASS_CLAIMS", "Point", "classes_of", "on_classes"]

Point = tuple[Fraction, ...]
ExamineClass = Callable[[HalfOpenClass], Evidence | None]
MOST_CLASSES = 3000

POLYHEDRON = "the closure of a class is the polyhedron of its rows, all taken as >= 0"
CONTAINED = "a class lies in the polyhedron of its rows"
RECURSION = "equation (17) gives, row by row, the signed preactivations on a class"
INTERIOR = "a point is in the interior of a class iff all its rows are > 0 there"
CLOSED = "a class equals the polyhedron of its rows"
RELATIVE = "x in a convex set F is in its relative interior iff for all y in F some l > 0 has l x + (1 - l) y in F"
UNION = "a class is the disjoint union of relative interiors of faces of its closure"
LATTICE = "the relative interiors that make up a class form a lattice"
LEMMA_2 = "a point of a class is in the relative interior of the smallest face that contains it"


def classes_of(network: Network, domain: Domain | None = None) -> Iterator[HalfOpenClass]:
    """Yield the class of each pattern that a point has."""
    t = tessellate(network, domain)
    space = code_space_of(t)
    yield from (half_open_class(t.network, space.pattern(i), t.domain) for i in range(len(space)))


def on_classes(subject: Subject, claim: str, statement: str, examine: ExamineClass) -> Verdict:
    """Return the verdict on one network: a class that contradicts the claim, or how many classes there are."""
    check_dense_relu(subject, claim)
    t = tessellate(subject.network, subject.domain)
    n = len(code_space_of(t))
    if n > MOST_CLASSES or t.hull is not None:
        raise InputError(
            f"Claim {claim} needs at most {MOST_CLASSES} classes and a domain with interior points but received {n} "
            f"classes in {subject.domain.label}. Change the domain."
        )
    result = _examine_network(examine, subject.network, subject.domain)
    if result.counterexample is not None:
        return found(statement, Outcome.FALSE, result.counterexample, "a class of this network")
    arguments = examine, subject.network, subject.domain
    fact = Computation("classes without exception", _examine_network, arguments, result)
    return found(statement, Outcome.TRUE, fact, f"all {result.n_cases} classes of this network")


def _examine_network(examine: ExamineClass, network: Network, domain: Domain | None) -> Examined:
    n = 0
    for each in classes_of(network, domain):
        counterexample = examine(each)
        if counterexample is not None:
            return Examined(n, counterexample)
        n += 1
    return Examined(n, None)


def _over(examine: ExamineClass, n_networks: int = 49) -> Search | Evidence:
    return search(f"classes of {n_networks} networks", partial(_examine_seed, examine), range(n_networks), sample=5)


def _examine_seed(examine: ExamineClass, seed: int) -> Examined:
    return _examine_network(examine, sample_network(seed), None)


def _refuted(statement: str, claim: str, examine: ExamineClass, text: str, subject: Subject | None) -> Verdict:
    """Return the verdict on one network, or the smallest counterexample that a search finds."""
    if subject is not None:
        return on_classes(subject, claim, statement, examine)

    def refutes(network: Network) -> Evidence | None:
        if not all(layer.weight.any(axis=1).all() for layer in network.hidden):
            return None  # a neuron without weights would be too cheap
        return _examine_network(examine, network, None).counterexample

    small = search_counterexample(refutes, SMALL, 60)
    if small is None:
        raise InternalError(f"The search for a counterexample of {claim} needs to find one. Please report this.")
    weights = "; ".join(f"{a.weight.astype(int).tolist()}, {a.bias.astype(int).tolist()}" for a in small.network.hidden)
    return found(statement, Outcome.FALSE, small.evidence, f"{text}; found among {small.n_examined}: {weights}")


SMALL = [(1, 1, 1), (1, 2)]


def _polyhedron(subject: Subject | None) -> Verdict:
    """Proof: mix a point of the polyhedron with a point of the class. Strict rows become > 0, the others stay >= 0."""
    if subject is not None:
        return on_classes(subject, "003-theorem-1-2", POLYHEDRON, _is_dense)
    evidence = _over(_is_dense)
    description = f"proof by mixing points; {n_cases(evidence)} classes of 49 networks recomputed"
    return proved(POLYHEDRON, [evidence], description)


def _is_dense(each: HalfOpenClass) -> Evidence | None:
    """The relative interior of the polyhedron belongs to the class."""
    top, region = each.faces[-1], each.region
    return None if top.is_inside else _outside(region.network, region.pattern, top.point)


def _outside(network: Network, pattern: Pattern, point: Point) -> Counterexample:
    """Return a point of the polyhedron of a pattern that has another pattern."""
    own = network.exact.pattern_at(point)
    fact = Computation("all rows are >= 0", are_rows_at_least_0, (network, pattern, point), True)
    return Counterexample(network, (point,), (own,), (fact,))


def are_rows_at_least_0(network: Network, pattern: Pattern, point: Point) -> bool:
    """Return whether a point is in the closed polyhedron of a pattern."""
    return all(value_at(row.row, point) >= 0 for row in pattern_rows(network, pattern, None))


def are_rows_positive(network: Network, pattern: Pattern, point: Point) -> bool:
    """Return whether all rows of a pattern are > 0 at a point."""
    return all(value_at(row.row, point) > 0 for row in pattern_rows(network, pattern, None))


def _contained(subject: Subject | None) -> Verdict:
    """Proof: on the class the rows are the signed preactivations, > 0 or >= 0 by the meaning of the digits."""
    if subject is not None:
        return on_classes(subject, "003-eq-15-16", CONTAINED, _is_contained)
    evidence = _over(_is_contained)
    return proved(CONTAINED, [evidence], f"proof by definition; {n_cases(evidence)} classes of 49 networks recomputed")


def _is_contained(each: HalfOpenClass) -> Evidence | None:
    network, pattern = each.region.network, each.region.pattern
    for face in each.inside:
        if not are_rows_at_least_0(network, pattern, face.point):
            fact = Computation("all rows are >= 0", are_rows_at_least_0, (network, pattern, face.point), False)
            return Counterexample(network, (face.point,), (pattern,), (fact,))
    return None


def _recursion(subject: Subject | None) -> Verdict:
    """Proof by induction over the layers: on the class each layer's output is its preactivation times its digits."""
    if subject is not None:
        return on_classes(subject, "003-eq-17", RECURSION, _is_recursion)
    evidence = _over(_is_recursion, 98)
    return proved(RECURSION, [evidence], f"proof by induction; {n_cases(evidence)} classes of 98 networks recomputed")


def _is_recursion(each: HalfOpenClass) -> Evidence | None:
    network, pattern, point = each.region.network, each.region.pattern, each.faces[-1].point
    rows = recursion_at(network, pattern, point)
    if rows == preactivations_at(network, pattern, point):
        return None
    return Computation("equation (17) at a point", recursion_at, (network, pattern, point), rows)


def recursion_at(network: Network, pattern: Pattern, point: Point) -> list[Fraction]:
    """Return the values of the rows of equation (17) at a point."""
    rows = (row for matrix in relu_recursion(network, pattern) for row in matrix.to_fractions())
    return [sum((a * x for a, x in zip(row, (*point, Fraction(1)), strict=True)), Fraction(0)) for row in rows]


def preactivations_at(network: Network, pattern: Pattern, point: Point) -> list[Fraction]:
    """Return the preactivations at a point, layer by layer, each times 1 or -1 as its digit is 1 or 0."""
    values, found_values = list(point), []
    for layer, digits in zip(network.hidden, pattern.layers, strict=True):
        pairs = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
        before = [sum((Fraction(w) * x for w, x in zip(row, values, strict=True)), Fraction(b)) for row, b in pairs]
        found_values += [value if digit else -value for value, digit in zip(before, digits, strict=True)]
        values = [max(value, Fraction(0)) for value in before]
    return found_values


def _interior(subject: Subject | None) -> Verdict:
    """False where a row is identically 0: no point has it > 0, although the class has an interior.

    True on classes without such rows: where all rows are > 0 a ball has the pattern, and a row that is not constant
    is > 0 in the interior of a set on which it is >= 0.
    """
    text = "a neuron is identically 0 on a class with interior points, so that its row is never > 0"
    return _refuted(INTERIOR, "003-eq-18", _has_strict_interior, text, subject)


def _has_strict_interior(each: HalfOpenClass) -> Evidence | None:
    region = each.region
    point = each.faces[-1].point
    if each.dim < region.network.dim or are_rows_positive(region.network, region.pattern, point):
        return None
    inside = RegionExists(region.network, region.pattern, region.domain, point)
    fact = Computation("all rows are > 0", are_rows_positive, (region.network, region.pattern, point), False)
    return Counterexample(region.network, (point,), (region.pattern,), (inside, fact))


def _closed(subject: Subject | None) -> Verdict:
    """False: a class is half-open. Its rows with digit 1 are > 0 and those with digit 0 are >= 0."""
    text = "a point at which all rows of a class are >= 0 has another pattern"
    return _refuted(CLOSED, "003-after-eq-18", _is_closed, text, subject)


def _is_closed(each: HalfOpenClass) -> Evidence | None:
    region = each.region
    missing = next((face for face in each.faces if not face.is_inside), None)
    return None if missing is None else _outside(region.network, region.pattern, missing.point)


def _relative(subject: Subject | None) -> Verdict:
    """False: l = 1 always works. With l > 1 it is the usual characterisation."""
    refuse(subject, "003-eq-8", "convex sets")
    ends = (Fraction(0), Fraction(1))
    fine = [Computation("0 + (1 - 1) y = 0 is in [0, 1]", _mixed, (ends[0], y, Fraction(1)), ends[0]) for y in ends]
    never = Computation("the largest l with l 0 + (1 - l) 1 in [0, 1]", _largest_factor, ends, Fraction(1))
    description = (
        "in F = [0, 1] the end point 0 passes, with l = 1, although it is not in (0, 1); with l > 1 in place of l > 0 "
        "it fails for y = 1, as it should"
    )
    return found(RELATIVE, Outcome.FALSE, AllOf((*fine, never)), description)


def _mixed(x: Fraction, y: Fraction, factor: Fraction) -> Fraction:
    return factor * x + (1 - factor) * y


def _largest_factor(x: Fraction, y: Fraction) -> Fraction | None:
    """Return the largest factor that keeps ``y + factor (x - y)`` in [0, 1], None if all do."""
    if x == y:
        return None
    return ((1 if x > y else 0) - y) / (x - y)


def _union(subject: Subject | None) -> Verdict:
    """Proof: a point of a polyhedron is in the relative interior of one face, and there each row is 0 or nowhere 0."""
    if subject is not None:
        return on_classes(subject, "003-theorem-1-3", UNION, _is_union)
    evidence = _over(_is_union)
    proof = "proof: rows are 0 or > 0 on a relative interior"
    description = f"{proof}; {n_cases(evidence)} classes of 49 networks recomputed"
    return proved(UNION, [evidence], description)


def _is_union(each: HalfOpenClass) -> Evidence | None:
    """Compare points of each face, and of a grid, with the faces that are said to make up the class."""
    network, pattern = each.region.network, each.region.pattern
    points = [face.point for face in each.faces]
    points += [tuple((a + 3 * b) / 4 for a, b in zip(points[-1], point, strict=True)) for point in points]
    points += [tuple(map(Fraction, x)) for x in product((-1, 0, 1), repeat=network.dim)]
    domain = each.region.domain
    for point in points if domain is None else filter(domain.contains, points):
        face = each.face_of(point)
        if (face is not None and face.is_inside) != (network.exact.pattern_at(point) == pattern):
            return HasPattern(network, point, network.exact.pattern_at(point))
    return None


def _lemma_2(subject: Subject | None) -> Verdict:
    """Proof: the boundary of a face is a union of smaller faces, none of which contains the point."""
    if subject is not None:
        return on_classes(subject, "003-lemma-2", LEMMA_2, _has_smallest_faces)
    evidence = _over(_has_smallest_faces)
    return proved(LEMMA_2, [evidence], f"proof in one sentence; {n_cases(evidence)} classes of 49 networks recomputed")


def _has_smallest_faces(each: HalfOpenClass) -> Evidence | None:
    """Each face's point lies in no face with more rows that vanish."""
    for face in each.inside:
        containing = [other for other in each.faces if all(_is_on(each, row, face.point) for row in other.rows)]
        if max(containing, key=lambda other: len(other.rows)).rows != face.rows:
            return HasPattern(each.region.network, face.point, each.region.pattern)
    return None


def _is_on(each: HalfOpenClass, row: int, point: Point) -> bool:
    return value_at(each.region.rows[row], point) == 0


def _lattice(subject: Subject | None) -> Verdict:
    """Proof with the empty face adjoined, as the least element.

    With two faces, the class contains every face above one of them (fewer strict rows vanish there), so that their
    least upper bound among all faces is in it. A finite order with a least element and all joins has all meets.
    """
    if subject is not None:
        return on_classes(subject, "003-theorem-1-3-lattice", LATTICE, _is_plain_lattice)
    evidence = _over(_is_lattice)
    between = Network.from_arrays([([[-1], [1]], [0, -1]), ([[1, 1]], [0])])
    plain = Computation("{0}, {1} and (0, 1) are a lattice", _is_plain, (between, Pattern.parse("00")), False)
    description = (
        f"proof in the code; {n_cases(evidence)} classes of 49 networks recomputed. Without the empty face it is "
        "false: the class 00 of (-x, x - 1) is {0}, {1} and (0, 1), and nothing lies below both ends"
    )
    return proved(LATTICE, [evidence], description, ("the empty face is adjoined",), [plain])


def _is_lattice(each: HalfOpenClass) -> Evidence | None:
    if each.is_lattice(with_empty_face=True):
        return None
    return Computation("a lattice", _is_plain, (each.region.network, each.region.pattern), False)


def _is_plain_lattice(each: HalfOpenClass) -> Evidence | None:
    if each.is_lattice(with_empty_face=False):
        return None
    return Computation("a lattice", _is_plain, (each.region.network, each.region.pattern, each.region.domain), False)


def _is_plain(network: Network, pattern: Pattern, domain: Domain | None = None) -> bool:
    return half_open_class(network, pattern, domain).is_lattice(with_empty_face=False)


def _claim(name: str, place: str, statement: str, expected: Outcome, decide: Callable[..., Verdict]) -> Claim:
    return Claim(f"003-{name}", PAPER, place, statement, expected, decide)


CLASS_CLAIMS = (
    _claim("theorem-1-2", "Theorem 1.2", POLYHEDRON, Outcome.TRUE, _polyhedron),
    _claim("eq-15-16", "eqs. (15), (16)", CONTAINED, Outcome.TRUE, _contained),
    _claim("eq-17", "eq. (17)", RECURSION, Outcome.TRUE, _recursion),
    _claim("eq-18", "eq. (18)", INTERIOR, Outcome.FALSE, _interior),
    _claim("after-eq-18", "after eq. (18)", CLOSED, Outcome.FALSE, _closed),
    _claim("eq-8", "eq. (8)", RELATIVE, Outcome.FALSE, _relative),
    _claim("theorem-1-3", "Theorem 1.3", UNION, Outcome.TRUE, _union),
    _claim("theorem-1-3-lattice", "Theorem 1.3", LATTICE, Outcome.TRUE_UNDER, _lattice),
    _claim("lemma-2", "Lemma 2", LEMMA_2, Outcome.TRUE, _lemma_2),
)
