"""Lay a network of three or more inputs and a domain out in the tables of the enumeration by vertices."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import flint
import numpy as np

from polyrelu.enumeration.answers import Answers
from polyrelu.enumeration.exact_forms import CurrentForms, Form
from polyrelu.enumeration.level_constants import double_double
from polyrelu.enumeration.network_tables import NetworkTables, network_tables
from polyrelu.exact.domain import Domain
from polyrelu.exact.rational import nearest_float, to_fraction
from polyrelu.kernels import tables as T
from polyrelu.kernels.bounds import UNIT_ROUNDOFF, rounding_error, row_norms
from polyrelu.kernels.polytope_cuts import BITS, IS_FAR, N_MARKS, SLOTS
from polyrelu.kernels.polytope_vertices import block_size
from polyrelu.kernels.polytopes import Polytopes
from polyrelu.network.model import Network

__all__ = ["PolytopeAnswers", "PolytopeTables", "domain_lines", "lay_out_domain", "polytope_tables"]


@dataclass(frozen=True)
class PolytopeTables:
    """A network in tables, and the far cube as the first cell.

    Attributes
    ----------
    network : NetworkTables
    geometry : Polytopes
    lines : tuple of Form
        The domain's rows, then the sides of the far cube.
    """

    network: NetworkTables
    geometry: Polytopes
    lines: tuple[Form, ...]


def domain_lines(domain: Domain) -> tuple[Form, ...]:
    """Return the rows of a domain that have a normal, then the sides of the far cube: ``2 j`` for ``x_j = -M``."""
    lines: list[Form] = [(*row, 0) for row in domain.rows]
    for j, sign in itertools.product(range(domain.dim), (1, -1)):
        lines.append((*(sign * int(i == j) for i in range(domain.dim)), 0, 1))
    return tuple(lines)


def lay_out_domain(lines: Sequence[Form], laid_out: NetworkTables) -> None:
    """Set the columns of a domain's rows, and of the sides of the far cube, which come last."""
    n_far = sum(line[-1] for line in lines)
    laid_out.floats[-1, [T.LATTICE, T.GRAIN]] = 1.0
    laid_out.bounds[-1, T.RHO] = 2 * UNIT_ROUNDOFF
    for column, line in enumerate(lines, start=laid_out.first_line):
        parts = np.array([double_double(value, 1) for value in line[:-1]])
        laid_out.maps[:-1, column] = parts[:, 0]
        if parts[:, 1].any():  # only rows that floats do not hold have errors
            laid_out.maps[-1, column] = row_norms(parts[None, :, 0], np.zeros(1))[0]
    laid_out.columns[len(laid_out.columns) - n_far :, T.FAR_SIDE] = np.arange(1, n_far + 1)


def polytope_tables(network: Network, domain: Domain, size: int, n_words: int) -> PolytopeTables:
    """Return the tables for a network on a domain, with stacks of a size and masks of so many words."""
    lines, dim = domain_lines(domain), network.dim
    laid_out = network_tables(network, len(lines))
    lay_out_domain(lines, laid_out)
    vertices, marks = np.zeros((size, 3 * dim + 2)), np.zeros((size, N_MARKS), np.int64)
    masks = np.zeros((size, 2, n_words), np.uint64)
    zeros = np.zeros((max(size, 16 * BITS * n_words), 2), np.int64)
    header = T.FIRST_VERTEX
    for v, signs in enumerate(itertools.product((0, 1), repeat=dim), start=header + 1):
        vertices[v, 2 * dim : 3 * dim] = [2 * sign - 1 for sign in signs]
        vertices[v, 3 * dim + 1] = 1.0
        masks[v, :, 0] = sum(1 << (2 * j + sign) for j, sign in enumerate(signs))
    zeros[: 2 * dim, 0] = np.arange(len(laid_out.columns) - 2 * dim, len(laid_out.columns))
    marks[header] = 0, 2 * dim, -1, -1, 0, 0
    marks[header + 1 : header + 1 + 2**dim, IS_FAR] = 1
    state = np.zeros(T.N_STATE, np.int64)
    state[T.ENTERING] = len(network.hidden) > 0
    state[T.START], state[T.LENGTH], state[T.TOP] = header, 1 + 2**dim, header + 1 + 2**dim
    state[T.ZERO_TOP] = BITS * n_words
    geometry = Polytopes(
        laid_out.maps, laid_out.floats, laid_out.bounds, laid_out.columns, vertices, marks, masks, zeros, state,
        np.zeros((2, size), np.int64), np.zeros((4, len(laid_out.columns))), np.zeros(block_size(dim)),
        np.zeros((dim, dim)),
        tuple(range(dim + 1)), tuple(range(n_words)),
    )  # fmt: skip
    return PolytopeTables(laid_out, geometry, lines)


