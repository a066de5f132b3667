"""Gluing regions of any dimension: which forms carry facets, which faces of different regions are one face.

*Facets from corners.* The corners of a region, those on the far cube included, are the vertices of a polytope. The
forms that vanish at some of them cut faces out of it, and all its facets are among these. So a form carries a facet iff
its set of corners is in no larger set of another form; forms with one set vanish on one facet. If every corner has
``dim`` forms, each form carries a facet of its own. Sides of the far cube are no facets of the region.

*Names.* As in the plane (`polyrelu.kernels.assembly`), a face is named by what it touches, the items of the forms that
vanish on it, and by the digits of all neurons that are not touched. The points with one name are the relative interior
of one face of every region that has one of them: untouched neurons keep their digits around such a point, touched ones
stay on their borders, and both are affine on segments between two of them, layer by layer. So faces of two regions are
the same iff their names are equal: for corners and facets, as for all faces between.

*Ends.* A corner on the far cube is the end of an unbounded edge iff its other forms meet in an edge of the polytope:
iff they all vanish at exactly one corner more. All other corners of the far cube are none of the region's.
"""

from __future__ import annotations

import numpy as np

from polyrelu.kernels import assembly as A
from polyrelu.kernels.arithmetic import count_ones, trailing_zeros
from polyrelu.kernels.assembly import FAILED, field_of, touch
from polyrelu.kernels.compiled import loop

BITS = 64  # corners in one word of a mask
UNNAMED = -4  # owner of a row that names no border of the region's own digit


@loop
def find_facets(dim, first_far, indptr, form_indptr, forms, place, columns, counts, masks, facets, is_kept, sizes):
    """Find the facets of each region, and which corners are its vertices or ends of its edges.

    Parameters
    ----------
    dim, first_far : int
        Columns from ``first_far`` on are sides of the far cube.
    indptr, form_indptr, forms
        Corners of each region, forms of each corner.
    place : int32 array, shape (n_columns,); columns, counts : int32 arrays
        Scratch space: where the forms of a region are, which they are, and how many corners each has.
    masks : uint64 array, shape (largest number of forms of a region, words)
        Scratch space: the corners of each form.
    facets : (facet_indptr, form_indptr, forms, corner_indptr, corners)
        Results: facets of each region, forms and corners of each facet.
    is_kept : bool array, shape (n_corners,)
    sizes : int64 array, shape (3,)
        Gets the number of facets, of their forms and of their corners.
    """
    facet_indptr = facets[0]
    for region in range(len(indptr) - 1):
        first, last = indptr[region], indptr[region + 1]
        n_words = (last - first + BITS - 1) // BITS
        n, is_simple = _fill_masks(dim, first, last, n_words, form_indptr, forms, place, columns, masks, counts)
        for i in range(n):
            if columns[i] < first_far and (is_simple or _is_first_of_facet(i, n, n_words, masks, counts)):
                _write_facet(i, n, first, n_words, is_simple, columns, masks, facets, sizes)
        facet_indptr[region + 1] = sizes[0]
        for corner in range(first, last):
            is_kept[corner] = _is_vertex_or_end(
                corner, n, n_words, first_far, is_simple, form_indptr, forms, place, masks
            )


