"""How many regions a network can have: closed formulas and bounds, each with its source.

They depend on the number of inputs and the widths of the hidden layers only. `polyrelu.analysis.counting` counts what
one network really has. Formulas for particular networks are in `polyrelu.testing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from math import comb, factorial, prod

from polyrelu.errors import InputError
from polyrelu.exact.rational import to_fraction

__all__ = [
    "hanin_rolnick_bound",
    "hanin_rolnick_density",
    "montufar_lower_bound",
    "montufar_upper_bound",
    "pattern_upper_bound",
    "raghu_upper_bound",
    "serra_upper_bound",
    "zaslavsky_count",
]


def zaslavsky_count(dim: int, n_hyperplanes: int) -> int:
    """Return the number of regions of hyperplanes in general position, ``sum_{i <= dim} C(n, i)``.

    No arrangement of as many hyperplanes has more, so this is also the most that one hidden layer can have.

    Notes
    -----
    Schläfli 1901; Zaslavsky 1975; eq. (4) of Hanin and Rolnick 2019.

    Examples
    --------
    >>> zaslavsky_count(2, 4), zaslavsky_count(3, 2)
    (11, 4)
    >>> zaslavsky_count(2, -1)
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: zaslavsky_count needs numbers of at least 0 but received 2 inputs and the widths [-1]. \
Count inputs and neurons.
    """
    _check_sizes("zaslavsky_count", dim, [n_hyperplanes])
    return sum(comb(n_hyperplanes, i) for i in range(dim + 1))


def pattern_upper_bound(widths: Sequence[int]) -> int:
    """Return the number of patterns, ``2^neurons``: no network has more regions.

    Notes
    -----
    Montúfar et al. 2014, Proposition 3.

    Examples
    --------
    >>> pattern_upper_bound([2, 1])
    8
    """
    _check_sizes("pattern_upper_bound", 0, widths)
    return 2 ** sum(widths)


def montufar_lower_bound(dim: int, widths: Sequence[int]) -> int:
    """Return a number of regions that some network with these widths has.

    ``prod_{l < L} floor(n_l / dim)^dim * sum_{j <= dim} C(n_L, j)``, for hidden layers that are at least as wide as the
    input.

    Notes
    -----
    Montúfar et al. 2014, Theorem 4: all layers but the last fold the input. `polyrelu.testing.montufar` is such a
    network. The formula counts regions; two of them may have one affine map where the last layer is off.

    Raises
    ------
    InputError
        If a layer is narrower than the input: the construction needs ``dim`` neurons in each.

    Examples
    --------
    >>> montufar_lower_bound(2, [6, 6, 3])
    567
    >>> montufar_lower_bound(3, [6, 2])
    Traceback (most recent call last):
    ...
    polyrelu.errors.InputError: montufar_lower_bound needs layers at least as wide as the input but received 3 inputs \
