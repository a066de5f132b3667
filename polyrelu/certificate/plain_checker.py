"""The second checker of certificates: one file that imports nothing but Python's standard library.

    python plain_checker.py FILE MODEL

prints what FILE proves of MODEL and exits with 0, or names the condition that fails and exits with 1; with 2 if one of
them cannot be read. MODEL is a ``.npz`` of ReLU layers, or what ``polyrelu check FILE MODEL --write-network NEW.json``
writes of any other. docs/certificate_format.md defines the formats and proves that the conditions suffice. Floats are
read exactly, and none decides. A *form* is a list ``[a_1, …, a_d, c]`` that means ``a · x + c``: its value is a product
with homogeneous coordinates ``[x_1, …, x_d, w]``, w = 0 for a direction.
"""

from __future__ import annotations

import ast
import hashlib
import io
import json
import math
import re
import struct
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, pairwise
from typing import Any

__all__ = ["Refused", "check", "main"]

Form = Sequence[Fraction | int]
Forms = Sequence[Form]
Sum = tuple[dict[int, Fraction], Fraction]  # factors of forms, and a constant
CONDITIONS = ("", "form", "rows", "thick zeros", "witnesses", "facets", "neighbours", "neurons on facets", "maps")
RELU, IDENTITY = [["0"], ["0", "1"], ["0", "0"]], [[], ["1"], ["0"]]  # breakpoints, slopes, constants
FIELDS = "network input_map dim domain label proof levels exact_witnesses exact_facet_points shapes"
INFINITY: Form = (0, 0, 1)  # the row w >= 0, which stands at the opening of an open polygon
MISREAD = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, struct.error)


class Refused(Exception):
    """A condition that the certificate fails."""


