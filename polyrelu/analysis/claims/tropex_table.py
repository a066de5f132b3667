"""Claims of paper 004 about the rows of its Table 1: one layer type each.

Each row is tried as printed; where that fails, the corrected row is tried on random networks, and the proof of the
corrected row is in `exact_tropex.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial

from polyrelu.analysis.claims.evidence import AllOf, Computation, Examined, Search, search
from polyrelu.analysis.claims.exact_layers import (
    ONE,
    ZERO,
    Choice,
    Conv,
    Dense,
    MaxPool,
    Norm,
    Numbers,
    Point,
    TropexLayer,
    as_dense,
    pull_back,
    values_at,
)
from polyrelu.analysis.claims.exact_tropex import Merge, Term, extract, extracted_value, merge_layer
from polyrelu.analysis.claims.model import Claim, Outcome, Subject, found
from polyrelu.analysis.claims.proofs import proved
from polyrelu.analysis.claims.subjects import refuse
from polyrelu.analysis.claims.tropex_samples import data_for, find_wrong_datum, is_wrong_at, mixed_layers
from polyrelu.certificate.verdict import Evidence, Verdict
from polyrelu.errors import InternalError

__all__ = ["CLAIMS", "PAPER"]

PAPER = "Trimmel, Petzka and Sminchisescu 2021, TropEx: Extracting Linear Terms in Deep Neural Networks"
NORM_ORDER = "for batch normalisation, A may be scaled first and the constants then take A t"
NORM_SIGN = "for batch normalisation, A and A_max may be scaled by gamma / sigma whatever its sign"
LEAKY = "for leaky ReLU, rows are scaled by alpha where the value is negative"
POOL = "for max pooling, rows and A_max are repeated to the windows and set to 0 where the input is not the largest"
CONV = "for convolutions, the row for dense layers holds with transposed convolutions in place of products"
DENSE = "for dense layers and ReLU, the rows of the table keep the extracted function right at the data"


def _norm_order(subject: Subject | None) -> Verdict:
    refuse(subject, "004-table-1-norm-order", "batch normalisation")
    layers, data, wrong, n = _first_failure("norm", _scaled_first)
    evidence = AllOf(
        (
            Computation("wrong in the printed order", is_wrong_at, (layers, data, wrong, _scaled_first), True),
            Computation("right in the other order", is_wrong_at, (layers, data, wrong), False),
            _corrected("norm"),
        )
    )
    failure = _failure(layers, data, wrong, _scaled_first, n)
    description = f"{failure}; constants first, it is right: proof in exact_tropex.py, and 20 networks"
    return found(NORM_ORDER, Outcome.FALSE, evidence, description)


def _norm_sign(subject: Subject | None) -> Verdict:
    refuse(subject, "004-table-1-norm-sign", "batch normalisation")
    layers, data, wrong, n = _first_failure("signed norm", _scaled_with_sign)
    evidence = AllOf(
        (
            Computation("wrong with a negative scale", is_wrong_at, (layers, data, wrong, _scaled_with_sign), True),
            Computation("right as a dense layer", is_wrong_at, (layers, data, wrong), False),
            _corrected("signed norm"),
        )
    )
    description = (
        f"{_failure(layers, data, wrong, _scaled_with_sign, n)}; as a diagonal dense layer it is right: proof in "
        "exact_tropex.py, and 20 networks; s and t are taken as rationals, which a root of sigma^2 + eps need not be"
    )
    return found(NORM_SIGN, Outcome.FALSE, evidence, description)


def _leaky(subject: Subject | None) -> Verdict:
    refuse(subject, "004-table-1-leaky", "leaky ReLU")
    layers, data, wrong, n = _first_failure("leaky", merge_layer, slope=Fraction(3))
    steep = Computation("wrong for alpha = 3", is_wrong_at, (layers, data, wrong), True)
    description = (
        f"proof in exact_tropex.py, with A_max unchanged; 20 networks with alpha = 1/3; for alpha = 3: "
        f"{_failure(layers, data, wrong, merge_layer, n)}"
    )
    return proved(LEAKY, [_recheck("leaky")], description, ("0 <= alpha <= 1",), [steep])


def _pool(subject: Subject | None) -> Verdict:
    refuse(subject, "004-table-1-maxpool", "max pooling")
    tied = (MaxPool(((0, 1),)), Dense(((Fraction(3),), (-ONE,)), (ZERO, ZERO)))
    datum: tuple[Point, ...] = ((ONE, ONE),)
    keep_all = partial(_merge_all_largest, datum[0])
    layers, data, wrong, n = _first_failure("overlap", _overwriting)
    traps = (
        Computation("ties kept", is_wrong_at, (tied, datum, datum[0], keep_all), True),
        Computation("one of the tied inputs kept", is_wrong_at, (tied, datum, datum[0]), False),
        Computation("windows overwritten", is_wrong_at, (layers, data, wrong, _overwriting), True),
    )
    kept = extracted_value(extract(tied, datum, merge=keep_all), datum[0])[0]
    hypotheses = (
        "of several largest inputs of a window exactly one is kept",
        "what overlapping windows give to one input is added, in A and in A_max",
    )
    description = (
        f"proof in exact_tropex.py, 40 networks; with both of two equal inputs kept, an output 3 becomes {kept}; with "
        f"overlaps overwritten: {_failure(layers, data, wrong, _overwriting, n)}"
    )
    return proved(POOL, [_recheck("pool"), _recheck("overlap")], description, hypotheses, traps)


def _conv(subject: Subject | None) -> Verdict:
    """Proof: a convolution is the dense layer of its matrix, and the transposed convolution its product with a row."""
    refuse(subject, "004-table-1-conv", "convolutions")
    same = search("convolutions against their matrices", _examine_conv, range(20))
    description = "proof: a transposed convolution is a product with the matrix; equal for 20 kernels, right for 20"
    return proved(CONV, [same, _recheck("conv")], description)


def _dense_rows(subject: Subject | None) -> Verdict:
    refuse(subject, "004-table-1-dense", "all networks")
    evidence = search("random networks with their data", partial(_examine, "norm", merge_layer), range(20, 40))
    return proved(DENSE, [evidence], "proof in exact_tropex.py; right at the data of 20 networks")


def _examine_conv(seed: int) -> Examined:
    layers = mixed_layers(seed, "conv")
    wrong = None if _is_its_matrix(layers) else Computation("not its matrix", _is_its_matrix, (layers,), False)
    return Examined(1, wrong)


def _is_its_matrix(layers: Sequence[TropexLayer]) -> bool:
    """Return whether merging a convolution is merging its matrix."""
    conv = layers[0]
    assert isinstance(conv, Conv)
    width = len(conv.biases)
    terms = [Term(tuple(Fraction(i * i - j) for i in range(width)), Fraction(j)) for j in range(3)]
    highest = tuple(Fraction(i + 5) for i in range(width))
    nothing = Choice((), conv.length)
    return merge_layer(conv, nothing, highest, terms) == merge_layer(as_dense(conv), nothing, highest, terms)


def _recheck(kind: str) -> Search | Evidence:
    """Return the search that finds no network of a kind for which the corrected row is wrong at a datum."""
    return search(f"random networks with {kind}, and 5 data each", partial(_examine, kind, merge_layer), range(20))


def _corrected(kind: str) -> Search:
    """Return that search; the corrected row needs to be right."""
    result = _recheck(kind)
    if not isinstance(result, Search):
        raise InternalError(f"The corrected row of Table 1 needs to be right but fails for {kind}. Please report it.")
    return result


def _examine(kind: str, merge: Merge, seed: int) -> Examined:
    layers = mixed_layers(seed, kind)
    data = data_for(seed, _dim(layers))
    wrong = find_wrong_datum(layers, data, merge)
    if wrong is None:
        return Examined(len(data), None)
    return Examined(len(data), Computation("wrong datum", is_wrong_at, (layers, data, wrong, merge), True))


def _first_failure(
    kind: str, merge: Merge, slope: Fraction = Fraction(1, 3)
) -> tuple[tuple[TropexLayer, ...], tuple[Point, ...], Point, int]:
    """Return the first random network for which a row fails at a datum, its data, the datum and how many were tried."""
    for seed in range(1000):
        layers = mixed_layers(seed, kind, slope)
        data = data_for(seed, _dim(layers))
        wrong = find_wrong_datum(layers, data, merge)
        if wrong is not None:
            return layers, data, wrong, seed + 1
    raise InternalError(f"A row of Table 1 needs to fail on one of 1000 networks but did not ({kind}). Report it.")


def _failure(layers: tuple[TropexLayer, ...], data: tuple[Point, ...], x: Point, merge: Merge, n: int) -> str:
    values = extracted_value(extract(layers, data, merge=merge), x)
    point = ", ".join(map(str, x))
    mine, true = max(v for v in values if v is not None), max(values_at(layers, x))
    return f"network {n} of the search is {true} at the datum ({point}), but the extracted function {mine}"


def _dim(layers: Sequence[TropexLayer]) -> int:
    first = layers[0]
    if isinstance(first, Conv):
        return len(first.kernel[0]) * first.length
    assert isinstance(first, Dense)
    return len(first.weight[0])


def _scaled_first(
    layer: TropexLayer, choice: Choice, highest: Numbers, terms: Sequence[Term]
) -> tuple[Numbers, list[Term]]:
    """Merge as the row BNorm is printed: ``A <- s A``, and then ``a <- a + A t`` with the new A."""
    if not isinstance(layer, Norm):
        return merge_layer(layer, choice, highest, terms)
    above, moved = merge_layer(layer, choice, highest, terms)
    late = [sum((a * t for a, t in zip(term.slopes, layer.shift, strict=True)), ZERO) for term in moved]
    return above, [
        replace(term, constant=old.constant + c) for term, old, c in zip(moved, terms, late, strict=True)
    ]


def _scaled_with_sign(
    layer: TropexLayer, choice: Choice, highest: Numbers, terms: Sequence[Term]
) -> tuple[Numbers, list[Term]]:
    """Merge a normalisation with ``A <- A s`` and ``A_max <- A_max s``, constants first, also where s < 0."""
    if not isinstance(layer, Norm):
        return merge_layer(layer, choice, highest, terms)
    moved = [
        Term(
            tuple(a * s for a, s in zip(term.slopes, layer.scale, strict=True)),
            term.constant + sum((a * t for a, t in zip(term.slopes, layer.shift, strict=True)), ZERO),
        )
        for term in terms
    ]
    return tuple(a * s for a, s in zip(highest, layer.scale, strict=True)), moved


def _merge_all_largest(
    values: Point, layer: TropexLayer, choice: Choice, highest: Numbers, terms: Sequence[Term]
) -> tuple[Numbers, list[Term]]:
    """Merge max pooling, at these values, with all largest inputs of a window kept."""
    if not isinstance(layer, MaxPool):
        return merge_layer(layer, choice, highest, terms)
    kept = tuple(
        tuple((i, ONE) for i in window if values[i] == max(values[k] for k in window)) for window in layer.windows
    )
    return merge_layer(layer, replace(choice, kept=kept), highest, terms)


def _overwriting(
    layer: TropexLayer, choice: Choice, highest: Numbers, terms: Sequence[Term]
) -> tuple[Numbers, list[Term]]:
    """Merge max pooling where a window overwrites what an earlier one gave to the same input."""
    if not isinstance(layer, MaxPool):
        return merge_layer(layer, choice, highest, terms)
    last = {place: j for j, window in enumerate(layer.windows) for place in window}
    kept = tuple(tuple(pair for pair in pairs if last[pair[0]] == j) for j, pairs in enumerate(choice.kept))
    above = tuple(highest[last[i]] for i in range(choice.n_inputs))
    return above, [replace(term, slopes=pull_back(replace(choice, kept=kept), term.slopes)) for term in terms]


def _claim(name: str, row: str, statement: str, outcome: Outcome, decide: Callable[[Subject | None], Verdict]) -> Claim:
    return Claim(f"004-table-1-{name}", PAPER, f"Table 1, row {row}", statement, outcome, decide)


CLAIMS = (
    _claim("norm-order", "BNorm", NORM_ORDER, Outcome.FALSE, _norm_order),
    _claim("norm-sign", "BNorm", NORM_SIGN, Outcome.FALSE, _norm_sign),
    _claim("leaky", "L-ReLU", LEAKY, Outcome.TRUE_UNDER, _leaky),
    _claim("maxpool", "Maxpool", POOL, Outcome.TRUE_UNDER, _pool),
    _claim("conv", "Conv", CONV, Outcome.TRUE, _conv),
    _claim("dense", "Dense and ReLU", DENSE, Outcome.TRUE, _dense_rows),
)
