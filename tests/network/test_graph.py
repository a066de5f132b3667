"""Graphs of affine expressions: every program lowers to a network that computes it in rationals, bit for bit."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from polyrelu.errors import NetworkError
from polyrelu.network import operations, tensors
from polyrelu.network.activation import ABS, HARD_TANH, RELU, leaky_relu
from polyrelu.network.graph import Graph, finite_floats, product_is_exact, sum_is_exact
from polyrelu.network.lowering import lower
from polyrelu.network.windows import Window, convolution_matrix, same_padding

FAMILIES = {
    "float64": lambda rng, *shape: rng.normal(size=shape),
    "float32": lambda rng, *shape: rng.normal(size=shape).astype(np.float32).astype(np.float64),
    "dyadic": lambda rng, *shape: rng.integers(-8, 9, shape) / 4,
    "signs": lambda rng, *shape: rng.integers(-1, 2, shape).astype(np.float64),
    "scaled": lambda rng, *shape: rng.integers(-3, 4, shape) * 2.0 ** rng.integers(-80, 80, shape),
    "extreme": lambda rng, *shape: rng.integers(-3, 4, shape) * 2.0 ** rng.choice([-600, 0, 600], shape),
}
seeds = st.integers(0, 2**32 - 1)
families = st.sampled_from(list(FAMILIES))


def fractions(array):
    return [Fraction(v) for v in np.ravel(array).tolist()]


def product(matrix, vector):
    rows = [fractions(row) for row in np.asarray(matrix)]
    return [sum((a * v for a, v in zip(row, vector, strict=True)), Fraction(0)) for row in rows]


# Exactness checks --------------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(seeds, families, families, st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))
def test_product_called_exact_is_exact(seed, family, other, n, m, k):
    rng = np.random.default_rng(seed)
    left = FAMILIES[family](rng, n, m) * rng.integers(0, 2, (n, m))
    right = FAMILIES[other](rng, m, k) * rng.integers(0, 2, (m, k))
    if product_is_exact(csr_array(left), csr_array(right)):
        floats = (csr_array(left) @ csr_array(right)).toarray()
        columns = [product(left, fractions(column)) for column in right.T]
        assert [fractions(column) for column in floats.T] == columns


@pytest.mark.parametrize(
    ("left", "right", "exact"),
    [
        ([[0.1]], [[1.0]], True),
        ([[0.1]], [[-1.0]], True),
        ([[0.1]], [[3.0]], False),
        ([[0.1]], [[2.0]], True),
        ([[1 / 3, 0.1]], [[1.0, 0.0], [0.0, 1.0]], True),
        ([[1.0, 2.0**-60]], [[1.0], [1.0]], False),
        ([[1.0, 2.0**-40]], [[1.0], [1.0]], True),
        ([[3.0, 5.0]], [[7.0], [9.0]], True),
        ([[2.0**600]], [[2.0**600]], False),
        ([[2.0**-600]], [[2.0**-600]], False),
        ([[2.0**-1074]], [[1.0]], True),
        ([[0.0]], [[0.1]], True),
    ],
)
def test_product_examples(left, right, exact):
    assert product_is_exact(csr_array(np.array(left)), csr_array(np.array(right))) == exact


@settings(max_examples=300, deadline=None)
@given(seeds, families, families, st.integers(1, 4))
def test_sum_is_exact_if_and_only_if_it_is(seed, family, other, n):
    rng = np.random.default_rng(seed)
    left, right = FAMILIES[family](rng, n, n), FAMILIES[other](rng, n, n)
    truth = fractions(left + right) == [a + b for a, b in zip(fractions(left), fractions(right), strict=True)]
    assert sum_is_exact(left, right) == truth
    assert sum_is_exact(csr_array(left), csr_array(right)) == truth


# Programs ----------------------------------------------------------------------------------------------------


def run_program(seed, family, n_steps):
    """Return a random program as a network and as a function on rationals."""
    rng = np.random.default_rng(seed)
    numbers = FAMILIES[family]
    graph = Graph()
    values = [graph.start((int(rng.integers(1, 4)),))]
    rules = [lambda known: known[0]]

    def make(step):
        i = max(0, len(values) - 1 - int(rng.integers(3)))
        value, size = values[i], values[i].size
        kind = ["linear", "shift", "add", "relu", "function", "max", "move", "concat", "scale"][rng.integers(9)]
        if kind == "linear":
            matrix = numbers(rng, int(rng.integers(1, 4)), size) * (rng.random(size) < 0.8)
            return graph.linear(value, csr_array(matrix), (len(matrix),)), lambda known: product(matrix, known[i])
        if kind == "shift":
            bias = numbers(rng, size)
            return tensors.add(graph, value, bias), lambda known: _plus(known[i], fractions(bias))
        if kind == "scale":
            factors = numbers(rng, size)
            return tensors.multiply(graph, value, factors), lambda known: _times(known[i], fractions(factors))
        if kind == "add":
            equal = [j for j, other in enumerate(values) if other.size == size]
            j = equal[rng.integers(len(equal))]
            return tensors.subtract(graph, value, values[j]), lambda known: _plus(known[i], [-v for v in known[j]])
        if kind in ("relu", "function"):
            function = RELU if kind == "relu" else [ABS, HARD_TANH, leaky_relu(Fraction(1, 3))][rng.integers(3)]
            return operations.activate(graph, value, function), lambda known: [function(v) for v in known[i]]
        if kind == "max":
            return operations.reduce_max(graph, value, (0,), True), lambda known: [max(known[i])]
        if kind == "move":
            index = rng.integers(0, size, int(rng.integers(1, 4)))
            return tensors.move(graph, value, lambda array: array[index]), lambda known: [known[i][k] for k in index]
        j = int(rng.integers(len(values)))
        return tensors.concatenate(graph, [value, values[j]], 0), lambda known: known[i] + known[j]

    for step in range(n_steps):
        value, rule = make(step)
        if value.size <= 6:
            values.append(value)
            rules.append(rule)

    def evaluate(point):
        known = [point]
        for rule in rules[1:]:
            known.append(rule(known))
        return known[-1]

    return lower(graph, values[-1]), evaluate


def _plus(left, right):
    return [a + b for a, b in zip(left, right, strict=True)]


def _times(left, right):
    return [a * b for a, b in zip(left, right, strict=True)]


@settings(max_examples=300, deadline=None)
@given(seeds, families, st.integers(0, 12))
def test_programs_are_computed_exactly(seed, family, n_steps):
    network, evaluate = run_program(seed, family, n_steps)
    rng = np.random.default_rng(seed)
    for denominator in (1, 3):
        point = [Fraction(int(v), denominator) for v in rng.integers(-5, 6, network.dim)]
        assert network.exact(point) == tuple(evaluate(point))


@settings(max_examples=100, deadline=None)
@given(seeds, families, st.integers(0, 12))
def test_lowered_layers_hold_nothing_superfluous(seed, family, n_steps):
    network, _ = run_program(seed, family, n_steps)
    for layer, reader in zip(network.layers, network.layers[1:], strict=False):
        activation = layer.activation
        carried = np.flatnonzero((activation.n_pieces == 1) & (activation.kind >= 0))
        read = np.abs(np.asarray(reader.weight)).sum(axis=0) > 0
        # A layer may keep a single identity unit that is read with weight zero, so that it is not empty.
        assert read[carried].all() or layer.n_outputs == 1 or len(carried) - read[carried].sum() == 1


# Lowering ----------------------------------------------------------------------------------------------------


def test_no_units_give_no_layers():
    graph = Graph()
    x = graph.start((2,))
    network = lower(graph, graph.linear(x, csr_array([[1.0, 2.0]]), (1,)))
    assert network.hidden == ()
    assert network.output.weight.tolist() == [[1, 2]]


def test_a_map_is_settled_once_for_all_its_readers():
    graph = Graph()
    x = graph.linear(graph.start((1,)), csr_array([[0.1]]), (1,))
    third = csr_array([[1 / 3]])
    graph.add(graph.linear(x, third, (1,)), graph.negate(graph.linear(x, third, (1,))))
    assert len(graph.bases) == 2


def test_input_carried_past_two_layers():
    graph = Graph()
    x = graph.start((3,))
    y = operations.activate(graph, operations.activate(graph, x, RELU), ABS)
    out = graph.add(y, graph.select(x, np.array([0, 1, 1])))
    network = lower(graph, out)
    assert [layer.n_outputs for layer in network.hidden] == [3 + 2, 3 + 2]
    assert network.exact([-1, 2, 3]) == (-1, 4, 5)


def test_a_constant_output():
    graph = Graph()
    graph.start((2,))
    network = lower(graph, graph.constant(np.array([[1.0, 2.0]])))
    assert network.exact([5, 6]) == (1, 2)


def test_layers_read_with_weight_zero_are_not_empty():
    graph = Graph()
    x = graph.settle(graph.linear(graph.start((2,)), csr_array(np.eye(2)), (2,)))
    network = lower(graph, graph.linear(x, csr_array((1, 2)), (1,)))
    assert network.hidden[0].n_outputs == 1


def test_output_without_elements():
    graph = Graph()
    x = graph.start((2,))
    with pytest.raises(NetworkError, match="received 2 and 0"):
        lower(graph, graph.select(x, np.zeros(0, dtype=np.int64)))


def test_too_large_an_input():
    with pytest.raises(NetworkError, match="at most"):
        Graph().start((2**20, 2**20))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.array([1.0, np.nan]), "nan at [1]"),
        (np.array([[np.inf]]), "inf at [0, 0]"),
        (np.array([1j]), "complex128"),
        (np.array(["a"]), "<U1"),
        (np.array([2**53 + 1]), "2**53"),
    ],
)
def test_numbers_that_are_refused(values, words):
    with pytest.raises(NetworkError) as caught:
        finite_floats(values, "A weight")
    assert words in str(caught.value)


# Windows -----------------------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_window_against_a_loop(data):
    draw = lambda low, high: data.draw(st.integers(low, high))  # noqa: E731
    size, kernel, stride, dilation = draw(1, 6), draw(1, 3), draw(1, 3), draw(1, 2)
    before, after = draw(0, 2), draw(0, 2)
    reach = dilation * (kernel - 1) + 1
    window = Window.of((kernel,), (stride,), (dilation,), (before,), (after,))
    if size + before + after < reach:
        with pytest.raises(NetworkError, match="along axis 0"):
            window.over((size,))
        return
    expected = []
    for start in range(-before, size + after - reach + 1, stride):
        reads = [start + dilation * i for i in range(kernel)]
        expected.append([position if 0 <= position < size else -1 for position in reads])
    assert window.over((size,)).index.tolist() == expected


def test_window_over_two_axes_counts_padding_but_not_beyond():
    index = Window.of((2, 2), (2, 2), None, (0, 1), (0, 0), ceil_mode=True).over((3, 3))
    assert index.shape == (2, 2)
    assert index.index.tolist() == [[-1, 0, -1, 3], [1, 2, 4, 5], [-1, 6, -1, -1], [7, 8, -1, -1]]
    assert index.counted.tolist() == [4, 4, 2, 2]


def test_same_padding():
    window = Window.of((3,), (2,))
    assert same_padding((4,), window, more_at_end=True) == ((0,), (1,))
    assert same_padding((4,), window, more_at_end=False) == ((1,), (0,))


def test_convolution_matrix_against_a_loop():
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(4, 2, 2, 2))
    matrix, shape = convolution_matrix((2, 4, 3, 3), weight, Window.of((2, 2)), 2)
    assert shape == (2, 4, 2, 2)
    expected = np.zeros((2, 4, 2, 2, 2, 4, 3, 3))
    for n, o, i, j in np.ndindex(2, 4, 2, 2):
        for c, a, b in np.ndindex(2, 2, 2):
            expected[n, o, i, j, n, 2 * (o // 2) + c, i + a, j + b] = weight[o, c, a, b]
    assert (matrix.toarray() == expected.reshape(32, 72)).all()


def test_window_that_reads_too_much():
    with pytest.raises(NetworkError, match="reads"):
        Window.of((1,), before=(2**40,)).over((1,))
