"""Activation patterns: one small digit per neuron, as text, as objects and packed into words."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyrelu.errors import PatternError

__all__ = ["Pattern", "PatternLayout"]

_SYMBOLS = "0123456789abcdefghijklmnopqrstuvwxyz"
PACKED_AT_ONCE = 1 << 20
"""How many digits are packed at a time: each takes eight bytes then."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """An activation pattern: the digit of every neuron, layer by layer.

    Attributes
    ----------
    layers : tuple of tuple of int
        One tuple per hidden layer that has neurons with digits. For ReLU digit 1 means
        preactivation > 0; see `polyrelu.network.activation` for the others.

    Examples
    --------
    >>> p = Pattern.parse("10|011")
    >>> p.hamming(Pattern.parse("11|010")), str(p), p.digits
    (2, '10|011', (1, 0, 0, 1, 1))
    >>> p.hamming(Pattern.parse("10"))
    Traceback (most recent call last):
    ...
    polyrelu.errors.PatternError: Hamming distance needs patterns of equal shape but received 2|3 and 2 digits. \
Compare patterns of one network.
    """

    layers: tuple[tuple[int, ...], ...]

    @staticmethod
    def parse(text: str) -> Pattern:
        """Return the pattern written as text: digits, layers parted by bars, spaces ignored.

        A digit beyond 9 is a letter (a = 10 … z = 35), beyond 35 a number in parentheses.
        """
        plain = text.replace(" ", "")
        return Pattern(tuple(tuple(_parse_layer(part, text)) for part in plain.split("|")) if plain else ())

    @staticmethod
    def from_digits(digits: Sequence[int], widths: Sequence[int]) -> Pattern:
        """Return the pattern with these digits, cut into layers of these widths."""
        if len(digits) != sum(widths):
            raise PatternError(
                f"Pattern needs {sum(widths)} digits ({'|'.join(map(str, widths))}) but received {len(digits)}. "
                "Give one digit for each neuron."
            )
        bounds = np.concatenate([[0], np.cumsum(widths)]).astype(int).tolist()
        flat = [int(digit) for digit in digits]
        return Pattern(tuple(tuple(flat[a:b]) for a, b in itertools.pairwise(bounds)))

    @property
    def digits(self) -> tuple[int, ...]:
        """All digits in layer order."""
        return tuple(digit for layer in self.layers for digit in layer)

    @property
    def widths(self) -> tuple[int, ...]:
        """Number of digits in each layer."""
        return tuple(len(layer) for layer in self.layers)

    def hamming(self, other: Pattern) -> int:
        """Return in how many neurons two patterns of one network differ."""
        if self.widths != other.widths:
            ours, theirs = ("|".join(map(str, p.widths)) for p in (self, other))
            raise PatternError(
                f"Hamming distance needs patterns of equal shape but received {ours} and {theirs} digits. "
                "Compare patterns of one network."
            )
        return sum(a != b for a, b in zip(self.digits, other.digits, strict=True))

    def __str__(self) -> str:
        return "|".join("".join(_symbol(digit) for digit in layer) for layer in self.layers)


def _symbol(digit: int) -> str:
    return _SYMBOLS[digit] if digit < len(_SYMBOLS) else f"({digit})"


def _parse_layer(part: str, text: str) -> Iterable[int]:
    position = 0
    while position < len(part):
        end = position + 1
        if part[position] == "(":
            end = part.find(")", position) + 1
            number = part[position + 1 : end - 1]
            digit = int(number) if end and number.isdecimal() else -1
        else:
            digit = _SYMBOLS.find(part[position])
        if digit < 0:
            raise PatternError(
                f"Pattern needs digits, letters a-z, (numbers) and bars but received {part[position]!r} in {text!r}. "
                "Write it like '10|011'."
            )
        yield digit
        position = end


@dataclass(frozen=True)
class PatternLayout:
    """Where each neuron's digit lies in the 64-bit words of a packed pattern.

    Fields are filled from the lowest bit of the first word on. Each layer starts at a whole byte, so that the
    bits of eight ReLUs are one byte; a field never straddles a word.

    Attributes
    ----------
    n_pieces : int array, shape (n_neurons,)
        How many values each digit can take, at least 2.
    word, shift, bits : int arrays, shape (n_neurons,)
        Field of neuron ``i``: ``bits[i]`` bits of word ``word[i]`` from bit ``shift[i]`` on.
    n_words : int
    """

    n_pieces: NDArray[np.int64]
    word: NDArray[np.int64]
    shift: NDArray[np.int64]
    bits: NDArray[np.int64]
    n_words: int

    @staticmethod
    def for_pieces(n_pieces: NDArray[np.int64], layers: NDArray[np.int64]) -> PatternLayout:
        """Return the layout for neurons with these numbers of pieces, in these layers."""
        bits = np.array([max(int(n - 1).bit_length(), 1) for n in n_pieces], dtype=np.int64)
        word = np.zeros(len(bits), dtype=np.int64)
        shift = np.zeros(len(bits), dtype=np.int64)
        used = 0
        for i, width in enumerate(bits.tolist()):
            if i and layers[i] != layers[i - 1]:
                used = -(-used // 8) * 8
            if used % 64 + width > 64:
                used = -(-used // 64) * 64
            word[i], shift[i] = divmod(used, 64)
            used += width
        return PatternLayout(np.asarray(n_pieces, dtype=np.int64), word, shift, bits, max(-(-used // 64), 1))

    @property
    def n_neurons(self) -> int:
        """Number of digits in a pattern."""
        return len(self.bits)

    def pack(self, digits: NDArray[np.integer]) -> NDArray[np.uint64]:
        """Return packed words, shape (n, n_words), of digits of shape (n, n_neurons)."""
        digits = np.atleast_2d(digits)
        if digits.shape[1] != self.n_neurons:
            raise PatternError(
                f"A pattern of this network needs {self.n_neurons} digits but received {digits.shape[1]}. "
                "Give one digit for each neuron."
            )
        if digits.size and ((digits < 0).any() or (digits >= self.n_pieces).any()):
            row, neuron = np.argwhere((digits < 0) | (digits >= self.n_pieces))[0]
            raise PatternError(
                f"Neuron {neuron} needs a digit below {self.n_pieces[neuron]} but received {digits[row, neuron]}. "
                "Count its pieces from 0."
            )
        words = np.zeros((len(digits), self.n_words), dtype=np.uint64)
        if not self.n_neurons:
            return words
        first, shift = np.searchsorted(self.word, np.arange(self.n_words)), self.shift.astype(np.uint64)
        step = max(PACKED_AT_ONCE // self.n_neurons, 1)
        for start in range(0, len(digits), step):
            fields = digits[start : start + step].astype(np.uint64) << shift
            words[start : start + step] = np.bitwise_or.reduceat(fields, first, axis=1)
        return words

    def unpack(self, words: NDArray[np.uint64]) -> NDArray[np.uint8] | NDArray[np.uint32]:
        """Return digits, shape (n, n_neurons), of packed words of shape (n, n_words)."""
        words = np.atleast_2d(words)
        masks = (np.uint64(1) << self.bits.astype(np.uint64)) - np.uint64(1)
        digits = (words[:, self.word] >> self.shift.astype(np.uint64)) & masks
        return digits.astype(np.uint8) if (self.bits <= 8).all() else digits.astype(np.uint32)
