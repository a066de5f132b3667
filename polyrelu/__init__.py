"""Exact polyhedral geometry of ReLU networks.

A network with piecewise-linear activations cuts its input space into polyhedra and is one affine map on each.
polyrelu computes them, how they meet and what the network does there: exactly.

>>> import polyrelu
>>> network = polyrelu.Network.from_arrays([([[1, 1], [1, 1]], [0, -1]), ([[1, -2]], [0])])
>>> polyrelu.tessellate(network).n_regions
3

Names are loaded when they are first used, so that importing the package is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from polyrelu.analysis.answers import (
        decide_adjacent,
        decide_bounded_region,
        decide_equal_maps,
        decide_redundant,
        decide_region_exists,
    )
    from polyrelu.analysis.bounds import (
        hanin_rolnick_bound,
        montufar_lower_bound,
        montufar_upper_bound,
        raghu_upper_bound,
        serra_upper_bound,
        zaslavsky_count,
    )
    from polyrelu.analysis.classes import class_boundary, class_set, decide_class_everywhere, decide_class_nowhere
    from polyrelu.analysis.codes import CodeSpace, code_space_of
    from polyrelu.analysis.counterexamples import search_counterexample
    from polyrelu.analysis.counting import count_all
    from polyrelu.analysis.counting_locally import count_in_ball, density_along, region_sizes
    from polyrelu.analysis.data.embedding import embed_patterns
    from polyrelu.analysis.data.forgetting import ForgettingRecorder
    from polyrelu.analysis.data.local_maps import iterate_local_maps, local_maps
    from polyrelu.analysis.data.map_clusters import cluster_table
    from polyrelu.analysis.data.map_regression import mapping_table
    from polyrelu.analysis.data.module_patterns import module_patterns
    from polyrelu.analysis.data.pattern_dag import PatternDag, dag_of_patterns, pattern_dag
    from polyrelu.analysis.data.patterns import DataPatterns, labels_at, patterns_at
    from polyrelu.analysis.data.region_counter import RegionCounter
    from polyrelu.analysis.data.splitting import clusters_of
    from polyrelu.analysis.equivalence import decide_equivalent, max_difference
    from polyrelu.analysis.frequencies import adjacency_frequencies
    from polyrelu.analysis.half_open import half_open_class
    from polyrelu.analysis.hamming import hamming_adjacency, is_flip_adjacent, shortest_walk, walking_distances
    from polyrelu.analysis.images import image
    from polyrelu.analysis.largest_output import largest_output
    from polyrelu.analysis.lipschitz import local_lipschitz
    from polyrelu.analysis.monotonicity import decide_monotone
    from polyrelu.analysis.preimages import preimage
    from polyrelu.analysis.ranges import output_range
    from polyrelu.analysis.reach import decide_reachable
    from polyrelu.analysis.robustness.decide import decide_robustness
    from polyrelu.analysis.tropex.coefficients import compare_coefficients
    from polyrelu.analysis.tropex.decomposition import decompose
    from polyrelu.analysis.tropex.decomposition_proof import decide_decomposition
    from polyrelu.analysis.tropex.extract import extract_terms
    from polyrelu.analysis.tropex.extracted import ExtractedFunction
    from polyrelu.analysis.tropex.overlap import region_overlap
    from polyrelu.analysis.tropex.process import transformation_process
    from polyrelu.analysis.tropex.terms_file import load_terms
    from polyrelu.analysis.tropex.theorem import decide_extraction
    from polyrelu.analysis.verification.decide import decide_property
    from polyrelu.analysis.verification.vnnlib import read_vnnlib
    from polyrelu.certificate.checker import check_certificate
    from polyrelu.certificate.format import Certificate, read_certificate
    from polyrelu.certificate.verdict import Verdict, check_verdict
    from polyrelu.enumeration.brute import enumerate_brute
    from polyrelu.enumeration.count import count_regions
    from polyrelu.enumeration.march import enumerate_march
    from polyrelu.enumeration.plane import enumerate_plane
    from polyrelu.enumeration.region_finder import find_region
    from polyrelu.enumeration.split import enumerate_split
    from polyrelu.enumeration.vertices import enumerate_vertices
    from polyrelu.exact.domain import Domain
    from polyrelu.network.load import load
    from polyrelu.network.model import Layer, Network
    from polyrelu.network.npz import from_npz
    from polyrelu.network.onnx_reader import from_onnx
    from polyrelu.network.pattern import Pattern
    from polyrelu.network.slices import Slice
    from polyrelu.network.torch_reader import from_torch
    from polyrelu.region.model import Region, region_at, region_of
    from polyrelu.tessellation.build import tessellate
    from polyrelu.tessellation.certify import certify, save_certificate
    from polyrelu.tessellation.model import Tessellation

__version__ = "0.1.0"

_HOME = {
    "Certificate": "polyrelu.certificate.format",
    "CodeSpace": "polyrelu.analysis.codes",
    "DataPatterns": "polyrelu.analysis.data.patterns",
    "Domain": "polyrelu.exact.domain",
    "ExtractedFunction": "polyrelu.analysis.tropex.extracted",
    "ForgettingRecorder": "polyrelu.analysis.data.forgetting",
    "Layer": "polyrelu.network.model",
    "Network": "polyrelu.network.model",
    "Pattern": "polyrelu.network.pattern",
    "PatternDag": "polyrelu.analysis.data.pattern_dag",
    "Region": "polyrelu.region.model",
    "RegionCounter": "polyrelu.analysis.data.region_counter",
    "Slice": "polyrelu.network.slices",
    "Tessellation": "polyrelu.tessellation.model",
    "Verdict": "polyrelu.certificate.verdict",
    "adjacency_frequencies": "polyrelu.analysis.frequencies",
    "certify": "polyrelu.tessellation.certify",
    "check_certificate": "polyrelu.certificate.checker",
    "check_verdict": "polyrelu.certificate.verdict",
    "class_boundary": "polyrelu.analysis.classes",
    "class_set": "polyrelu.analysis.classes",
    "cluster_table": "polyrelu.analysis.data.map_clusters",
    "clusters_of": "polyrelu.analysis.data.splitting",
    "code_space_of": "polyrelu.analysis.codes",
    "compare_coefficients": "polyrelu.analysis.tropex.coefficients",
    "count_all": "polyrelu.analysis.counting",
    "count_in_ball": "polyrelu.analysis.counting_locally",
    "count_regions": "polyrelu.enumeration.count",
    "dag_of_patterns": "polyrelu.analysis.data.pattern_dag",
    "decide_adjacent": "polyrelu.analysis.answers",
    "decide_bounded_region": "polyrelu.analysis.answers",
    "decide_class_everywhere": "polyrelu.analysis.classes",
    "decide_class_nowhere": "polyrelu.analysis.classes",
    "decide_decomposition": "polyrelu.analysis.tropex.decomposition_proof",
    "decide_equal_maps": "polyrelu.analysis.answers",
    "decide_equivalent": "polyrelu.analysis.equivalence",
    "decide_extraction": "polyrelu.analysis.tropex.theorem",
    "decide_monotone": "polyrelu.analysis.monotonicity",
    "decide_property": "polyrelu.analysis.verification.decide",
    "decide_reachable": "polyrelu.analysis.reach",
    "decide_redundant": "polyrelu.analysis.answers",
    "decide_region_exists": "polyrelu.analysis.answers",
    "decide_robustness": "polyrelu.analysis.robustness.decide",
    "decompose": "polyrelu.analysis.tropex.decomposition",
    "density_along": "polyrelu.analysis.counting_locally",
    "embed_patterns": "polyrelu.analysis.data.embedding",
    "enumerate_brute": "polyrelu.enumeration.brute",
    "enumerate_march": "polyrelu.enumeration.march",
    "enumerate_plane": "polyrelu.enumeration.plane",
    "enumerate_split": "polyrelu.enumeration.split",
    "enumerate_vertices": "polyrelu.enumeration.vertices",
    "extract_terms": "polyrelu.analysis.tropex.extract",
    "find_region": "polyrelu.enumeration.region_finder",
    "from_npz": "polyrelu.network.npz",
    "from_onnx": "polyrelu.network.onnx_reader",
    "from_torch": "polyrelu.network.torch_reader",
    "half_open_class": "polyrelu.analysis.half_open",
    "hamming_adjacency": "polyrelu.analysis.hamming",
    "hanin_rolnick_bound": "polyrelu.analysis.bounds",
    "image": "polyrelu.analysis.images",
    "is_flip_adjacent": "polyrelu.analysis.hamming",
    "iterate_local_maps": "polyrelu.analysis.data.local_maps",
    "labels_at": "polyrelu.analysis.data.patterns",
    "largest_output": "polyrelu.analysis.largest_output",
    "load": "polyrelu.network.load",
    "load_terms": "polyrelu.analysis.tropex.terms_file",
    "local_lipschitz": "polyrelu.analysis.lipschitz",
    "local_maps": "polyrelu.analysis.data.local_maps",
    "mapping_table": "polyrelu.analysis.data.map_regression",
    "max_difference": "polyrelu.analysis.equivalence",
    "module_patterns": "polyrelu.analysis.data.module_patterns",
    "montufar_lower_bound": "polyrelu.analysis.bounds",
    "montufar_upper_bound": "polyrelu.analysis.bounds",
    "output_range": "polyrelu.analysis.ranges",
    "pattern_dag": "polyrelu.analysis.data.pattern_dag",
    "patterns_at": "polyrelu.analysis.data.patterns",
    "preimage": "polyrelu.analysis.preimages",
    "raghu_upper_bound": "polyrelu.analysis.bounds",
    "read_certificate": "polyrelu.certificate.format",
    "read_vnnlib": "polyrelu.analysis.verification.vnnlib",
    "region_at": "polyrelu.region.model",
    "region_of": "polyrelu.region.model",
    "region_overlap": "polyrelu.analysis.tropex.overlap",
    "region_sizes": "polyrelu.analysis.counting_locally",
    "save_certificate": "polyrelu.tessellation.certify",
    "search_counterexample": "polyrelu.analysis.counterexamples",
    "serra_upper_bound": "polyrelu.analysis.bounds",
    "shortest_walk": "polyrelu.analysis.hamming",
    "tessellate": "polyrelu.tessellation.build",
    "transformation_process": "polyrelu.analysis.tropex.process",
    "walking_distances": "polyrelu.analysis.hamming",
    "zaslavsky_count": "polyrelu.analysis.bounds",
}

__all__ = [
    "Certificate",
    "CodeSpace",
    "DataPatterns",
    "Domain",
    "ExtractedFunction",
    "ForgettingRecorder",
    "Layer",
    "Network",
    "Pattern",
    "PatternDag",
    "Region",
    "RegionCounter",
    "Slice",
    "Tessellation",
    "Verdict",
    "__version__",
    "adjacency_frequencies",
    "certify",
    "check_certificate",
    "check_verdict",
    "class_boundary",
    "class_set",
    "cluster_table",
    "clusters_of",
    "code_space_of",
    "compare_coefficients",
    "count_all",
    "count_in_ball",
    "count_regions",
    "dag_of_patterns",
    "decide_adjacent",
    "decide_bounded_region",
    "decide_class_everywhere",
    "decide_class_nowhere",
    "decide_decomposition",
    "decide_equal_maps",
    "decide_equivalent",
    "decide_extraction",
    "decide_monotone",
    "decide_property",
    "decide_reachable",
    "decide_redundant",
    "decide_region_exists",
    "decide_robustness",
    "decompose",
    "density_along",
    "embed_patterns",
    "enumerate_brute",
    "enumerate_march",
    "enumerate_plane",
    "enumerate_split",
    "enumerate_vertices",
    "extract_terms",
    "find_region",
    "from_npz",
    "from_onnx",
    "from_torch",
    "half_open_class",
    "hamming_adjacency",
    "hanin_rolnick_bound",
    "image",
    "is_flip_adjacent",
    "iterate_local_maps",
    "labels_at",
    "largest_output",
    "load",
    "load_terms",
    "local_lipschitz",
    "local_maps",
    "mapping_table",
    "max_difference",
    "module_patterns",
    "montufar_lower_bound",
    "montufar_upper_bound",
    "output_range",
    "pattern_dag",
    "patterns_at",
    "preimage",
    "raghu_upper_bound",
    "read_certificate",
    "read_vnnlib",
    "region_at",
    "region_of",
    "region_overlap",
    "region_sizes",
    "save_certificate",
    "search_counterexample",
    "serra_upper_bound",
    "shortest_walk",
    "tessellate",
    "transformation_process",
    "walking_distances",
    "zaslavsky_count",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'polyrelu' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
