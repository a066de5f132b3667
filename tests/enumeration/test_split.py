"""Enumeration by linear programs: patterns, facets and what vanishes on them, against exhaustive exact enumeration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from cases import Case, hash_lines, load_cases
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import text
from strategies import domains, networks, random_networks, relu_networks

from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.enumeration.space import SpaceRegions
from polyrelu.enumeration.split import enumerate_split
from polyrelu.errors import BudgetError, DomainError
from polyrelu.exact.domain import Domain
from polyrelu.network.model import Network
from polyrelu.region.model import Region
from polyrelu.testing import gaussian, generic_arrangement

CASES = load_cases()


def patterns_of(found: SpaceRegions) -> list[str]:
    return [text(digits) for digits in found.network.layout.unpack(found.words).tolist()]


def facets_of(found: SpaceRegions, index: int, digits: Sequence[int]) -> Counter[tuple[frozenset[int], bool]]:
    """Return the facets of a region: the neurons that vanish on each, and whether it is on the domain's border."""
    facets, meanings = found.facets, found.columns
    result: Counter[tuple[frozenset[int], bool]] = Counter()
    for facet in range(facets.indptr[index], facets.indptr[index + 1]):
        columns = facets.forms[facets.form_indptr[facet] : facets.form_indptr[facet + 1]]
        inner = columns[columns < meanings.first_line]
        pairs = zip(meanings.unit_neuron[meanings.unit[inner]].tolist(), meanings.digits[inner].tolist(), strict=True)
        neurons = frozenset(neuron for neuron, borders in pairs if digits[neuron] in borders)
        result[neurons, len(inner) < len(columns)] += 1
    return result


def zeros_of(found: SpaceRegions, index: int, region: Region) -> set[int]:
    """Return the neurons that vanish on a region: a max unit's only where the winner takes part."""
    meanings, zeros = found.columns, set()
    for column in found.zero_columns[found.zero_indptr[index] : found.zero_indptr[index + 1]]:
        neuron = int(meanings.unit_neuron[meanings.unit[column]])
        if region.pattern.digits[neuron] in meanings.digits[column]:
            zeros.add(neuron)
    return zeros


def check_agreement(found: SpaceRegions, regions: list[Region]) -> None:
    """Check patterns, witnesses, boundedness, the neurons that vanish on each region and each facet."""
    patterns = patterns_of(found)
    assert sorted(patterns) == sorted(text(region.pattern.digits) for region in regions)
    assert found.is_complete and found.n_regions == len(found.witnesses) == len(regions)
    by_pattern = {text(region.pattern.digits): region for region in regions}
    for index, pattern in enumerate(patterns):
        region = by_pattern[pattern]
        assert np.isfinite(found.witnesses[index]).all()
        assert bool(found.facets.is_bounded[index]) == region.is_bounded
        assert zeros_of(found, index, region) == set(region.zero_neurons)
        expected = Counter((frozenset(f.neurons), bool(f.domain_rows)) for f in region.facets)
        assert facets_of(found, index, region.pattern.digits) == expected


@st.composite
def problems(draw: st.DrawFn) -> tuple[Network, Domain]:
    """Draw a network with 1 to 5 inputs and a full-dimensional domain."""
    kinds = networks((1, 2, 3), 6) | relu_networks((1, 2, 3, 4, 5), 6) | random_networks((2, 3, 4, 5), 6)
    network = draw(kinds)
    return network, draw(domains(network.dim))


@given(problems())
@settings(max_examples=200)
def test_split_says_what_brute_says(problem):
    network, domain = problem
    check_agreement(enumerate_split(network, domain), enumerate_brute(network, domain))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_split_finds_the_regions_of_every_case(case: Case):
    found = enumerate_split(case.network, case.domain)
    assert found.n_regions == case.expected["cells"]
    if "code_set_sha256" in case.expected:
        assert hash_lines(patterns_of(found)) == case.expected["code_set_sha256"]
    if "bounded_cells" in case.expected:
        assert int(found.facets.is_bounded.sum()) == case.expected["bounded_cells"]


@pytest.mark.parametrize(
    ("widths", "count"),
    [([3, 16, 16, 16, 1], 15_619), ([4, 16, 16, 1], 25_009), ([6, 12, 12, 1], 77_455), ([8, 10, 10, 1], 58_127)],
)
def test_generic_networks_have_the_counts_of_another_program(widths, count):
    dim = widths[0]
    found = enumerate_split(gaussian(widths), Domain.box([-1] * dim, [1] * dim), facets=False)
    assert found.n_regions == count == len(np.unique(found.words, axis=0))


def test_a_budget_keeps_what_was_proved():
    network, box = gaussian([5, 16, 16, 16, 1]), Domain.box([-1] * 5, [1] * 5)
    with pytest.raises(BudgetError) as caught:
        enumerate_split(network, box, facets=False, max_regions=50_000)
    partial = caught.value.partial
    assert partial.n_regions > 50_000 and not partial.is_complete
    assert len(np.unique(partial.words, axis=0)) == partial.n_regions


def test_regions_without_a_corner():
    """Two hyperplanes of R^5 cut it into four wedges."""
    found = enumerate_split(generic_arrangement(5, 2))
    assert found.n_regions == 4 and not found.facets.is_bounded.any()
    assert np.diff(found.facets.indptr).tolist() == [2] * 4


def test_a_flat_domain_is_refused():
    with pytest.raises(DomainError, match="interior"):
        enumerate_split(gaussian([3, 3, 1]), Domain.box([0, 0, 0], [1, 1, 0]))


def test_a_row_of_which_floats_know_nothing_is_never_taken_as_satisfied():
    """Weights that only rationals can compare leave a cell without a proven point, even at the origin."""
    huge = [[-1, -1, -3e301], [1, 3, -3e301], [0, 3e-301, 1e301]]
    weight = [*huge, [-1, -3, -9e-302], [-1, -1, 1], [-1, 1, 0], [0, -3, 0]]
    network = Network.from_arrays([(weight, [0, 1, 0, 0, -1, 2, 0]), ([[1] * 7], [0])])
    check_agreement(enumerate_split(network), enumerate_brute(network))
