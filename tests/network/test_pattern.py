"""Patterns as text, objects and packed words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyrelu.errors import PatternError
from polyrelu.network.pattern import Pattern, PatternLayout

layers = st.lists(st.lists(st.integers(0, 100), min_size=1, max_size=5).map(tuple), min_size=1, max_size=4).map(tuple)


@given(layers)
def test_text_and_back(digits):
    pattern = Pattern(digits)
    assert Pattern.parse(str(pattern)) == pattern


@given(layers)
def test_digits_and_back(digits):
    pattern = Pattern(digits)
    assert Pattern.from_digits(pattern.digits, pattern.widths) == pattern
    assert sum(pattern.widths) == len(pattern.digits)


@given(st.data(), layers)
def test_hamming_is_a_metric(data, digits):
    shape = [st.tuples(*[st.integers(0, 2)] * len(layer)) for layer in digits]
    a, b, c = (Pattern(data.draw(st.tuples(*shape))) for _ in range(3))
    assert a.hamming(a) == 0
    assert (a.hamming(b) == 0) == (a == b)
    assert a.hamming(b) == b.hamming(a)
    assert a.hamming(c) <= a.hamming(b) + b.hamming(c)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10|011", ((1, 0), (0, 1, 1))),
        (" 1 0 | 0 ", ((1, 0), (0,))),
        ("9az(36)(100)", ((9, 10, 35, 36, 100),)),
        ("(7)", ((7,),)),
        ("", ()),
        (" | ", ((), ())),
        ("1||1", ((1,), (), (1,))),
    ],
)
def test_parse(text, expected):
    assert Pattern.parse(text).layers == expected


@pytest.mark.parametrize("text", ["1-", "A", "(", "()", "(1", "1)", "(a)", "(-1)", "1.0", "(²)"])
def test_parse_refuses(text):
    with pytest.raises(PatternError, match="Write it like"):
        Pattern.parse(text)


def test_letters_of_large_digits():
    assert str(Pattern(((9, 10, 35, 36),))) == "9az(36)"


def test_patterns_are_values():
    assert len({Pattern(((1, 0),)), Pattern(((1, 0),)), Pattern(((1,), (0,)))}) == 2


def test_wrong_number_of_digits():
    with pytest.raises(PatternError, match=r"needs 3 digits \(2\|1\) but received 2"):
        Pattern.from_digits([0, 1], [2, 1])


# Packed words ------------------------------------------------------------------------------------------------


@st.composite
def layouts(draw):
    """Draw the layout of up to 80 neurons in layers, most of them with two pieces."""
    n_pieces = draw(st.lists(st.just(2) | st.integers(2, 2**20), max_size=80))
    steps = draw(st.lists(st.sampled_from([0, 0, 0, 1]), min_size=len(n_pieces), max_size=len(n_pieces)))
    layers = np.cumsum(np.array(steps, dtype=np.int64))
    return PatternLayout.for_pieces(np.array(n_pieces, dtype=np.int64), layers), layers


def one_layer(*n_pieces):
    return PatternLayout.for_pieces(np.array(n_pieces), np.zeros(len(n_pieces), dtype=np.int64))


@given(layouts(), st.integers(0, 2**32 - 1), st.integers(0, 4))
def test_pack_and_unpack(drawn, seed, n):
    layout, _ = drawn
    digits = np.random.default_rng(seed).integers(0, layout.n_pieces, (n, layout.n_neurons))
    words = layout.pack(digits)
    assert words.shape == (n, layout.n_words)
    assert (layout.unpack(words) == digits).all()


@given(layouts())
def test_fields_are_apart_and_do_not_straddle_words(drawn):
    layout, layers = drawn
    taken = set()
    for i, n_pieces in enumerate(layout.n_pieces.tolist()):
        assert 2 ** layout.bits[i] >= n_pieces > 2 ** (layout.bits[i] - 1) or n_pieces == 2
        assert layout.shift[i] + layout.bits[i] <= 64
        if i and layers[i] != layers[i - 1]:
            assert layout.shift[i] % 8 == 0
        field = {(layout.word[i], bit) for bit in range(layout.shift[i], layout.shift[i] + layout.bits[i])}
        assert not taken & field
        taken |= field
    assert layout.n_words == 1 + max((word for word, _ in taken), default=0)


@given(st.lists(st.integers(1, 70), min_size=1, max_size=3), st.integers(0, 2**32 - 1))
def test_relus_are_bits_in_order_and_layers_start_at_bytes(widths, seed):
    layers = np.repeat(np.arange(len(widths)), widths)
    layout = PatternLayout.for_pieces(np.full(len(layers), 2), layers)
    digits = np.random.default_rng(seed).integers(0, 2, len(layers))
    packed = layout.pack(digits).astype("<u8").view(np.uint8).tobytes()
    parts = [np.packbits(digits[layers == i], bitorder="little").tobytes() for i in range(len(widths))]
    assert packed.rstrip(b"\0") == b"".join(parts).rstrip(b"\0")


def test_words_differ_where_patterns_do():
    layout = one_layer(2, 3, 2, 5)
    digits = np.stack([d.ravel() for d in np.meshgrid(*map(np.arange, layout.n_pieces))], axis=1)
    assert len(np.unique(layout.pack(digits), axis=0)) == 60


def test_unpacked_type():
    assert one_layer(256).unpack(one_layer(256).pack([[255]])).dtype == np.uint8
    assert one_layer(257).unpack(one_layer(257).pack([[256]])).dtype == np.uint32


@pytest.mark.parametrize(
    ("digits", "words"),
    [
        ([[0, 0]], "needs 3 digits but received 2"),
        ([[0, 2, 0]], "Neuron 1 needs a digit below 2 but received 2"),
        ([[0, 0, 0], [0, 0, -1]], "Neuron 2 needs a digit below 3 but received -1"),
    ],
)
def test_pack_refuses(digits, words):
    layout = one_layer(2, 2, 3)
    with pytest.raises(PatternError, match=words):
        layout.pack(np.array(digits))