@loop
def _fill_masks(dim, first, last, n_words, form_indptr, forms, place, columns, masks, counts):
    """Write the corners of each form; return the number of forms, and whether each corner has ``dim`` of them."""
    n, is_simple = 0, True
    for corner in range(first, last):
        is_simple &= form_indptr[corner + 1] - form_indptr[corner] == dim
        bit = corner - first
        for entry in range(form_indptr[corner], form_indptr[corner + 1]):
            column = forms[entry]
            i = place[column]
            if i >= n or columns[i] != column:
                i = n
                place[column], columns[i], counts[i] = i, column, 0
                for w in range(n_words):
                    masks[i, w] = np.uint64(0)
                n += 1
            masks[i, bit // BITS] |= np.uint64(1) << np.uint64(bit % BITS)
            counts[i] += 1
    return n, is_simple


@loop
def _is_first_of_facet(i, n, n_words, masks, counts):
    """Return whether no form has more of the corners of a form, and none before it has the same."""
    for j in range(n):
        if counts[j] > counts[i] or (counts[j] == counts[i] and j < i):
            missing = np.uint64(0)
            for w in range(n_words):
                missing |= masks[i, w] & ~masks[j, w]
            if missing == np.uint64(0):
                return False
    return True


@loop
def _write_facet(i, n, first, n_words, is_simple, columns, masks, facets, sizes):
    _, form_indptr, forms, corner_indptr, corners = facets
    facet, n_forms, n_corners = sizes[0], sizes[1], sizes[2]
    for j in range(i, i + 1 if is_simple else n):
        is_same = True
        for w in range(n_words):
            is_same &= masks[i, w] == masks[j, w]
        if is_same:
            forms[n_forms] = columns[j]
            n_forms += 1
    for w in range(n_words):
        bits = masks[i, w]
        while bits:
            corners[n_corners] = first + w * BITS + np.int64(trailing_zeros(bits))
            n_corners += 1
            bits &= bits - np.uint64(1)
    form_indptr[facet + 1], corner_indptr[facet + 1] = n_forms, n_corners
    sizes[0], sizes[1], sizes[2] = facet + 1, n_forms, n_corners


@loop
def _is_vertex_or_end(corner, n, n_words, first_far, is_simple, form_indptr, forms, place, masks):
    n_far = 0
    for entry in range(form_indptr[corner], form_indptr[corner + 1]):
        n_far += forms[entry] >= first_far
    if n_far == 0 or is_simple:
        return n_far <= 1
    n_common = 0
    for w in range(n_words):
        common = ~np.uint64(0)
        for entry in range(form_indptr[corner], form_indptr[corner + 1]):
            if forms[entry] < first_far:
                common &= masks[place[forms[entry]], w]
        n_common += np.int64(count_ones(common))
    return n_common == 2


@loop
def touch_forms(
    words, hashes, indptr, form_indptr, forms, zero_indptr, zeros, lines, items, salts, item_salts, starts, touched,
    keys,
):  # fmt: skip
    """Write the items that each member of each region touches, a corner or a facet, and the hash of its name.

    ``touched[starts[m]:starts[m + 1]]`` are the items of member ``m``, sorted, those of the whole region included.
    """
    top = 0
    starts[0] = 0
    for region in range(len(indptr) - 1):
        for member in range(indptr[region], indptr[region + 1]):
            start, key = top, hashes[region]
            for i in range(zero_indptr[region], zero_indptr[region + 1]):
                top, key = touch(zeros[i], region, start, top, key, words, lines, items, salts, item_salts, touched)
            for i in range(form_indptr[member], form_indptr[member + 1]):
                top, key = touch(forms[i], region, start, top, key, words, lines, items, salts, item_salts, touched)
            keys[member] = key
            starts[member + 1] = top


@loop
def pair_regions(indptr, numbers, regions):
    """Write the regions on both sides of each facet, -2 for none; return `FAILED` if a facet has three."""
    for facet in range(len(regions)):
        regions[facet, 0] = regions[facet, 1] = -2
    for region in range(len(indptr) - 1):
        for member in range(indptr[region], indptr[region + 1]):
            facet = numbers[member]
            if regions[facet, 0] == -2:
                regions[facet, 0] = region
            elif regions[facet, 1] == -2:
                regions[facet, 1] = region
            else:
                return FAILED
    return 0


@loop
def name_rows(words, form_indptr, forms, vertices, lines, items, rows):
    """Write the first forms of each vertex, as many as ``rows`` (n_vertices, n, 2) takes, as (neuron, digit on the
    other side), (-1, row) or (-2, side).

    A form of a max unit that its winner takes no part in has no such name: its owner is `UNNAMED`.
    """
    for vertex in range(len(vertices)):
        corner, region = vertices[vertex, 0], vertices[vertex, 1]
        for i in range(rows.shape[1]):
            line = forms[form_indptr[corner] + i]
            rows[vertex, i, 0], rows[vertex, i, 1] = _name_of(line, region, words, lines, items)


@loop
def _name_of(line, region, words, lines, items):
    neuron = np.int64(lines[line, A.LINE_NEURON])
    if neuron < 0:
        return neuron, np.int64(lines[line, A.LINE_ROW])
    item, low, high = lines[line, A.LINE_ITEM], lines[line, A.LINE_LOW], lines[line, A.LINE_HIGH]
    digit = np.int64(field_of(words, region, items, item) >> np.uint64(items[item, A.ITEM_SHIFT]))
    if digit != low and digit != high:
        return np.int64(UNNAMED), np.int64(0)
    return neuron, np.int64(low + high - digit)


@loop
def name_facets(words, form_indptr, forms, facets, lines, items, rows):
    """Write one form of each facet (first member, its region), as `name_rows` does: one that has a name."""
    for facet in range(len(facets)):
        member, region = facets[facet, 0], facets[facet, 1]
        for entry in range(form_indptr[member], form_indptr[member + 1]):
            rows[facet, 0], rows[facet, 1] = _name_of(forms[entry], region, words, lines, items)
            if rows[facet, 0] != UNNAMED:
                break
