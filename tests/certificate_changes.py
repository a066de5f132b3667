"""Certificates of three small networks, and changes of them."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
from two_checkers import all_patterns, renewed, statement

from polyrelu.certificate.format import Certificate, Points
from polyrelu.exact.domain import Domain
from polyrelu.network.activation import HARD_TANH, IDENTITY, RELU, Activation
from polyrelu.network.model import Layer, Network
from polyrelu.tessellation.build import tessellate
from polyrelu.tessellation.certify import certify
from polyrelu.testing import gaussian

START = len(b"polyrelu certificate 1\n") + 8
"""Where the header begins."""


def mixed() -> Network:
    """Return a network of the plane with a max unit, two breakpoints, coincident lines and a neuron that is dead."""
    weight = np.array([[1, 0], [0, 1], [1, 1], [2, -1], [1, 0], [0, 0]], float)
    kinds = Activation((HARD_TANH, RELU), np.array([-1, 0, 1, 1, 1]), np.array([0, 2, 3, 4, 5, 6]))
    first = Layer(weight, np.array([0, 0.5, 0, 0.25, 0, 0]), kinds)
    second = Layer(np.array([[1, -1, 1, 0, 0], [0, 1, 1, 1, 1.0]]), np.array([-0.5, 0]), Activation.same(RELU, 2))
    return Network((first, second), Layer(np.array([[1.0, -1]]), np.zeros(1), Activation.same(IDENTITY, 1)))


PLANE, SPACE, LINE = mixed(), gaussian([3, 3, 2, 1], 5), Network.from_arrays([([[1], [1]], [0, -1]), ([[1, -1]], [0])])
NETWORKS = {"plane": PLANE, "space": SPACE, "line": LINE}


def certified(network: Network) -> Certificate:
    """Return a certificate for a box, in which the first witness is no float."""
    certificate = certify(tessellate(network, Domain.box([-1] * network.dim, [2] * network.dim)))
    floats = certificate.witnesses.floats.copy()
    point = tuple(Fraction(value) + Fraction(1, 3 << 40) for value in floats[0].tolist())
    floats[0] = 0
    return replace(certificate, witnesses=Points(floats, {0: point}))


def put(name: str, change: Callable[[np.ndarray], object]) -> Callable[[Certificate], Certificate]:
    """Return what changes a copy of an array in place, or replaces it by what is returned."""

    def apply(certificate: Certificate) -> Certificate:
        field, _, depth = name.partition(" ")
        if depth:
            depth = int(depth) % len(certificate.levels)
            level = certificate.levels[depth]
            array = getattr(level, field).copy()
            result = change(array)
            level = replace(level, **{field: array if result is None else np.asarray(result, array.dtype)})
            return replace(certificate, levels=(*certificate.levels[:depth], level, *certificate.levels[depth + 1 :]))
        own = getattr(certificate, field)
        array = (own.floats if isinstance(own, Points) else own).copy()
        result = change(array)
        array = array if result is None else np.asarray(result, array.dtype)
        return replace(certificate, **{field: Points(array, own.exact) if isinstance(own, Points) else array})

    return apply


def setting(index: object, value: object) -> Callable[[np.ndarray], None]:
    return lambda array: array.__setitem__(index, value)


def swap(a: object, b: object) -> Callable[[np.ndarray], None]:
    def change(array: np.ndarray) -> None:
        array[a], array[b] = array[b].copy(), array[a].copy()

    return change


def adding(index: object, step: object) -> Callable[[np.ndarray], None]:
    return lambda array: array.__setitem__(index, array[index] + step)


def with_header(data: bytes, change: Callable[[dict], object]) -> bytes:
    """Return a file with another header, and the digest of it."""
    stop = START + int.from_bytes(data[START - 8 : START], "little")
    header = json.loads(data[START:stop])
    result = change(header)
    text = result if isinstance(result, bytes) else json.dumps(header).encode()
    return renewed(data[: START - 8] + struct.pack("<Q", len(text)) + text + data[stop:])


def is_true(certificate: Certificate, network: Network) -> bool:
    """Return whether what a certificate says is what a tessellation of its domain finds, its witnesses included."""
    on_map = replace(network, input_map=certificate.input_map)
    true = certify(tessellate(on_map, certificate.domain))
    for i, pattern in enumerate(all_patterns(certificate, network)):
        *point, scale = certificate.witnesses.scaled(i)
        if on_map.exact.pattern_at([Fraction(value, scale) for value in point]).digits != pattern:
            return False
    return statement(certificate, network) == statement(true, network)
