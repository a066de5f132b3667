"""The simplex method in integers: a dictionary over one common denominator, exact at every step.

A dictionary writes every basic variable, and the objectives, as an affine function of the nonbasic ones.
Coordinates are free variables, slacks are >= 0. All entries are integers over one positive denominator,
and each pivot divides without remainder (Edmonds 1967, Bareiss 1968), so numbers stay as short as the
determinants they are.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Dictionary"]

REPAIR = -1
"""Name of the variable that repairs violated rows in phase one; coordinate j is j, slack i is dim + i."""


class Dictionary:
    """A simplex dictionary that changes in place; objectives are its last rows.

    Attributes
    ----------
    dim : int
        Number of coordinates, the free variables.
    table : list of list of int
        ``denominator * variable = entries · nonbasic + last entry``; one row for each basic variable, then
        one for each objective.
    basic : list of int
        Name of the variable of each row but the objectives'.
    nonbasic : list of int
        Name of the variable of each column but the last.
    denominator : int
        Positive.
    """

    def __init__(self, dim: int, rows: Sequence[Sequence[int]], objectives: Sequence[Sequence[int]]) -> None:
        self.dim = dim
        self.table = [list(row) for row in (*rows, *objectives)]
        self.basic = list(range(dim, dim + len(rows)))
        self.nonbasic = list(range(dim))
        self.denominator = 1

    def make_feasible(self) -> bool:
        """Pivot to a dictionary whose slacks are >= 0 and return True, or prove that none exists.

        After False the last objective, an extra one, proves emptiness: `multipliers` are Farkas multipliers.
        """
        n_rows = len(self.basic)
        violated = [i for i in range(n_rows) if self.basic[i] >= self.dim and self.table[i][-1] < 0]
        if not violated:
            return True
        for i, row in enumerate(self.table):
            row.insert(-1, self._size(i) * self.denominator if i in violated else 0)
        self.table.append([0] * len(self.nonbasic) + [-self.denominator, 0])
        self.nonbasic.append(REPAIR)
        self.pivot(self.most_violated(len(self.nonbasic) - 1), len(self.nonbasic) - 1)
        self.maximize(stop_at=REPAIR)
        if REPAIR in self.basic:
            return False
        column = self.nonbasic.index(REPAIR)
        del self.nonbasic[column], self.table[-1]
        for row in self.table:
            del row[column]
        return True

    def most_violated(self, column: int) -> int:
        """Return the row that is violated most, measured by a column that can repair it."""
        best, value, rate = -1, 0, 1
        for i, name in enumerate(self.basic):
            row = self.table[i]
            if name >= self.dim and row[-1] < 0 and row[-1] * rate < value * abs(row[column]):
                best, value, rate = i, row[-1], abs(row[column])
        return best

    def maximize(self, stop_at: int | None = None, stop_positive: bool = False) -> tuple[int, int] | None:
        """Climb on the last objective from a feasible dictionary.

        Parameters
        ----------
        stop_at : int or None
            Stop as soon as this variable is nonbasic.
        stop_positive : bool
            Stop as soon as the objective is > 0.

        Returns
        -------
        None at an optimum (or where stopped), else (column, direction): the objective rises without bound
        as that nonbasic variable moves in this direction.

        Notes
        -----
        Largest coefficient first; after a pivot without progress Bland's rule (1977) until there is some,
        which makes cycles impossible. A coordinate that has become basic stays so.
        """
        bland = False
        while not (stop_positive and self.table[-1][-1] > 0):
            column, direction = self._entering(bland)
            if column < 0:
                return None
            row = self._leaving(column, direction)
            if row < 0:
                return column, direction
            bland = self.table[row][-1] == 0
            leaving = self.basic[row]
            self.pivot(row, column)
            if leaving == stop_at:
                return None
        return None

    def _entering(self, bland: bool) -> tuple[int, int]:
        best, best_name, direction, free_found = -1, 0, 1, False
        largest = 0
        for j, (name, rate) in enumerate(zip(self.nonbasic, self.table[-1], strict=False)):
            free = 0 <= name < self.dim
            if rate == 0 or (rate < 0 and not free) or (free_found and not free):
                continue
            if (free and not free_found) or (name < best_name if bland and best >= 0 else abs(rate) > largest):
                best, best_name, largest, free_found = j, name, abs(rate), free
                direction = 1 if rate > 0 else -1
        return best, direction

    def _leaving(self, column: int, direction: int) -> int:
        best, value, rate = -1, 0, 1
        for i, name in enumerate(self.basic):
            if 0 <= name < self.dim:
                continue
            row = self.table[i]
            slope = -direction * row[column]
            if slope > 0:
                order = row[-1] * rate - value * slope if best >= 0 else -1
                if order < 0 or (order == 0 and name < self.basic[best]):
                    best, value, rate = i, row[-1], slope
        return best

    def pivot(self, row: int, column: int) -> None:
        """Swap the basic variable of a row and the nonbasic variable of a column."""
        table, old = self.table, self.denominator
        source = table[row]
        new = source[column]
        if new < 0:
            new = -new
            source = table[row] = [-value for value in source]
            sign = -1
        else:
            sign = 1
        for i, target in enumerate(table):
            factor = target[column]
            if i == row:
                continue
            if factor:
                changed = [(new * a - factor * b) // old for a, b in zip(target, source, strict=True)]
                changed[column] = sign * factor
                table[i] = changed
            elif new != old:
                table[i] = [new * a // old for a in target]
        table[row] = [-value for value in source]
        table[row][column] = sign * old
        self.denominator = new
        self.basic[row], self.nonbasic[column] = self.nonbasic[column], self.basic[row]

    def _size(self, row: int) -> int:
        return max(1, *(abs(value) for value in self.table[row][:-1])) // self.denominator or 1

    def point(self) -> tuple[list[int], int]:
        """Return the coordinates of the basic solution as numerators and one denominator."""
        numerators = [0] * self.dim
        for i, name in enumerate(self.basic):
            if 0 <= name < self.dim:
                numerators[name] = self.table[i][-1]
        return numerators, self.denominator

    def direction(self, column: int, sign: int) -> list[int]:
        """Return how the coordinates move, up to scale, as a nonbasic variable does."""
        numerators = [0] * self.dim
        for i, name in enumerate(self.basic):
            if 0 <= name < self.dim:
                numerators[name] = sign * self.table[i][column]
        if self.nonbasic[column] < self.dim:
            numerators[self.nonbasic[column]] = sign * self.denominator
        return numerators

    def multipliers(self, n_rows: int) -> tuple[list[int], int]:
        """Return minus the last objective's coefficients of the slacks, over one denominator."""
        numerators = [0] * n_rows
        for name, rate in zip(self.nonbasic, self.table[-1], strict=False):
            if name >= self.dim:
                numerators[name - self.dim] = -rate
        return numerators, self.denominator