and the widths [6, 2]. Ask for a narrower input.
    """
    _check_sizes("montufar_lower_bound", dim, widths)
    if not widths:
        return 1
    if dim < 1 or min(widths) < dim:
        raise InputError(
            f"montufar_lower_bound needs layers at least as wide as the input but received {dim} inputs and the widths "
            f"{list(widths)}. Ask for a narrower input."
        )
    *folding, last = widths
    return prod((width // dim) ** dim for width in folding) * zaslavsky_count(dim, last)


def montufar_upper_bound(dim: int, widths: Sequence[int]) -> int:
    """Return a bound that knows bottlenecks: ``prod_l sum_{j <= m_l} C(n_l, j)``, ``m_l = min(dim, n_1, …, n_{l-1})``.

    On a region of the layers before, a layer is an arrangement in a space of at most ``m_l`` dimensions.

    Notes
    -----
    Montúfar 2017, "Notes on the number of linear regions of deep neural networks", Proposition 3.

    Examples
    --------
    >>> montufar_upper_bound(2, [4, 4]), montufar_upper_bound(4, [1, 4])
    (121, 10)
    """
    _check_sizes("montufar_upper_bound", dim, widths)
    return prod(zaslavsky_count(min([dim, *widths[:i]]), width) for i, width in enumerate(widths))


def raghu_upper_bound(dim: int, widths: Sequence[int]) -> int:
    """Return ``prod_l sum_{j <= dim} C(n_l, j)``: each layer cuts each region like an arrangement in R^dim.

    Notes
    -----
    Raghu et al. 2017, Theorem 1; with L layers of width k it grows like ``k^(dim L)``, the form in which they print it.

    Examples
    --------
    >>> raghu_upper_bound(2, [4, 4]), raghu_upper_bound(4, [1, 4])
    (121, 32)
    """
    _check_sizes("raghu_upper_bound", dim, widths)
    return prod(zaslavsky_count(dim, width) for width in widths)


def serra_upper_bound(dim: int, widths: Sequence[int]) -> int:
    """Return the sum of ``prod_l C(n_l, j_l)`` over ``0 <= j_l <= min(dim, n_1 - j_1, …, n_{l-1} - j_{l-1}, n_l)``.

    Where a layer has j neurons off, what follows sees at most ``n - j`` dimensions; at most ``C(n, j)`` regions of an
    arrangement count with that many.

    Notes
    -----
    Serra, Tjandraatmadja and Ramalingam 2018, Theorem 1. Never above `montufar_upper_bound`.

    Examples
    --------
    >>> serra_upper_bound(2, [4, 4]), serra_upper_bound(2, [2, 2, 2]), montufar_upper_bound(2, [2, 2, 2])
    (121, 30, 64)
    """
    _check_sizes("serra_upper_bound", dim, widths)

    @cache
    def behind(layer: int, dims: int) -> int:
        if layer == len(widths):
            return 1
        n = widths[layer]
        return sum(comb(n, j) * behind(layer + 1, min(dims, n - j)) for j in range(min(dims, n) + 1))

    return behind(0, dim)


def hanin_rolnick_bound(
    n_neurons: int, dim: int, side: object, gradient_constant: object, bias_constant: object, k: int = 0
) -> Fraction:
    """Return a bound of the expected number of (k-partial) regions of a random network that meet a cube.

    ``sum_{j=k}^{dim} C(j, k) 2^(dim - k) C(dim, j) C(neurons, j) (C_grad C_bias side)^j``.

    Parameters
    ----------
    n_neurons, dim : int
    side : number or text
        Side of the cube.
    gradient_constant : number or text
        C_grad: with ``E |grad z(x)|^j <= C_grad^j`` for all neurons z, inputs x and ``1 <= j <= dim``.
    bias_constant : number or text
        C_bias: the density of any j biases, given all other parameters, is at most ``C_bias^j``. For independent
        biases this is the largest density of one.
    k : int
        How many neurons vanish: 0 for regions.

    Notes
    -----
    What the proof of Theorem 10 of Hanin and Rolnick 2019 (Theorem 5 for k = 0) gives before it is simplified. A
    k-partial region that meets the cube has a vertex there: a point of a j-dimensional face of the cube where exactly
    j neurons vanish, ``k <= j <= dim``. At such a vertex at most ``C(j, k) 2^(j-k)`` of them meet (eq. 12). The cube
    has ``C(dim, j) 2^(dim-j)`` such faces, of size ``side^j``. And on each the expected number of these points is at
    most ``C(neurons, j) (C_grad C_bias)^j`` times its size (eq. 10): the coarea formula, with Hölder's inequality.

    Examples
    --------
    >>> hanin_rolnick_bound(10, 1, 2, 1, "1/2")
    Fraction(22, 1)
    >>> hanin_rolnick_bound(10, 2, 0, 1, 1), hanin_rolnick_bound(10, 2, 1, 1, 1, k=2)
    (Fraction(4, 1), Fraction(45, 1))
    """
    _check_sizes("hanin_rolnick_bound", dim, [n_neurons])
    factor = prod(
        (_at_least_zero("hanin_rolnick_bound", value) for value in (side, gradient_constant, bias_constant)),
        start=Fraction(1),
    )
    _check_marked("hanin_rolnick_bound", k, dim)
    terms = (comb(j, k) * 2 ** (dim - k) * comb(dim, j) * comb(n_neurons, j) * factor**j for j in range(k, dim + 1))
    return sum(terms, start=Fraction(0))


def hanin_rolnick_density(n_neurons: int, dim: int, constant: object, k: int = 0) -> Fraction:
    """Return the bound of the expected number of (k-partial) regions per volume, for a constant that you know.

    ``C(dim, k) (T neurons)^dim / (2^k dim!)`` with at least ``dim`` neurons, else the number of patterns
    ``C(neurons, k) 2^(neurons - k)``, for cubes that are not too small.

    Parameters
    ----------
    n_neurons, dim : int
    constant : number or text
        T. The theorem says that there is one, depending on C_grad and C_bias alone; `hanin_rolnick_bound` needs none.
    k : int
        How many neurons vanish: 0 for regions.

    Notes
    -----
    Hanin and Rolnick 2019, Theorem 5 (k = 0) and Theorem 10, eqs. (5) and (9).

    Examples
    --------
    >>> hanin_rolnick_density(10, 2, 1), hanin_rolnick_density(3, 5, 1), hanin_rolnick_density(10, 2, 1, k=1)
    (Fraction(50, 1), Fraction(8, 1), Fraction(50, 1))
    """
    _check_sizes("hanin_rolnick_density", dim, [n_neurons])
    scale = _at_least_zero("hanin_rolnick_density", constant)
    _check_marked("hanin_rolnick_density", k, dim)
    if n_neurons < dim:
        return Fraction(comb(n_neurons, k) * 2 ** max(n_neurons - k, 0))
    return comb(dim, k) * (scale * n_neurons) ** dim / (2**k * factorial(dim))


def _check_sizes(who: str, dim: int, widths: Sequence[int]) -> None:
    if dim < 0 or any(width < 0 for width in widths):
        raise InputError(
            f"{who} needs numbers of at least 0 but received {dim} inputs and the widths {list(widths)}. "
            "Count inputs and neurons."
        )


def _check_marked(who: str, k: int, dim: int) -> None:
    if not 0 <= k <= dim:
        raise InputError(
            f"{who} needs from 0 to {dim} vanishing neurons but received {k}. In general position no more than "
            f"{dim} vanish at a point."
        )


def _at_least_zero(who: str, value: object) -> Fraction:
    number = to_fraction(value, who)
    if number < 0:
        raise InputError(f"{who} needs constants of at least 0 but received {number}. Change the sign.")
    return number