def main(arguments: list[str]) -> int:
    """Check a certificate, say the answer, and return the exit status."""
    try:
        if len(arguments) != 2:
            raise ValueError("usage: python plain_checker.py FILE MODEL")
        *counts, (_, domain) = check(*arguments).items()
    except (Refused, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1 if isinstance(error, Refused) else 2
    sys.stdout.write("accepted: " + ", ".join(f"{count:,} {what}" for what, count in counts) + f"\n{domain}\n")
    return 0


def check(path: str, model: str) -> dict[str, Any]:
    """Return what the certificate in a file proves of a model; OSError and ValueError are files that cannot be read."""
    with open(path, "rb") as file, open(model, "rb") as other:
        data, stored = file.read(), other.read()
    try:
        network = read_network(stored, model.endswith(".json"))
    except (*MISREAD, zipfile.BadZipFile, zlib.error, EOFError, SyntaxError, MemoryError) as error:
        raise ValueError(f"{model!r} holds no network: {error}") from None
    try:
        certificate = Certificate(data, *network)
    except MISREAD as error:
        raise Refused(f"condition 1 (form) fails: a field cannot be read ({error})") from None
    return certificate.check() | {"domain": certificate.about}


def demand(holds: bool, condition: int, text: str) -> None:
    """Refuse the certificate unless a condition holds."""
    if not holds:
        raise Refused(f"condition {condition} ({CONDITIONS[condition]}) fails: {text}")


class Unit:
    """What makes one value of preactivations. With two pieces or more it is a neuron and has a digit: its piece."""

    def __init__(self, pieces: list[Sum], borders: list[Sum], pairs: list[tuple[int, int]], further: int) -> None:
        # Border b is between the digits pairs[b]; the second is on its further side, where its sign is ``further``.
        self.pieces, self.borders, self.pairs, self.further = pieces, borders, pairs, further
        self.signs = [{b: further if digit == pair[1] else -further for b, pair in enumerate(pairs) if digit in pair}
                      for digit in range(len(pieces))]  # fmt: skip


class Layer:
    """Preactivations as sums of values, units that read them, and what the hash of the network takes of both."""

    def __init__(self, stored: dict[str, Any]) -> None:
        bias = [float.fromhex(text) + 0.0 for text in stored["bias"]]  # which makes 0.0 of -0.0
        rows = [sorted((int(i), float.fromhex(text)) for i, text in row.items()) for row in stored["weights"]]
        functions = [tuple(rationals(part, len(part)) for part in each) for each in stored["functions"]]
        entries = [(p, i, value) for p, row in enumerate(rows) for i, value in row if value]
        columns = [*([entry[k] for entry in entries] for k in range(3)), bias, stored["kinds"], stored["starts"]]
        self.inputs, ends = range(stored["inputs"]), list(pairwise(stored["starts"]))
        self.hashed = repr(((len(bias), len(self.inputs)), functions)).encode()
        self.hashed += b"".join(struct.pack(f"<{len(c)}{code}", *c) for code, c in zip("qqddiq", columns, strict=True))
        weights = [{self.inputs.index(i): Fraction(value) for i, value in row} for row in rows]
        self.sums: list[Sum] = list(zip(weights, map(Fraction, bias), strict=True))
        if (ends[0][0] if ends else 0, stored["starts"][-1]) != (0, len(bias)) or any(a >= b for a, b in ends):
            raise ValueError("the units of a layer do not read all its preactivations")
        kinds = {-1: None, **dict(enumerate(functions))}
        self.units = [unit_of(kinds[k], range(*own)) for k, own in zip(stored["kinds"], ends, strict=True)]
        self.neurons = [unit for unit in self.units if len(unit.signs) > 1]


def unit_of(function: tuple[tuple[Fraction, ...], ...] | None, own: range) -> Unit:
    """Return a unit that applies a function to its own preactivation, or takes the largest of several."""
    if function is None:  # digit p: z_p is the largest, and the first of those that are
        pairs = list(combinations(range(len(own)), 2))
        borders = [({own[p]: Fraction(1), own[q]: Fraction(-1)}, Fraction(0)) for p, q in pairs]
        return Unit([({p: Fraction(1)}, Fraction(0)) for p in own], borders, pairs, -1)
    points, slopes, constants = function  # digit i: z is above breakpoint i - 1, and not above breakpoint i
    pieces = list(zip(slopes, constants, strict=True))
    jumps = [(a - c) * t + b - d for t, ((a, b), (c, d)) in zip(points, pairwise(pieces), strict=True)]
    if len(own) != 1 or not pieces or any(jumps) or any(s >= t for s, t in pairwise(points)):
        raise ValueError("a function needs one preactivation, ascending breakpoints, and pieces that meet there")
    borders = [({own[0]: Fraction(1)}, -t) for t in points]
    return Unit([({own[0]: a}, b) for a, b in pieces], borders, list(pairwise(range(len(pieces)))), 1)


def add(terms: Sum, forms: Sequence[Form], width: int) -> Form:
    """Return the sum of multiples of forms and of a constant."""
    total: Form = [Fraction(0)] * (width - 1) + [terms[1]]
    for i, factor in terms[0].items():
        total = [a + factor * b if b else a for a, b in zip(total, forms[i], strict=True)]
    return total


def read_network(data: bytes, is_plain: bool) -> tuple[list[Layer], str, Forms | None]:
    """Return the layers of a model, their hash, and the input map if there is one."""
    stored: Any = json.loads(data) if is_plain else {"layers": stored_layers(data), "input_map": None}
    layers, rows = [Layer(each) for each in stored["layers"]], stored["input_map"]
    is_affine = all(unit.pieces == [({p: Fraction(1)}, Fraction(0))] for p, unit in enumerate(layers[-1].units))
    if not is_affine or any(len(a.units) != len(b.inputs) for a, b in pairwise(layers)):
        raise ValueError("the layers do not chain, or the last one is not affine")
    digest = hashlib.sha256(b"".join([b"polyrelu network 1", *(layer.hashed for layer in layers)])).hexdigest()
    return layers, digest, rows and [rationals(row, len(rows[0])) for row in rows]


def stored_layers(data: bytes) -> list[dict[str, Any]]:
    """Return the layers W0, b0, W1, … of a NumPy archive as the plain file of a network stores them."""
    arrays: dict[str, tuple[tuple[int, ...], list[float]]] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name, array in ((name, archive.read(name)) for name in archive.namelist()):
            stop = 10 + int.from_bytes(array[8:10], "little")  # in version 1, which is that of all arrays of numbers
            header = ast.literal_eval(array[10:stop].decode())
            shape, (order, *kind) = header["shape"], header["descr"]
            code = "efdbhiqBHIQ?"["f2f4f8i1i2i4i8u1u2u4u8b1".index("".join(kind)) // 2]
            numbers = struct.unpack(f"{'>' if order == '>' else '<'}{math.prod(shape)}{code}", array[stop:])
            if any(float(number) != number for number in numbers):
                raise ValueError("a number is none, or too long for a float")
            rows = [numbers[p :: shape[0]] for p in range(shape[0])] if header["fortran_order"] else [numbers]
            arrays[name.removesuffix(".npy")] = shape, [float(number) for row in rows for number in row]
    layers: list[dict[str, Any]] = []
    while arrays:
        ((n, width), weight), (_, bias) = (arrays.pop(f"{letter}{len(layers)}") for letter in "Wb")
        weights = [{k: value.hex() for k, value in enumerate(weight[p * width :][:width]) if value} for p in range(n)]
        layers.append({"inputs": width, "weights": weights, "bias": [value.hex() for value in bias], "kinds": [0] * n,
                       "functions": [RELU if arrays else IDENTITY], "starts": range(n + 1)})  # fmt: skip
    return layers


def rationals(texts: list[str], n: int) -> tuple[Fraction, ...]:
    """Return ``n`` numbers that are written like -3/4; Python takes quadratic time for their digits."""
    is_number = re.compile(r"-?[0-9]{1,4000}(/[0-9]{1,4000})?").fullmatch
    if type(texts) is not list or len(texts) != n or not all(map(is_number, texts)):
        raise ValueError(f"{n} rational numbers are needed, not {texts!s:.40}")
    return tuple(map(Fraction, texts))


class Cell:
    """A cell as the file gives it, and from ``rows`` on what is found when it is checked."""

    def __init__(self, number: int, parent: Cell | None, digits: Sequence[int], layer: Layer) -> None:
        self.number, self.parent, self.digits, self.layer = number, parent, digits, layer  # the next layer
        self.neurons: list[Unit] = parent.layer.neurons if parent else []  # whose digits these are
        self.first_neuron: int = parent.first_neuron + len(parent.neurons) if parent else 0
        self.children: list[Cell] = []
        self.facets: list[tuple[int, Cell | None, Form]] = []  # number, cell behind, or else the row of the domain
        self.rows: Forms = []  # of the facets
        self.preactivations: Forms = []  # of the next layer
        self.borders: list[list[Form]] = []  # of each neuron of the next layer
        self.sides: list[list[set[int | None]]] = []  # the signs that children demand of each, None for no demand


class Certificate:
    """A certificate, which reads itself (condition 1) and checks itself (conditions 2 to 8)."""

    def __init__(self, data: bytes, layers: list[Layer], network: str, input_map: Forms | None) -> None:
        magic = b"polyrelu certificate 1\n"
        start, end = len(magic) + 8, len(data) - 32
        stop = start + int.from_bytes(data[len(magic) : start], "little")
        fits = data.startswith(magic) and stop <= min(end, start + (1 << 24))
        demand(fits and hashlib.sha256(data[:end]).digest() == data[end:], 1, "the file is none, cut off or changed")
        header, self.data, self.position = json.loads(data[start:stop]), memoryview(data)[stop:end], 0
        self.dim, stated, self.shapes = header["dim"], header["input_map"], iter(header["shapes"])
        self.in_plane, n = header["proof"] == "polygons" and self.dim == 2, len(layers[0].inputs)
        fits = (type(self.dim), type(header["levels"]), type(header["label"])) == (int, int, str) and self.dim >= 0
        fits = fits and {*header} == {*FIELDS.split()} and (self.in_plane or header["proof"] == "bases")
        demand(fits, 1, "the header has other fields, or one of them has a value that makes no sense")
        own = None if stated is None else [rationals(row, self.dim + 1) for row in stated]
        fits = header["network"] == network and input_map in (None, own) and header["levels"] == len(layers)
        demand(fits and n == (self.dim if own is None else len(own)), 1, "it is about another network")
        self.inputs: Forms = own if own is not None else [[int(i == j) for j in range(n + 1)] for i in range(n)]
        self.domain: Forms = [rationals(row, self.dim + 1) for row in header["domain"]]
        self.about = f"rows of the domain: {header['domain']}, input map: {header['input_map']}".replace("'", "")
        demand(all(c.denominator == 1 for row in self.domain for c in row), 1, "the domain's rows are no integers")
        self.levels: list[list[Cell]] = []
        self.bases: list[Iterator[Sequence[int]]] = []
        for layer in layers:
            self.levels.append(self.read_level(layer, self.levels[-1] if self.levels else [None]))
        n, n_facets = len(self.levels[-1]), len(self.facets)
        self.witnesses = self.points(n, header["exact_witnesses"])
        self.facet_neurons = slices(self.take("q", n_facets + 1), self.take("i", None))
        self.maps, self.linear_regions = self.take("i", n), self.take("i", n)
        self.facet_points = self.points(0 if self.in_plane else n_facets, header["exact_facet_points"])
        demand(self.position == len(self.data) and not [*self.shapes], 1, "something follows the last array")

    def read_level(self, layer: Layer, above: Sequence[Cell | None]) -> list[Cell]:
        """Return the cells of the next level; everything that serves as an index is in range."""
        units = above[0].layer.neurons if above[0] else []
        where, parents = f"level {len(self.levels)}: ", self.take("i", None)
        n, steps = len(parents), [b - a for a, b in pairwise((-1, *parents, len(above)))]
        demand(steps[0] == steps[-1] == 1 and {*steps} <= {0, 1}, 1, where + "a cell above has no child in its place")
        keys, bits = [], all(len(unit.signs) == 2 for unit in units)
        for parent, row in zip(parents, self.take("B", n, -(-len(units) // 8) if bits else len(units)), strict=True):
            digits = [byte >> bit & 1 for byte in row for bit in range(7, -1, -1)] if bits else row
            fits = all(digit < len(unit.signs) for digit, unit in zip(digits, units, strict=False))
            demand(fits and not any(digits[len(units) :]), 1, where + "a cell has digits that do not exist")
            keys.append((parent, tuple(digits[: len(units)])))
        demand(keys == sorted({*keys}), 1, where + "siblings do not stand in ascending order of their digits")
        cells = [Cell(i, above[parent], digits, layer) for i, (parent, digits) in enumerate(keys)]
        self.facets = [(a, b) for a, b in self.take("i", None, 2)]  # in the end those of the regions
        fits = all(0 <= a < n and -len(self.domain) <= b < n and a != b for a, b in self.facets)
        demand(fits, 1, where + "a facet does not lie between two cells, or on a row of the domain")
        lists = slices(self.take("q", n + 1), self.take("i", None))
        beside = sorted((i, facet) for facet, pair in enumerate(self.facets) for i in pair if i >= 0)
        listed = sorted((i, facet) for i, own in enumerate(lists) for facet in own)
        demand(beside == listed, 1, where + "a facet is not in the lists of both its cells, once in each")
        for cell, own in zip(cells, lists, strict=True):
            behind = [(facet, sum(self.facets[facet]) - cell.number) for facet in own]
            cell.facets = [(f, cells[i], ()) if i >= 0 else (f, None, self.domain[-1 - i]) for f, i in behind]
            if cell.parent:
                cell.parent.children.append(cell)
        self.bases.append(self.take("H", None, self.dim))
        return cells

    def take(self, code: str, *demanded: int | None) -> Any:
        """Return the next array, of any length where None is demanded; rows come one by one, as many may be empty."""
        shape: list[int] = next(self.shapes, [])
        fits = all(type(n) is int and n >= 0 and m in (n, None) for n, m in zip(shape, demanded, strict=True))
        count = math.prod(shape) if fits else 0
        start, self.position = self.position, self.position + count * struct.calcsize(f"<{code}")
        demand(fits and self.position <= len(self.data), 1, f"an array of shape {shape!s:.40} is wrong or cut off")
        numbers = struct.unpack(f"<{count}{code}", self.data[start : self.position])
        return numbers if len(shape) == 1 else (numbers[i * shape[1] : (i + 1) * shape[1]] for i in range(shape[0]))

    def points(self, n: int, listed: dict[str, list[str]]) -> Forms:
        """Return the points of the next array, and those of the header, which are zero in the array."""
        points: list[Form] = [[*map(Fraction, row), 1] for row in self.take("d", n, self.dim)]
        for key, texts in listed.items():
            i = range(n).index(int(key))
            demand(key == str(i) and not any(points[i][:-1]), 1, f"point {key} is listed, and in the array")
            points[i] = [*rationals(texts, self.dim), 1]
        return points

    def check(self) -> dict[str, int]:
        """Return how much is proved."""
        for depth, (cells, bases) in enumerate(zip(self.levels, self.bases, strict=True)):
            for cell in cells:
                self.check_cell(cell, bases, f"cell {cell.number} of level {depth}: ")
            demand(next(bases, None) is None, 2, f"level {depth} has more bases than rows to prove")
        maps = [self.check_region(region) for region in cells]
        first = {affine: number for number, affine in reversed([*enumerate(maps)])}
        demand([first[affine] for affine in maps] == [*self.maps], 8, "other regions than stated have one affine map")
        links = [(a, b) for a, b in self.facets if b >= 0 and maps[a] == maps[b]]
        parts = [*range(len(maps))]
        while any(parts[a] != parts[b] for a, b in links):  # the smallest number spreads
            for a, b in links:
                parts[a] = parts[b] = min(parts[a], parts[b])
        demand(parts == [*self.linear_regions], 8, "other regions than stated form linear regions")
        return {"regions": len(maps), "facets": len(self.facets), "linear regions": len({*parts}), "maps": len(first)}

    def check_cell(self, cell: Cell, bases: Iterator[Sequence[int]], where: str) -> None:
        """Check conditions 2 and 3 of a cell whose parent is checked."""
        values, asked, width, above = self.inputs, [*self.domain], self.dim + 1, cell.parent
        if above:
            digits, asked = iter(cell.digits), [*above.rows]
            pieces = [unit.pieces[next(digits) if len(unit.signs) > 1 else 0] for unit in above.layer.units]
            values = [add(piece, above.preactivations, width) for piece in pieces]
            for unit, digit, forms, sides in zip(cell.neurons, cell.digits, above.borders, above.sides, strict=True):
                asked += [[sign * a for a in forms[b]] for b, sign in unit.signs[digit].items() if len(sides[b]) > 1]
        cell.preactivations = [add(terms, values, width) for terms in cell.layer.sums]
        for k, unit in enumerate(cell.layer.neurons):
            cell.borders.append([add(terms, cell.preactivations, width) for terms in unit.borders])
            signs = [unit.signs[child.digits[k]] for child in cell.children]
            cell.sides.append([{own.get(b) for own in signs} for b in range(len(unit.borders))])
            for form, side in zip(cell.borders[k], cell.sides[k], strict=True):
                demand(any(form) or unit.further not in side, 3, where + "a border that vanishes has its further side")
                asked += [[sign * a for a in form] for sign in side if sign and len(side) == 1]
        cell.rows = [row if other is None else row_between(cell, other) for _, other, row in cell.facets]
        if self.in_plane:
            lowest = min((at(row, u) for u in corners_of(cell.rows, where) for row in asked), default=0)
            demand(lowest >= 0, 2, where + "a row is negative at a corner")
        for row in () if self.in_plane else asked:
            basis = [k for k in next(bases, (len(cell.rows),)) if k != 0xFFFF] if any(row[:-1]) else []
            demand(all(k < len(cell.rows) for k in basis), 2, where + "a basis is missing, or names no facet")
            demand(remainder(row, [cell.rows[k] for k in basis]) >= 0, 2, where + "a basis does not imply its row")

    def check_region(self, region: Cell) -> tuple[tuple[Fraction | int, ...], ...]:
        """Check conditions 4 to 7 of a region, and return its affine map."""
        values = [at(row, self.witnesses[region.number]) for row in region.rows]
        demand(min(values, default=1) > 0, 4, f"the witness of region {region.number} is not strictly inside")
        for i, (facet, other, _) in enumerate(region.facets):
            if self.facets[facet][0] != region.number:
                continue  # checked at its first region
            if not self.in_plane:
                values = [at(row, self.facet_points[facet]) for row in region.rows]
                demand(values.pop(i) < 0 < min(values, default=1), 5, f"the point of facet {facet} is elsewhere")
            neurons, own, behind = [], region, other or region
            while own.parent and behind.parent:
                units = zip(own.neurons, own.parent.borders, own.digits, behind.digits, strict=True)
                for k, (unit, forms, a, b) in enumerate(units, own.first_neuron):
                    zeros = [unit.pairs[t] for t in unit.signs[a] if is_multiple(forms[t], region.rows[i])]
                    neurons += [k] if zeros else []
                    passes = a == b or (min(a, b), max(a, b)) in zeros
                    demand(passes, 6, f"neuron {k} has another digit behind facet {facet}, and does not vanish there")
                own, behind = own.parent, behind.parent
            demand(sorted(neurons) == [*self.facet_neurons[facet]], 7, f"on facet {facet} the neurons {neurons} vanish")
        return tuple(map(tuple, region.preactivations))


def slices(starts: Sequence[int], values: Sequence[int]) -> list[Sequence[int]]:
    """Return the lists that follow each other in an array."""
    demand([*starts] == sorted(starts) and (starts[0], starts[-1]) == (0, len(values)), 1, "lists do not fill an array")
    return [values[a:b] for a, b in pairwise(starts)]


def at(form: Form, point: Form) -> Fraction | int:
    """Return the value of a form at a point."""
    return sum(a * x for a, x in zip(form, point, strict=True))


def is_multiple(form: Form, row: Form) -> bool:
    """Return whether a form vanishes wherever a row does, which is not zero altogether."""
    i = next(i for i, a in enumerate(row) if a)
    return all(a * row[i] == b * form[i] for a, b in zip(form, row, strict=True))


def row_between(cell: Cell, other: Cell) -> Form:
    """Return the border between the first digits in which two cells differ, positive on the side of the first cell."""
    while cell.parent and cell.parent is not other.parent and other.parent:
        cell, other = cell.parent, other.parent
    k, a, b = next((k, a, b) for k, (a, b) in enumerate(zip(cell.digits, other.digits, strict=True)) if a != b)
    unit, pair, forms = cell.neurons[k], (min(a, b), max(a, b)), cell.parent.borders[k] if cell.parent else []
    demand(pair in unit.pairs, 6, f"the digits of cells {cell.number} and {other.number} of a level are no neighbours")
    return [unit.signs[a][unit.pairs.index(pair)] * value for value in forms[unit.pairs.index(pair)]]


def corners_of(rows: Forms, where: str) -> Forms:
    """Return what generates the polygon that has just these facets, counter-clockwise."""
    demand(all(a or b for a, b, _ in rows), 2, where + "the row of a facet is constant")
    turns = [p[0] * q[1] - p[1] * q[0] for p, q in zip(rows, [*rows[1:], *rows[:1]], strict=True)]
    if not rows:  # the plane
        return [(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1)]
    if len(rows) < 3 and not any(turns):  # a half-plane or a strip
        a, b, _ = rows[0]
        feet: Forms = [(-p * r, -q * r, p * p + q * q) for p, q, r in rows]
        demand(len(rows) < 2 or (at(rows[0], feet[1]) > 0 < at(rows[1], feet[0])), 2, where + "they bound no strip")
        return [(b, -a, 0), (-b, a, 0), *feet, *([(a, b, 0)] if len(rows) == 1 else [])]
    cycle = [form for row, turn in zip(rows, turns, strict=True) for form in (row, *[INFINITY] * (turn < 0))]
    corners: Forms = [(p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0])
                      for p, q in pairwise([*cycle, cycle[0]])]  # fmt: skip
    for i, row in enumerate(cycle):  # corners i - 1 and i are its own
        away = [at(row, u) for j, u in enumerate(corners) if (i - j) % len(cycle) > 1]
        demand(min(away) > 0, 2, where + "its facets do not follow each other around a polygon")
    return corners


def remainder(row: Form, basis: Forms) -> Fraction | int:
    """Return what is left of a row's constant when multiples >= 0 of a basis take its normal away, in the only way."""
    lines = [[Fraction(form[i]) for form in (*basis, row)] for i in range(len(row) - 1)]
    for k in range(len(basis)):  # Gauss-Jordan: line k comes to hold the k-th multiple
        pivot = next((line for line in lines[k:] if line[k]), None)
        if pivot is None:
            return -1  # there are several ways
        lines.remove(pivot)
        lines = [[a - line[k] / pivot[k] * b for a, b in zip(line, pivot, strict=True)] for line in lines]
        lines.insert(k, [value / pivot[k] for value in pivot])
    factors = [line[-1] for line in lines]
    is_sum = not any(factors[len(basis) :]) and all(factor >= 0 for factor in factors)
    return row[-1] - sum(factor * form[-1] for factor, form in zip(factors, basis, strict=False)) if is_sum else -1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
