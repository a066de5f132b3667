"""Properties: known answers, agreement with all regions, and proofs that are refused once they are changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import networks, random_networks, rationals, sliced_networks

from polyrelu.analysis.verification.bounds import float_layers, propagate
from polyrelu.analysis.verification.decide import PropertyProgress, decide_property
from polyrelu.analysis.verification.fixed import fixed_layers, propagate_fixed
from polyrelu.analysis.verification.proof import (
    BoxSplit,
    CaseProof,
    CellProof,
    ImpliedBound,
    ProofNode,
    PropertyHolds,
    PropertyViolated,
    UnitSplit,
)
from polyrelu.analysis.verification.property import Halfspaces, InputSet, Property, PropertyCase
from polyrelu.analysis.verification.vnnlib import parse_vnnlib, read_vnnlib
from polyrelu.certificate.verdict import Verdict, check_verdict
from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.errors import CertificateError, EnumerationInterrupted, InputError
from polyrelu.exact.domain import Domain
from polyrelu.exact.rational import primitive_row
from polyrelu.network.activation import ABS, HARD_TANH, IDENTITY, MAX_UNIT, Activation, leaky_relu
from polyrelu.network.load import load
from polyrelu.network.model import Layer, Network
from polyrelu.region import lp
from polyrelu.region.hull import decide_domain
from polyrelu.testing import thick_zero, xor

MODELS = Path(__file__).resolve().parents[3] / "shared" / "models"
needs_models = pytest.mark.skipif(not MODELS.is_dir(), reason="the folder of trained networks is not there")


def unsafe(*conditions: str, dim: int = 1, n_out: int = 1) -> Property:
    names = [f"X_{i}" for i in range(dim)] + [f"Y_{i}" for i in range(n_out)]
    return parse_vnnlib(
        "".join(f"(declare-const {name} Real)" for name in names) + "".join(f"(assert {each})" for each in conditions)
    )


def box(dim: int, low: object = 0, high: object = 1) -> list[str]:
    return [f"(and (>= X_{i} {low}) (<= X_{i} {high}))" for i in range(dim)]


def decided(network: Network, *conditions: str, **options: int) -> bool | None:
    """Return the answer, after a check of its proof."""
    verdict = decide_property(network, unsafe(*conditions, dim=network.dim, n_out=network.n_out), **options)
    check_verdict(verdict)
    return verdict.holds


# Known answers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("(>= Y_0 1)", False),  # the maximum is 1, and only touched
        ("(> Y_0 1)", True),
        ("(>= Y_0 1.0000000000000000000001)", True),
        ("(>= Y_0 0.9999999999999999999999)", False),
        ("(<= Y_0 0)", False),
        ("(< Y_0 0)", True),
        ("(or (< Y_0 0) (> Y_0 1))", True),
        ("(or (< Y_0 0) (>= Y_0 1))", False),
        ("(not (<= Y_0 1))", True),
        ("(and (>= Y_0 0.5) (<= Y_0 0.5))", False),
        ("(= Y_0 0.25)", False),
        ("(and (> Y_0 0.5) (< Y_0 0.5))", True),
    ],
)
def test_touching_and_strict_conditions(condition, holds):
    assert decided(xor(), *box(2), condition) is holds


@pytest.mark.parametrize(
    ("inputs", "condition", "holds"),
    [
        (["(= X_0 0.5)", "(= X_1 0.5)"], "(<= Y_0 0)", True),  # the value there is 1
        (["(= X_0 0.5)", "(= X_1 0.5)"], "(>= Y_0 1)", False),
        (["(= X_0 0.1)", "(<= X_1 0.2)", "(>= X_1 0)"], "(> Y_0 0.3)", True),  # no float is 0.1
        (["(= X_0 0.1)", "(<= X_1 0.2)", "(>= X_1 0)"], "(>= Y_0 0.3)", False),
        ([*box(2), "(<= (+ X_0 X_1) 0.25)"], "(>= Y_0 0.25)", False),
        ([*box(2), "(<= (+ X_0 X_1) 0.25)"], "(> Y_0 0.25)", True),
        ([*box(2), "(< (+ X_0 X_1) 0.25)"], "(>= Y_0 0.25)", True),
        (["(>= X_0 0)", "(>= X_1 0)", "(<= (+ X_0 (* 3 X_1)) 0.5)"], "(> Y_0 0.5)", True),  # bounds that only follow
        (["(>= X_0 0)", "(>= X_1 0)", "(<= (+ X_0 (* 3 X_1)) 0.5)"], "(>= Y_0 0.5)", False),
        (["(>= X_0 1)", "(<= X_0 0)", "(>= X_1 0)"], "(>= Y_0 -100)", True),  # no inputs
        ([*box(2), "(>= (+ X_0 X_1) 3)"], "(>= Y_0 -100)", True),
        ([*box(2), "(>= (+ X_0 X_1) 2)", "(> X_0 1)"], "(>= Y_0 -100)", True),
        (["(>= (- X_0 X_1) 1)", "(<= (- X_0 X_1) 0)"], "(>= Y_0 -100)", True),
        ([], "(> Y_0 1)", True),  # no bounds at all
        ([], "(>= Y_0 1)", False),
        (["(>= X_0 7)"], "(> Y_0 1)", True),
        (["(>= (+ X_0 X_1) 1)"], "(<= Y_0 -1000)", False),
        (["(>= (+ X_0 X_1) 1)", "(<= (+ X_0 X_1) 2)"], "(< Y_0 0)", True),  # a strip, which holds a line
        (["(or (= X_0 0) (= X_0 1))", "(or (= X_1 0) (= X_1 1))"], "(and (> Y_0 0) (< Y_0 1))", True),
    ],
)
def test_inputs_of_all_kinds(inputs, condition, holds):
    assert decided(xor(), *inputs, condition) is holds


def test_thick_zeros():
    network = thick_zero()
    assert decided(network, *box(2, -2, 2), "(>= Y_0 -1000000)") is False
    least = min(decided_value(network, region) for region in enumerate_brute(network, Domain.box([-2, -2], [-1, -1])))
    assert decided(network, *box(2, -2, -1), f"(<= Y_0 {decimal(least)})") is False
    assert decided(network, *box(2, -2, -1), f"(< Y_0 {decimal(least)})") is True


def decided_value(network, region):
    matrix, offset = region.affine_map.matrix[0], region.affine_map.offset[0]
    objective = [-v for v in (*matrix, offset)]
    scale = int(np.lcm.reduce([v.denominator for v in objective]))
    return -lp.maximize([int(v * scale) for v in objective], region.rows).value / scale


def decimal(value: Fraction) -> str:
    return f"(/ {value.numerator} {value.denominator})"


def test_networks_without_neurons_and_without_cases():
    affine = Network.from_arrays([([[2.0, -1.0], [0.0, 1.0]], [1.0, 0.0])])
    assert decided(affine, *box(2), "(> Y_0 3)") is True
    assert decided(affine, *box(2), "(>= Y_0 3)") is False
    assert decided(affine, *box(2), "false") is True
    assert decided(affine, *box(2)) is False
    assert decided(affine, "(>= Y_0 Y_0)", "(> X_0 X_0)") is True


@pytest.mark.parametrize("function", [ABS, HARD_TANH, leaky_relu("0.01"), leaky_relu(-2)], ids=lambda f: f.name)
def test_activations_touch_their_extremes(function):
    random = np.random.default_rng(1)
    arrays = [(random.standard_normal((6, 2)), random.standard_normal(6)), (random.standard_normal((1, 6)), [0.5])]
    network = Network.from_arrays(arrays, activation=function)
    largest = -min(-decided_high(region) for region in enumerate_brute(network, Domain.unit(2)))
    assert decided(network, *box(2), f"(> Y_0 {decimal(largest)})") is True
    assert decided(network, *box(2), f"(>= Y_0 {decimal(largest)})") is False


def decided_high(region) -> Fraction:
    objective = [*region.affine_map.matrix[0], region.affine_map.offset[0]]
    scale = int(np.lcm.reduce([v.denominator for v in objective], dtype=object))
    return Fraction(lp.maximize([int(v * scale) for v in objective], region.rows).value) / scale


def test_max_units():
    maxout = Activation((), np.full(2, MAX_UNIT), np.array([0, 3, 5]))
    weight = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])
    hidden = Layer(weight, np.zeros(5), maxout)
    network = Network((hidden,), Layer(np.array([[1.0, -1.0]]), np.zeros(1), Activation.same(IDENTITY, 1)))
    regions = enumerate_brute(network, Domain.box([-1, -1], [1, 1]))
    largest = max(map(decided_high, regions))
    assert decided(network, *box(2, -1, 1), f"(> Y_0 {decimal(largest)})") is True
    assert decided(network, *box(2, -1, 1), f"(>= Y_0 {decimal(largest)})") is False


@pytest.mark.parametrize(
    ("inputs", "condition", "holds"),
    [
        (box(2, "-1e390", "1e390"), "(<= Y_0 -1e389)", False),  # beyond all floats
        (box(2, "-1e390", "1e390"), "(> Y_0 1)", True),
        (box(2, "1e380", "1e390"), "(>= Y_0 -1e370)", True),
        (box(2), "(>= Y_0 1e399)", True),
        (box(2, 0, "1e-390"), "(> Y_0 2e-390)", True),
        (box(2, 0, "1e-390"), "(>= Y_0 2e-390)", False),
    ],
)
def test_numbers_that_no_float_holds(inputs, condition, holds):
    assert decided(xor(), *inputs, condition) is holds


# Agreement ------------------------------------------------------------------------------------------------------


@st.composite
def properties(draw, dim: int) -> Property:
    """Draw a property of one output on a box or a polytope, often near values that the network takes."""
    lower = draw(st.lists(rationals(), min_size=dim, max_size=dim))
    widths = draw(st.lists(st.sampled_from([1, 2, Fraction(1, 2), 0]), min_size=dim, max_size=dim))
    upper = [low + width for low, width in zip(lower, widths, strict=True)]
    rows, strict = [], []
    if draw(st.booleans()):
        normal = draw(st.lists(st.integers(-2, 2), min_size=dim, max_size=dim))
        rows, strict = [(*normal, draw(st.integers(-1, 2)))], [draw(st.booleans())]
    outputs = []
    for _ in range(draw(st.integers(1, 2))):
        sides = draw(st.lists(st.tuples(st.sampled_from([1, -1]), rationals()), min_size=1, max_size=2))
        own = tuple((sign * value.denominator, -sign * value.numerator) for sign, value in sides)
        outputs.append(Halfspaces(own, tuple(draw(st.booleans()) for _ in own)))
    inputs = InputSet(tuple(lower), tuple(upper), Halfspaces(tuple(rows), tuple(strict)))
    return Property(dim, 1, (PropertyCase(inputs, tuple(outputs)),))


def holds_by_regions(network: Network, question: Property) -> bool:
    """Decide a property by one linear program for each region and output polyhedron."""
    [case] = question.cases
    domain = Domain.box(case.inputs.lower, case.inputs.upper)
    hull = decide_domain(domain).hull
    for region in enumerate_brute(network, domain):
        for halfspaces in case.outputs:
            rows, strict = list(region.rows), [False] * len(region.rows)
            forms = [(row, case_strict) for row, case_strict in zip(halfspaces.rows, halfspaces.strict, strict=True)]
            for (a, c), is_strict in forms:
                rows.append(integer([a * v for v in region.affine_map.matrix[0]], a * region.affine_map.offset[0] + c))
                strict.append(is_strict)
            for row, is_strict in zip(case.inputs.halfspaces.rows, case.inputs.halfspaces.strict, strict=True):
                rows.append(row if hull is None else pulled(row, hull.matrix))
                strict.append(is_strict)
            if isinstance(lp.find_point(rows, strict, region.network.dim), lp.Witness):
                return False
    return True


def integer(normal, constant):
    values = [Fraction(v) for v in (*normal, constant)]
    scale = int(np.lcm.reduce([v.denominator for v in values], dtype=object))
    return tuple(int(v * scale) for v in values)


def pulled(row, affine):
    columns = list(zip(*affine.to_fractions(), strict=True))
    values = [sum(a * v for a, v in zip(row[:-1], column, strict=True)) for column in columns]
    return integer(values[:-1], values[-1] + row[-1])


@settings(max_examples=60)
@given(st.data())
def test_agrees_with_all_regions(data):
    network = data.draw(st.one_of(networks(dims=(1, 2, 3), max_neurons=6), random_networks(dims=(2, 3), max_neurons=8)))
    question = data.draw(properties(network.dim))
    verdict = decide_property(network, question)
    assert verdict.holds is holds_by_regions(network, question)
    check_verdict(verdict)


@settings(max_examples=15)
@given(st.data())
def test_agrees_on_slices(data):
    network = data.draw(sliced_networks())
    question = data.draw(properties(network.dim))
    verdict = decide_property(network, question)
    assert verdict.holds is holds_by_regions(network, question)
    check_verdict(verdict)


@settings(max_examples=60)
@given(st.data())
def test_bounds_hold_at_points(data):
    """A zonotope, in floats and in integers, contains what the network gives at points of its box."""
    network = data.draw(networks(dims=(1, 2, 3), max_neurons=7))
    lower = data.draw(st.lists(rationals(), min_size=network.dim, max_size=network.dim))
    upper = [low + data.draw(st.sampled_from([1, Fraction(1, 3), Fraction(1, 1000), 0])) for low in lower]
    low = np.nextafter([float(v) for v in lower], -np.inf)
    high = np.nextafter([float(v) for v in upper], np.inf)
    bounds = propagate(float_layers(network), low, high, np.array(lower) == np.array(upper), {})
    [form] = propagate_fixed(network, fixed_layers(network), lower, upper, {})[2]
    reach = float(bounds.outputs.reach[0]) * (1 + 2.0**-30) + bounds.outputs.error[0]
    parts = st.lists(st.sampled_from([0, 1, Fraction(1, 3)]), min_size=network.dim, max_size=network.dim)
    for weight in data.draw(st.lists(parts, min_size=1, max_size=4)):
        point = [a + w * (b - a) for a, b, w in zip(lower, upper, weight, strict=True)]
        [value] = network.exact(point)
        assert form.centre - form.reach <= value * 2**80 <= form.centre + form.reach
        if np.isfinite(reach):
            centre = Fraction(float(bounds.outputs.centre[0]))
            assert centre - Fraction(float(reach)) <= value <= centre + Fraction(float(reach))


# Budgets, errors, interrupts ------------------------------------------------------------------------------------


def wide() -> tuple[Network, Property]:
    random = np.random.default_rng(0)
    arrays = [(random.standard_normal((12, n)), random.standard_normal(12)) for n in (3, 12)]
    network = Network.from_arrays([*arrays, (random.standard_normal((1, 12)), [0.0])])
    return network, unsafe(*box(3, -1, 1), "(> Y_0 1000000)", dim=3)


def hard() -> tuple[Network, Property]:
    """Return a network and a property that it keeps by a hair."""
    network, _ = wide()
    largest = max(decided_high(region) for region in enumerate_brute(network, Domain.box([-1] * 3, [1] * 3), 24))
    return network, unsafe(*box(3, -1, 1), f"(> Y_0 {decimal(largest)})", dim=3)


def test_budgets_keep_what_is_proved():
    network, question = hard()
    assert decide_property(*wide()).value.n_cells == 1
    whole = decide_property(network, question)
    assert whole.holds and whole.value.share == 1
    check_verdict(whole)
    for budget in ({"max_boxes": 10}, {"max_seconds": 0.0}, {"max_regions": 0}):
        verdict = decide_property(network, question, **budget)
        assert (verdict.holds, verdict.evidence) == (None, None)
        assert isinstance(verdict.value, PropertyProgress) and 0 <= verdict.value.share < 1
    assert decide_property(network, question, max_boxes=10).value.n_cells == 10


def test_interrupts_keep_what_is_proved():
    def interrupt(n_cells: int) -> None:
        raise KeyboardInterrupt

    network, question = hard()
    with pytest.raises(EnumerationInterrupted) as caught:
        decide_property(network, question, progress=interrupt)
    assert isinstance(caught.value.partial, Verdict) and caught.value.partial.value.n_cells == 16


def test_wrong_sizes_are_refused():
    with pytest.raises(InputError, match="2 inputs and 1 outputs, those of the network, but property has 3 and 1"):
        decide_property(xor(), unsafe(dim=3))


# Refusals -------------------------------------------------------------------------------------------------------


def proofs() -> list[PropertyHolds]:
    network, question = hard()
    strip = ["(>= X_0 0)", "(>= X_1 0)", "(<= (+ X_0 (* 3 X_1)) 0.5)"]
    answers = [
        decide_property(network, question),
        decide_property(xor(), unsafe(*strip, "(> Y_0 0.5)", dim=2)),
        decide_property(xor(), unsafe("(> Y_0 1)", dim=2)),
        decide_property(xor(), unsafe(*box(2), "(or (> Y_0 1) (< Y_0 0))", dim=2)),
    ]
    return [answer.evidence for answer in answers]


def changed(proof: PropertyHolds) -> Iterator[PropertyHolds]:
    """Yield proofs with one thing changed that each of them needs."""
    yield dataclasses.replace(proof, cases=proof.cases[:-1])
    for number, case in enumerate(proof.cases):
        for other in changed_cases(case):
            yield dataclasses.replace(proof, cases=(*proof.cases[:number], other, *proof.cases[number + 1 :]))


def changed_cases(case: CaseProof) -> Iterator[CaseProof]:
    nodes = case.nodes
    yield dataclasses.replace(case, nodes=nodes[:-1])
    yield dataclasses.replace(case, nodes=(*nodes, nodes[-1]))
    for bound in case.bounds[:2]:
        tighter = dataclasses.replace(bound, value=bound.value + (-1 if bound.is_upper else 1))
        others = tuple(tighter if each is bound else each for each in case.bounds)
        yield dataclasses.replace(case, bounds=others)
        yield dataclasses.replace(case, bounds=(dataclasses.replace(bound, input=7),))
    for i in range(0, len(nodes), max(1, len(nodes) // 40)):
        for other in changed_nodes(nodes[i]):
            yield dataclasses.replace(case, nodes=(*nodes[:i], other, *nodes[i + 1 :]))


def changed_nodes(node: ProofNode) -> Iterator[ProofNode]:
    if node.split is None:
        yield dataclasses.replace(node, proofs=node.proofs[1:])
        yield dataclasses.replace(node, split=BoxSplit(0, Fraction(10**6)))
    elif isinstance(node.split, UnitSplit):
        for split in (UnitSplit(node.split.layer, 1000), UnitSplit(-1, 0), None):
            yield dataclasses.replace(node, split=split)
    else:
        yield dataclasses.replace(node, split=BoxSplit(node.split.input, Fraction(10**6)))
        yield dataclasses.replace(node, split=BoxSplit(-1, node.split.at))
    for found in node.proofs:
        others = tuple(each for each in node.proofs if each is not found)
        for other in changed_proofs(found):
            yield dataclasses.replace(node, proofs=(*others, other))


def changed_proofs(found: CellProof) -> Iterator[CellProof]:
    (row, factor), rest = found.multipliers[0], found.multipliers[1:]
    for multipliers in (((row, -factor), *rest), ((row + 1000, factor), *rest), ((-1, factor), *rest), ()):
        yield dataclasses.replace(found, multipliers=multipliers)
    yield dataclasses.replace(found, excluded=())
    yield dataclasses.replace(found, excluded=(9,))
    if found.is_exact and rest:
        yield dataclasses.replace(found, multipliers=((row, 2 * factor), *rest))
        yield dataclasses.replace(found, multipliers=rest)


def test_changed_proofs_are_refused():
    n_changed = 0
    for proof in proofs():
        proof.check()
        for wrong in changed(proof):
            n_changed += 1
            with pytest.raises(CertificateError, match="The proof of a property needs"):
                wrong.check()
    assert n_changed > 200


def test_proofs_of_something_else_are_refused():
    proof = decide_property(xor(), unsafe(*box(2), "(> Y_0 1)", dim=2)).evidence
    for other in (unsafe(*box(2), "(>= Y_0 1)", dim=2), unsafe(*box(2, 0, 2), "(< Y_0 0)", dim=2)):
        with pytest.raises(CertificateError):
            dataclasses.replace(proof, unsafe=other).check()
    with pytest.raises(CertificateError):
        dataclasses.replace(proof, network=wide()[0]).check()
    steeper = Network.from_arrays([([[1, 1], [1, 1]], [0, -1]), ([[1, -1.5]], [0])])
    with pytest.raises(CertificateError):
        dataclasses.replace(proof, network=steeper, unsafe=unsafe(*box(2), "(> Y_0 0.5)", dim=2)).check()


def test_changed_witnesses_are_refused():
    found = decide_property(xor(), unsafe(*box(2), "(>= Y_0 1)", dim=2))
    assert isinstance(found.evidence, PropertyViolated) and found.evidence.outputs == (1,)
    check_verdict(found)
    for changes in (
        {"inputs": (Fraction(0), Fraction(0))},
        {"inputs": (Fraction(0), Fraction(0)), "outputs": (Fraction(0),)},
        {"inputs": (Fraction(1),)},
        {"outputs": (Fraction(2),)},
        {"unsafe": unsafe(*box(2), "(> Y_0 1)", dim=2)},
        {"unsafe": unsafe(*box(2, 7, 8), "(>= Y_0 1)", dim=2)},
    ):
        with pytest.raises(CertificateError):
            dataclasses.replace(found.evidence, **changes).check()


def test_shapes_are_checked():
    with pytest.raises(InputError, match="rows of one length"):
        Halfspaces(((1, 2), (1,)), (False, False))
    with pytest.raises(InputError, match="InputSet needs"):
        InputSet((Fraction(0),), ())
    assert ImpliedBound(0, True, Fraction(1), ()).is_upper


# Trained networks -----------------------------------------------------------------------------------------------


@needs_models
@pytest.mark.parametrize(
    ("name", "number", "holds"),
    [("1_1", 4, True), ("2_3", 4, True), ("2_3", 3, True), ("1_1", 2, True), ("2_3", 2, False)],
)
def test_controllers(name, number, holds):
    network = load(MODELS / f"ACASXU_run2a_{name}_batch_2000.onnx")
    verdict = decide_property(network, read_vnnlib(MODELS / f"prop_{number}.vnnlib"))
    assert verdict.holds is holds
    if verdict.value.n_cells < 200:
        check_verdict(verdict)


@needs_models
@pytest.mark.parametrize("name", ["mnist-net_256x2", "Convnet_avgpool", "Convnet_maxpool"])
@pytest.mark.parametrize("radius", ["0.001", "0.2"])
def test_images(name, radius):
    network = load(MODELS / f"{name}.onnx")
    data = np.load(MODELS / "mnist_samples.npz", allow_pickle=False)
    image = [Fraction(int(v), 255) for v in data["images"][1].ravel()]
    label = int(network(np.array([float(v) for v in image])).argmax())
    lower, upper = ([min(max(v + s * Fraction(radius), Fraction(0)), Fraction(1)) for v in image] for s in (-1, 1))
    rows = [(*(int(j == i) - int(j == label) for j in range(10)), 0) for i in range(10) if i != label]
    case = PropertyCase(InputSet.box(lower, upper), tuple(Halfspaces((row,), (False,)) for row in rows))
    verdict = decide_property(network, Property(784, 10, (case,)))
    assert verdict.holds is (radius == "0.001")
    check_verdict(verdict)


def test_max_units_beside_others_with_digits():
    """A digit of the last scalar unit, which is no position among candidates."""
    activation = Activation((ABS,), np.array([MAX_UNIT, 0]), np.array([0, 2, 3]))
    hidden = Layer(np.array([[1.0], [-1.0], [1.0]]), np.array([0.0, 0.0, -0.5]), activation)
    output = Layer(np.array([[1.0, 1.0]]), np.zeros(1), Activation.same(IDENTITY, 1))
    network = Network((hidden,), output)
    for bound, holds in (("5/2", True), ("49/20", False)):
        case = PropertyCase(InputSet.box([-1], [1]), (Halfspaces((primitive_row([1, -Fraction(bound)]),), (True,)),))
        verdict = decide_property(network, Property(1, 1, (case,)))
        assert verdict.holds is holds
        verdict.evidence.check()
