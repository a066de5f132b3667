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
        ("", ((),)),
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

pieces = st.lists(st.integers(2, 2**20) | st.just(2), max_size=80).map(lambda n: np.array(n, dtype=np.int64))


@given(pieces, st.integers(0, 2**32 - 1), st.integers(0, 4))
def test_pack_and_unpack(n_pieces, seed, n):
    layout = PatternLayout.for_pieces(n_pieces)
    digits = np.random.default_rng(seed).integers(0, n_pieces, (n, len(n_pieces)))
    words = layout.pack(digits)
    assert words.shape == (n, layout.n_words)
    assert (layout.unpack(words) == digits).all()


@given(pieces)
def test_fields_are_apart_and_do_not_straddle_words(n_pieces):
    layout = PatternLayout.for_pieces(n_pieces)
    taken = set()
    for i, pieces_of_one in enumerate(n_pieces.tolist()):
        assert 2 ** layout.bits[i] >= pieces_of_one > 2 ** (layout.bits[i] - 1) or pieces_of_one == 2
        assert layout.shift[i] + layout.bits[i] <= 64
        field = {(layout.word[i], bit) for bit in range(layout.shift[i], layout.shift[i] + layout.bits[i])}
        assert not taken & field
        taken |= field
    assert layout.n_words == 1 + max((word for word, _ in taken), default=0)


@given(st.integers(1, 200), st.integers(0, 2**32 - 1))
def test_relu_neuron_i_is_bit_i(n, seed):
    layout = PatternLayout.for_pieces(np.full(n, 2))
    digits = np.random.default_rng(seed).integers(0, 2, (1, n))
    bits = np.unpackbits(layout.pack(digits).view(np.uint8), bitorder="little")
    assert (bits[:n] == digits[0]).all()
    assert not bits[n:].any()
    assert layout.n_words == -(-n // 64)


def test_words_differ_where_patterns_do():
    layout = PatternLayout.for_pieces(np.array([2, 3, 2, 5]))
    digits = np.stack([d.ravel() for d in np.meshgrid(*map(np.arange, layout.n_pieces))], axis=1)
    assert len(np.unique(layout.pack(digits), axis=0)) == 60


def test_unpacked_type():
    small, large = (PatternLayout.for_pieces(np.array([n])) for n in (256, 257))
    assert small.unpack(small.pack([[255]])).dtype == np.uint8
    assert large.unpack(large.pack([[256]])).dtype == np.uint32


@pytest.mark.parametrize(
    ("digits", "words"),
    [
        ([[0, 0]], "needs 3 digits but received 2"),
        ([[0, 2, 0]], "Neuron 1 needs a digit below 2 but received 2"),
        ([[0, 0, 0], [0, 0, -1]], "Neuron 2 needs a digit below 3 but received -1"),
    ],
)
def test_pack_refuses(digits, words):
    layout = PatternLayout.for_pieces(np.array([2, 2, 3]))
    with pytest.raises(PatternError, match=words):
        layout.pack(np.array(digits))
