"""Faces of lower and lower dimension, each once, from facets as sets of vertices.

A face of a polyhedron without lines is determined by its vertices and the ends of its unbounded edges, for these span
it. The facets of a face are the largest proper ones among its intersections with the facets of its region; those
without a vertex are empty. Equal faces of different regions have equal sets, which are found by 64-bit hashes and then
compared.
"""

from __future__ import annotations

import numpy as np

from polyrelu.kernels.arithmetic import trailing_zeros
from polyrelu.kernels.assembly import FREE, slot_of
from polyrelu.kernels.compiled import loop

BITS = 64  # vertices in one word of a mask
N_DONE, N_FACES = 0, 1  # the state: faces that are done, faces of faces found so far


@loop
def find_faces(known, region_facets, facets, is_far, salts, place, masks, faces, table, state):
    """Find the facets of faces; return False when there is no room, to be called again with larger arrays.

    Parameters
    ----------
    known : (regions, is_border, indptr, vertices)
        The faces: a region with each, whether it is on the border of the domain, and its vertices.
    region_facets : (indptr, facets)
        Facets of each region.
    facets : (indptr, vertices)
    is_far : bool array, shape (n_points,)
        Vertices at infinity.
    salts : uint64 array, shape (n_points,)
    place : int32 array, shape (n_points,)
        Scratch space, filled with -1.
    masks : uint64 array, shape (1 + most facets of a region, words)
        Scratch space.
    faces : (regions, is_border, indptr, vertices, keys)
        Results, as ``known``, and their hashes.
    table : int32 array
        Its length is a power of two.
    state : int64 array, shape (2,)
    """
    _, _, indptr, vertices = known
    regions = known[0]
    most, limit = masks.shape[0], min(len(faces[0]), len(table) // 2)
    for face in range(state[N_DONE], len(regions)):
        first, last = indptr[face], indptr[face + 1]
        n_faces = state[N_FACES]
        if n_faces + most > limit or faces[2][n_faces] + most * (last - first) > len(faces[3]):
            return False
        for i in range(first, last):
            place[vertices[i]] = i - first
        n = _intersect(regions[face], last - first, region_facets, facets, is_far, place, masks)
        for i in range(n):
            if _is_largest(i, n, (last - first + BITS - 1) // BITS, masks):
                _add_face(face, i, known, salts, masks, faces, table, state)
        for i in range(first, last):
            place[vertices[i]] = -1
        state[N_DONE] = face + 1
    return True


@loop
def _intersect(region, size, region_facets, facets, is_far, place, masks):
    """Write the intersections of a face with the facets of its region that are proper and have a vertex."""
    n, n_words = 0, (size + BITS - 1) // BITS
    for i in range(region_facets[0][region], region_facets[0][region + 1]):
        facet = region_facets[1][i]
        for w in range(n_words):
            masks[n, w] = np.uint64(0)
        common, has_vertex = 0, False
        for j in range(facets[0][facet], facets[0][facet + 1]):
            vertex = facets[1][j]
            bit = place[vertex]
            if bit >= 0:
                masks[n, bit // BITS] |= np.uint64(1) << np.uint64(bit % BITS)
                common += 1
                has_vertex |= not is_far[vertex]
        n += has_vertex and common < size
    return n


@loop
def _is_largest(i, n, n_words, masks):
    """Return whether a set is in no larger one, and equal to none before it."""
    for j in range(n):
        missing, more = np.uint64(0), np.uint64(0)
        for w in range(n_words):
            missing |= masks[i, w] & ~masks[j, w]
            more |= masks[j, w] & ~masks[i, w]
        if missing == np.uint64(0) and j != i and (more != np.uint64(0) or j < i):
            return False
    return True


@loop
def _add_face(face, i, known, salts, masks, faces, table, state):
    """Add a set of a face's vertices to the faces unless it is there."""
    number, key, mask = state[N_FACES], np.uint64(0), len(table) - 1
    first, top = known[2][face], faces[2][number]
    for w in range((known[2][face + 1] - first + BITS - 1) // BITS):
        bits = masks[i, w]
        while bits:
            vertex = known[3][first + w * BITS + np.int64(trailing_zeros(bits))]
            bits &= bits - np.uint64(1)
            faces[3][top] = vertex
            key += salts[vertex]
            top += 1
    slot = slot_of(key, mask)
    while table[slot] != FREE:
        other = table[slot]
        if faces[4][other] == key and _is_equal(other, number, top, faces[2], faces[3]):
            faces[1][other] |= known[1][face]
            return
        slot = (slot + 1) & mask
    table[slot] = number
    faces[0][number], faces[1][number], faces[4][number] = known[0][face], known[1][face], key
    faces[2][number + 1] = top
    state[N_FACES] = number + 1


@loop
def _is_equal(face, other, top, indptr, vertices):
    start, there = indptr[face], indptr[other]
    if indptr[face + 1] - start != top - there:
        return False
    is_equal = True
    for i in range(top - there):
        is_equal &= vertices[start + i] == vertices[there + i]
    return is_equal


@loop
def common_neurons(indptr, vertices, zero_indptr, zeros, n_pieces, found_indptr, found, is_open):
    """Write the neurons that vanish at all vertices of each face, sorted.

    ``is_open`` tells where one of them has several breakpoints: it may vanish at another one at each vertex.
    """
    top = 0
    for face in range(len(indptr) - 1):
        first = vertices[indptr[face]]
        is_open[face] = False
        for i in range(zero_indptr[first], zero_indptr[first + 1]):
            neuron, is_common = zeros[i], True
            for j in range(indptr[face] + 1, indptr[face + 1]):
                k, end = zero_indptr[vertices[j]], zero_indptr[vertices[j] + 1]
                while k < end and zeros[k] < neuron:
                    k += 1
                if k == end or zeros[k] != neuron:
                    is_common = False
                    break
            if is_common:
                found[top] = neuron
                top += 1
                is_open[face] |= n_pieces[neuron] > 2
        found_indptr[face + 1] = top