class PolytopeAnswers(Answers):
    """Answers about vertices in rationals."""

    def __init__(self, laid_out: PolytopeTables) -> None:
        super().__init__(CurrentForms(laid_out.network, laid_out.lines), laid_out.geometry)

    def answer(self) -> int:
        """Return a row's sign at a vertex, or place a vertex by independent ones of the forms that vanish there."""
        state = self.geometry.state
        kind, row, vertex, header = state[T.QUESTION : T.QUESTION + 4].tolist()
        state[T.EXACT] += 1
        if kind == T.ASK_SIGN:
            basis = [self._form(slot, header) for slot in self._slots(vertex, 1)]
            return _sign_at(self.forms.form(row), basis)
        self._place(vertex, header)
        return 0

    def _slots(self, vertex: int, kind: int) -> list[int]:
        words = self.geometry.masks[vertex, kind].tolist()
        return [w * BITS + bit for w, word in enumerate(words) for bit in range(BITS) if word >> bit & 1]

    def _form(self, slot: int, header: int) -> Form:
        table = int(self.geometry.marks[header, SLOTS])
        return self.forms.form(int(self.geometry.zeros[table + slot, 0]))

    def _place(self, vertex: int, header: int) -> None:
        dim = len(self.geometry.axes) - 1
        basis: list[int] = []
        rows: list[Form] = []
        for slot in self._slots(vertex, 0):
            form = self._form(slot, header)
            candidate = [*rows, form]
            if flint.fmpz_mat([list(row[:dim]) for row in candidate]).rank() == len(candidate):
                basis, rows = [*basis, slot], candidate
        for w in range(self.geometry.masks.shape[2]):
            bits = sum(1 << (slot - w * BITS) for slot in basis if slot // BITS == w)
            self.geometry.masks[vertex, 1, w] = np.uint64(bits)
        self.geometry.vertices[vertex] = _float_vertex(rows, dim)
        self.geometry.marks[vertex, IS_FAR] = any(row[-1] for row in rows)


def _sign_at(form: Form, basis: Sequence[Form]) -> int:
    """Return the sign of a form where ``dim`` independent forms vanish, in the order of rational functions of M."""
    dim = len(basis)
    orientation = flint.fmpz_mat([list(row[:dim]) for row in basis]).det()
    for last in (dim + 1, dim):  # the part with M counts first
        value = flint.fmpz_mat([[*row[:dim], row[last]] for row in (*basis, form)]).det()
        if value:
            return 1 if (value > 0) == (orientation > 0) else -1
    return 0


def _float_vertex(basis: Sequence[Form], dim: int) -> list[float]:
    """Return the common zero of forms as a vertex's columns on the stack; no gap: forms are known up to factors."""
    normals = flint.fmpz_mat([list(row[:dim]) for row in basis])
    constants = flint.fmpz_mat([[-row[dim], -row[dim + 1]] for row in basis])
    solution = normals.solve(constants)
    exact = [[to_fraction(solution[i, k]) for i in range(dim)] for k in range(2)]
    floats = [[nearest_float(value.numerator, value.denominator) for value in part] for part in exact]
    errors = [[_error(f, value) for f, value in zip(*parts, strict=True)] for parts in zip(floats, exact, strict=True)]
    return [*floats[0], *errors[0], *floats[1], max(errors[1]), 0.0]


def _error(rounded: float, value: Fraction) -> float:
    return rounding_error(rounded, value.numerator, value.denominator)
