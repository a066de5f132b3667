"""Proofs that were forged with care, every number consistent: none is accepted."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, combinations

import numpy as np
import pytest
from certificate_changes import NETWORKS
from two_checkers import Checkers, stored

from polyrelu.certificate.format import BASES, Certificate, Points
from polyrelu.exact.domain import Domain
from polyrelu.network.activation import IDENTITY, Activation
from polyrelu.network.model import Layer, Network
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.certify import certify
from polyrelu.testing import grid, thick_zero


def of_regions(c: Certificate, facets: list, lists: list[list[int]], keep: list[int] | None = None) -> Certificate:
    """Return a certificate with other facets of its regions and only some of these, all numbers renewed.

    Parameters
    ----------
    facets : list of (region, region or row, old facet)
        From the old facet come its neurons, and the point beyond it.
    lists : list of list
        Numbers in ``facets`` of each old region.
    """
    keep = list(range(c.n_regions)) if keep is None else keep
    new = {old: i for i, old in enumerate(keep)}
    used = [f for f, (a, b, _) in enumerate(facets) if a in new and (b < 0 or b in new)]
    place = {f: i for i, f in enumerate(used)}
    sides = [[place[f] for f in lists[old] if f in place] for old in keep]
    old_facets = [facets[f][2] for f in used]
    neurons = [c.facet_neurons[slice(*c.facet_starts[f : f + 2].tolist())].tolist() for f in old_facets]
    first = {}
    level = replace(
        c.levels[-1], parents=c.levels[-1].parents[keep], digits=c.levels[-1].digits[keep],
        facets=np.array([(new[a], new.get(b, b)) for a, b, _ in (facets[f] for f in used)], np.int32).reshape(-1, 2),
        starts=np.cumsum([0, *map(len, sides)]), sides=np.array([*chain(*sides)], np.int32),
    )  # fmt: skip
    points = c.facet_points
    if c.proof == BASES:
        exact = {i: points.exact[f] for i, f in enumerate(old_facets) if f in points.exact}
        points = Points(points.floats[old_facets], exact)
    return replace(
        c, levels=(*c.levels[:-1], level), facet_points=points,
        witnesses=Points(c.witnesses.floats[keep], {new[i]: x for i, x in c.witnesses.exact.items() if i in new}),
        facet_starts=np.cumsum([0, *map(len, neurons)]), facet_neurons=np.array([*chain(*neurons)], np.int32),
        maps=np.array([first.setdefault(m, i) for i, m in enumerate(c.maps[keep].tolist())], np.int32),
        linear_regions=np.arange(len(keep), dtype=np.int32),
    )  # fmt: skip


def facets_of(c: Certificate) -> tuple[list, list[list[int]]]:
    """Return facets and lists as `of_regions` takes them."""
    level = c.levels[-1]
    lists = [level.sides[a:b].tolist() for a, b in zip(level.starts, level.starts[1:], strict=False)]
    return [(a, b, f) for f, (a, b) in enumerate(level.facets.tolist())], lists


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_missing_region_is_noticed(kind, good, checkers):
    c = good[kind]
    unmerged = replace(c, linear_regions=np.arange(c.n_regions, dtype=np.int32))
    assert stored(of_regions(c, *facets_of(c))) == stored(unmerged)
    for missing in range(c.n_regions):
        _, reason = checkers[kind].refuse(of_regions(c, *facets_of(c), [i for i in range(c.n_regions) if i != missing]))
        assert "condition 1 " in reason or "condition 2 " in reason


@pytest.mark.parametrize("kind", NETWORKS)
def test_facets_of_a_missing_region_cannot_lead_elsewhere(kind, good, checkers):
    """Neither to another region, nor to the border, nor without telling that other region."""
    c = good[kind]
    for missing in range(0, c.n_regions, 1 + c.n_regions // 3):
        keep = [i for i in range(c.n_regions) if i != missing]
        for target in [*keep, *range(-len(c.domain.rows), 0)]:
            for is_told in (True, False):
                facets, lists = facets_of(c)
                for f, (a, b, old) in enumerate(facets):
                    if missing in (a, b) and b >= 0 and a + b - missing != target:
                        own = a + b - missing
                        facets[f] = (own, target, old) if target < 0 or is_told else (target, own, old)
                        if target >= 0:
                            lists[target if is_told else own].append(f)
                checkers[kind].refuse(of_regions(c, facets, lists, keep))


@pytest.mark.parametrize("kind", NETWORKS)
def test_a_facet_cannot_be_invented(kind, good, checkers):
    """Between two regions, of one with itself, on any row; in the lists of both, or once or twice in that of one."""
    c = good[kind]
    for first in range(0, c.n_regions, 1 + c.n_regions // 3):
        for second in range(-len(c.domain.rows), c.n_regions):
            for added in ((first, second), (first,), (second, second), (first, first)):
                facets, lists = facets_of(c)
                if min(added) >= 0 or added == (first, second):
                    for cell in (cell for cell in added if cell >= 0):
                        lists[cell].append(len(facets))
                    checkers[kind].refuse(of_regions(c, [*facets, (first, second, 0)], lists))


@pytest.mark.parametrize("kind", NETWORKS)
def test_neighbours_behind_one_hyperplane_cannot_be_exchanged(kind, tmp_path, good, checkers):
    c, own = good[kind], checkers[kind]
    if kind == "plane":
        network = grid(1, 1)
        c, own = certify(tessellate(network, Domain.all(2))), Checkers(network, tmp_path)
    level, refused = c.levels[-1], 0
    for f, (a, b) in enumerate(level.facets.tolist()[: 12 if kind == "space" else None]):
        for g, (p, q) in enumerate(level.facets.tolist()):
            if f < g and min(b, q) >= 0 and len({a, b, p, q}) == 4:
                facets, lists = facets_of(c)
                facets[f], facets[g] = (a, q, f), (p, b, g)
                lists[b], lists[q] = ([{f: g, g: f}.get(x, x) for x in lists[cell]] for cell in (b, q))
                _, reason = own.refuse(of_regions(c, facets, lists))
                refused += "condition 6 " in reason
    assert refused or kind != "plane"


def test_a_neuron_that_vanishes_on_a_cell_has_the_lower_digit(tmp_path):
    network = Network.from_arrays([([[0, 0], [1, 0]], [0, 0]), ([[1, 1]], [0])])
    c = certify(tessellate(network))
    level = replace(c.levels[1], digits=c.levels[1].digits + np.uint8(128))
    refusal, reason = Checkers(network, tmp_path).refuse(replace(c, levels=(c.levels[0], level)))
    assert "the digit of its further side" in refusal and "condition 3 " in reason


def test_ties_of_max_units_go_to_the_first(tmp_path):
    layer = Layer(np.array([[1, 0], [1, 0]], float), np.zeros(2), Activation.max_units([2]))
    network = Network((layer,), Layer(np.ones((1, 1)), np.zeros(1), Activation.same(IDENTITY, 1)))
    c = certify(tessellate(network))
    assert c.n_regions == 1
    level = replace(c.levels[1], digits=c.levels[1].digits + np.uint8(128))
    _, reason = Checkers(network, tmp_path).refuse(replace(c, levels=(c.levels[0], level)))
    assert "condition 3 " in reason


def test_regions_beside_a_thick_zero_cannot_be_left_out(tmp_path, good):
    """A neuron vanishes on a whole side; the cell there and the one beside it have different numbers of rows."""
    network = thick_zero()
    c, own = certify(tessellate(network)), Checkers(network, tmp_path)
    own.accept(c)
    for missing in range(c.n_regions):
        own.refuse(of_regions(c, *facets_of(c), [i for i in range(c.n_regions) if i != missing]))


@pytest.mark.parametrize("kind", ["line", "space"])
def test_only_non_negative_combinations_prove_a_row(kind, good, checkers):
    """Every other choice of facets for a row is refused, or proves it as well; negative multipliers are among them."""
    c, refusals = good[kind], []
    for depth, level in enumerate(c.levels):
        for line in range(0, len(level.bases), 1 if kind == "line" else 17):
            for basis in combinations(range(4), c.domain.dim):
                bases = level.bases.copy()
                bases[line] = basis
                levels = (*c.levels[:depth], replace(level, bases=bases), *c.levels[depth + 1 :])
                changed = replace(c, levels=levels)
                if not checkers[kind].accepts(changed):
                    refusals.append(checkers[kind].refuse(changed)[0])
    assert any("no non-negative combination" in refusal for refusal in refusals)
    assert kind == "line" or any("negative somewhere" in refusal for refusal in refusals)
