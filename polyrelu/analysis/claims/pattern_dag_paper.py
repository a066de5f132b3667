"""Claims of paper 000 (Craighero et al.: activation pattern DAG): definitions, the splitting algorithm, the figures."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

from polyrelu.analysis.claims.evidence import AllOf, Computation, Counterexample, Examined, Exhaustive, search
from polyrelu.analysis.claims.exact_dag import (
    Trajectory,
    clusters,
    clusters_with_break,
    descending_clusters,
    forgetting_events,
    has_gain,
    is_gain_by_counting,
    layer_patterns,
    pattern_graph,
    printed_clusters,
)
from polyrelu.analysis.claims.model import Claim, Outcome, Subject, found
from polyrelu.analysis.claims.proofs import proved
from polyrelu.analysis.claims.sample_networks import random_network
from polyrelu.analysis.claims.subjects import refuse, tessellated_subject
from polyrelu.certificate.verdict import Verdict
from polyrelu.errors import InternalError
from polyrelu.network.model import Network

__all__ = ["CLAIMS"]

PAPER = "Craighero et al. 2020, Investigating the Compositional Structure of Deep Neural Networks"
FIGURE = (("p", "c", "a"), ("q", "c", "a"), ("q", "d", "b"), ("p", "e", "b"), *[("r", "e", "b")] * 3)
"""The patterns of Fig. 2 by name, first layer first, for x0 to x6."""
FIGURE_LABELS = (1, 1, 2, 2, 3, 3, 3)
FIGURE_PARTITION = ((0, 1), (2,), (3,), (4, 5, 6))
FIGURE_1_X0 = ("10110", "01100", "11110")
FIGURE_2_LAYER_1 = ("11110", "10011", "10010")
FIGURE_2_X0_LAYER_3 = "10001"

REGIONS = "the inputs with one pattern of one layer are a union of regions of the network, and patterns part all inputs"
VERTICES = "the patterns of all layers together, as a set of bit vectors, are the vertices of an acyclic graph"
BREAK = "Algorithm 1 with `break` at a cluster that cannot be split returns a partition of the data"
PREDECESSORS = "splitting a cluster by the predecessors of its node gives clusters with data only"
GAIN = "the text (split what has several labels) and the code (split while there is gain) mean the same partition"
EXACT_GAIN = "a split has gain exactly if some part has another distribution of labels than the whole"
VARIABLES = "V names the vertices and a cluster, and S holds pairs in one line and is passed on as clusters in the next"
PARTITION = "the algorithm parts the seven data of Fig. 2 into {x0, x1}, {x4, x5, x6}, {x3} and {x2}"
FIGURES = "Fig. 1 and Fig. 2 show the same patterns of x0, and the figure has five (or six) data"
LABELS = "the labels that decide about splits are those that the network predicts, or the true ones"
FORGETTING = "a datum is forgotten at an epoch if it was predicted right at the epoch before and is not now"


def _regions(subject: Subject | None) -> Verdict:
    """Proof: a region has one pattern, so it lies in the inputs of one pattern of each layer."""
    if subject is not None:
        tessellation = tessellated_subject(subject, "000-definitions-1-2", 2000)
        network = tessellation.network
        parts = tuple(
            Computation("pattern inside", layer_patterns, (network, tessellation.witness(i)), tuple(str(p).split("|")))
            for i, p in ((i, tessellation.pattern(i)) for i in range(tessellation.n_regions))
        )
        description = f"each of the {len(parts)} regions has one pattern in each layer"
        return found(REGIONS, Outcome.TRUE, Exhaustive("regions", tessellation.n_regions, parts), description)
    network = Network.from_arrays([([[1], [-1]], [0, 0]), ([[1, 1]], [-1]), ([[1]], [0])])
    points = tuple((Fraction(x),) for x in (-2, 0, 2))
    facts = tuple(
        Computation("pattern of layer 2", layer_patterns, (network, x), layer_patterns(network, x)) for x in points
    )
    not_convex = Counterexample(network, points, tuple(network.exact.pattern_at(x) for x in points), facts)
    description = (
        "proof: a region has one pattern in every layer; not convex in general: with layer 1 (x, -x) and layer 2 "
        f"|x| - 1, -2, 0 and 2 have patterns {', '.join(layer_patterns(network, x)[1] for x in points)} there"
    )
    checked = search("random networks, a point in each region", _examine_regions, range(6))
    return proved(REGIONS, [checked], description, others=[not_convex])


def _examine_regions(seed: int) -> Examined:
    from polyrelu.tessellation.build import tessellate

    tessellation = tessellate(random_network(f"layers {seed}", (2, 3, 3, 1)))
    for i in range(tessellation.n_regions):
        inside, pattern = tessellation.witness(i), tuple(str(tessellation.pattern(i)).split("|"))
        if layer_patterns(tessellation.network, inside) != pattern:
            wrong = Computation("another pattern", layer_patterns, (tessellation.network, inside), ("?",))
            return Examined(tessellation.n_regions, wrong)
    return Examined(tessellation.n_regions, None)


def _vertices(subject: Subject | None) -> Verdict:
    if subject is None:
        network, data = _first_collapse()
    else:
        tessellation = tessellated_subject(subject, "000-definition-3", 2000)
        network = tessellation.network
        data = tuple(tessellation.witness(i) for i in range(tessellation.n_regions))
    collapsed = [x for x in data if _has_collapse(network, x)]
    if not collapsed:
        parts = tuple(Computation("no vector in two layers", _has_collapse, (network, x), False) for x in data)
        description = f"at {len(data)} data, one in each region, no two consecutive layers have one bit vector"
        return found(VERTICES, Outcome.TRUE, Exhaustive("data", len(data), parts), description)
    x = collapsed[0]
    patterns = layer_patterns(network, x)
    facts = (Computation("patterns of the layers", layer_patterns, (network, x), patterns),)
    evidence = Counterexample(network, (x,), (network.exact.pattern_at(x),), facts)
    description = (
        f"at ({', '.join(map(str, x))}) the patterns {' and '.join(patterns)} make a vertex with an edge to itself; "
        "with (layer, pattern) as vertices the graph is acyclic"
    )
    return found(VERTICES, Outcome.FALSE, evidence, description)


def _first_collapse() -> tuple[Network, tuple[tuple[Fraction, ...], ...]]:
    """Return the first network (x, b - x), (h1 + c, d - h1) with small integers that has one vector in both layers."""
    for b, c, d in itertools.product((-5, 0, 5), (-1, 0, 1), (-1, 0, 1)):
        network = Network.from_arrays([([[1], [-1]], [0, b]), ([[1, 0], [-1, 0]], [c, d]), ([[1, 1]], [0])])
        point = (Fraction(3),)
        if _has_collapse(network, point):
            return network, (point,)
    raise InternalError("A small network needs equal patterns in two layers but none was found. Please report it.")


def _has_collapse(network: Network, point: Sequence[object]) -> bool:
    patterns = layer_patterns(network, point)
    return any(a == b for a, b in itertools.pairwise(patterns))


def _break(subject: Subject | None) -> Verdict:
    refuse(subject, "000-algorithm-1-break", "data with patterns")
    answers = [clusters_with_break(FIGURE, FIGURE_LABELS, last_first) for last_first in (True, False)]
    facts = [
        Computation("clusters", clusters_with_break, (FIGURE, FIGURE_LABELS, last_first), answer)
        for last_first, answer in zip((True, False), answers, strict=True)
    ]
    lost = [Computation("data in no cluster", _lost, (FIGURE, FIGURE_LABELS, side), _lost(FIGURE, FIGURE_LABELS, side))
            for side in (True, False)]  # fmt: skip
    if not all(fact.value for fact in lost):
        raise InternalError("Algorithm 1 with break needs to lose data of Fig. 2 but did not. Please report it.")
    description = (
        f"on the data of Fig. 2 it returns {_text(answers[0])} if the newest cluster comes first, {_text(answers[1])} "
        "if the oldest does: data are lost; `continue` is meant"
    )
    return found(BREAK, Outcome.FALSE, AllOf((*facts, *lost)), description)


def _lost(data: Sequence[Trajectory], labels: Sequence[int], last_first: bool) -> int:
    kept = frozenset[int]().union(*clusters_with_break(data, labels, last_first))
    return len(data) - len(kept)


def _predecessors(subject: Subject | None) -> Verdict:
    refuse(subject, "000-algorithm-1-predecessors", "data with patterns")
    for n_tried, (data, labels) in enumerate(_small_data(), start=1):
        answer = printed_clusters(data, labels)
        if frozenset() in answer:
            fact = Computation("clusters", printed_clusters, (data, labels), answer)
            right = Computation("corrected", clusters, (data, labels), clusters(data, labels))
            description = (
                f"data set {n_tried} of the search, {_data_text(data, labels)}, gives "
                f"{_text(answer)}: predecessors in the whole graph need not have data of the cluster"
            )
            return found(PREDECESSORS, Outcome.FALSE, AllOf((fact, right)), description)
    raise InternalError("A small data set needs an empty cluster but none has one. Please report it.")


def _gain(subject: Subject | None) -> Verdict:
    refuse(subject, "000-algorithm-1-gain", "data with patterns")
    for data, labels in _small_data(n_data=(4,), layers=("pq", "ab")):
        code, text = clusters(data, labels), descending_clusters(data, labels)
        is_split = all(len({labels[k] for k in part}) == 1 < len(set(labels)) for part in text)
        if is_split and len(code) == 1 and len({patterns[-1] for patterns in data}) == 2:
            facts = (
                Computation("by gain", clusters, (data, labels), code),
                Computation("while labels differ", descending_clusters, (data, labels), text),
            )
            description = (
                f"two readings: {_data_text(data, labels)} has no gain at the last "
                f"layer, so the code keeps {_text(code)}, and the text asks for {_text(text)}; the code is followed"
            )
            return found(GAIN, Outcome.DEFINITION, AllOf(facts), description)
    raise InternalError("Four data need to tell the readings apart but none do. Please report it.")


def _small_data(
    n_data: Sequence[int] = (3, 4, 5), layers: Sequence[str] = ("pqr", "cd", "ab")
) -> Iterator[tuple[tuple[Trajectory, ...], tuple[str, ...]]]:
    """Yield all data sets with few data, few patterns a layer and two labels."""
    trajectories = list(itertools.product(*layers))
    for count in n_data:
        for data in itertools.combinations_with_replacement(trajectories, count):
            for labels in itertools.product("xy", repeat=count):
                yield data, labels


def _exact_gain(subject: Subject | None) -> Verdict:
    """Proof: entropy is strictly concave, and the whole is the mean of the parts, weighted with their sizes."""
    refuse(subject, "000-information-gain", "label counts")
    checked = search("all labels and splits of n data", _examine_gain, range(1, 6))
    description = "proof: entropy is strictly concave; compared with its definition, in integers, for all splits of 5"
    return proved(EXACT_GAIN, [checked], description)


def _examine_gain(n_data: int) -> Examined:
    whole, n_cases = frozenset(range(n_data)), 0
    for labels in itertools.product("xyz", repeat=n_data):
        for sides in itertools.product(range(2), repeat=n_data):
            parts = [part for side in range(2) if (part := frozenset(k for k in whole if sides[k] == side))]
            n_cases += 1
            if has_gain(whole, parts, labels) != is_gain_by_counting(whole, parts, labels):
                wrong = Computation("gain", has_gain, (whole, parts, labels), has_gain(whole, parts, labels))
                return Examined(n_cases, wrong)
    return Examined(n_cases, None)


def _variables(subject: Subject | None) -> Verdict:
    refuse(subject, "000-algorithm-1-variables", "wording")
    evidence = Computation("the corrected algorithm", _sorted_clusters, (FIGURE, FIGURE_LABELS), FIGURE_PARTITION)
    description = "wording: clusters and vertices have names of their own here, and the gain is that of the clusters"
    return found(VARIABLES, Outcome.DEFINITION, evidence, description)


def _partition(subject: Subject | None) -> Verdict:
    refuse(subject, "000-figure-2", "the data of a figure")
    answer = _sorted_clusters(FIGURE, FIGURE_LABELS)
    evidence = AllOf(
        (
            Computation("clusters", _sorted_clusters, (FIGURE, FIGURE_LABELS), answer),
            Computation("edges of the graph", _n_edges, (FIGURE,), _n_edges(FIGURE)),
        )
    )
    outcome = Outcome.TRUE if answer == FIGURE_PARTITION else Outcome.FALSE
    description = f"the patterns of the figure, by name, give {_text(map(frozenset, answer))}, with `continue`"
    return found(PARTITION, outcome, evidence, description)


def _sorted_clusters(data: Sequence[Trajectory], labels: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    return tuple(sorted(tuple(sorted(cluster)) for cluster in clusters(data, labels)))


def _n_edges(data: Sequence[Trajectory]) -> int:
    return len(pattern_graph(data).edges)


def _figures(subject: Subject | None) -> Verdict:
    refuse(subject, "000-figures-1-2", "two figures")
    what = "first layer of Fig. 1 in Fig. 2, equal last layers, number of data"
    evidence = Computation(what, _compare_figures, (), (False, False, 7))
    description = (
        f"wording: Fig. 1 gives x0 the pattern {FIGURE_1_X0[0]} in layer 1, which Fig. 2 does not have, and in layer 3 "
        f"{FIGURE_1_X0[2]}, where Fig. 2 has {FIGURE_2_X0_LAYER_3}; Fig. 2 has seven data"
    )
    return found(FIGURES, Outcome.DEFINITION, evidence, description)


def _compare_figures() -> tuple[bool, bool, int]:
    return FIGURE_1_X0[0] in FIGURE_2_LAYER_1, FIGURE_1_X0[2] == FIGURE_2_X0_LAYER_3, len(FIGURE)


def _labels(subject: Subject | None) -> Verdict:
    refuse(subject, "000-labels", "wording")
    data, predicted, true = (("p", "a"), ("q", "b"), ("q", "b")), (0, 1, 1), (0, 0, 0)
    evidence = AllOf(tuple(Computation("clusters", _sorted_clusters, (data, each), _sorted_clusters(data, each))
                           for each in (predicted, true)))  # fmt: skip
    description = (
        "ambiguous, and it matters: three data fall into two clusters by what the network predicts, into one if "
        "all have one true label; the figure shows predicted labels"
    )
    return found(LABELS, Outcome.DEFINITION, evidence, description)


def _forgetting(subject: Subject | None) -> Verdict:
    refuse(subject, "000-definition-4", "predictions during training")
    evidence = Computation("epochs", forgetting_events, ((0, 1, 0, 0, 1, 1, 2), 1), [2, 6])
    return found(FORGETTING, Outcome.DEFINITION, evidence, "label 1, predictions 0 1 0 0 1 1 2: forgotten at 2 and 6")


def _data_text(data: Sequence[Trajectory], labels: Sequence[str]) -> str:
    return f"{', '.join('-'.join(map(str, patterns)) for patterns in data)} with labels {''.join(labels)}"


def _text(answer: object) -> str:
    groups = sorted(sorted(cluster) for cluster in answer)  # type: ignore[attr-defined]
    return ", ".join("{" + ", ".join(f"x{k}" for k in group) + "}" for group in groups)


def _claim(
    name: str, place: str, statement: str, outcome: Outcome, decide: Callable[[Subject | None], Verdict]
) -> Claim:
    return Claim(f"000-{name}", PAPER, place, statement, outcome, decide)


CLAIMS = (
    _claim("definitions-1-2", "Definitions 1 and 2", REGIONS, Outcome.TRUE, _regions),
    _claim("definition-3", "Definition 3", VERTICES, Outcome.FALSE, _vertices),
    _claim("algorithm-1-break", "Algorithm 1", BREAK, Outcome.FALSE, _break),
    _claim("algorithm-1-predecessors", "Algorithm 1", PREDECESSORS, Outcome.FALSE, _predecessors),
    _claim("algorithm-1-gain", "Algorithm 1 and Sec. 3.3", GAIN, Outcome.DEFINITION, _gain),
    _claim("information-gain", "Algorithm 1", EXACT_GAIN, Outcome.TRUE, _exact_gain),
    _claim("algorithm-1-variables", "Algorithm 1", VARIABLES, Outcome.DEFINITION, _variables),
    _claim("figure-2", "Fig. 2 and Sec. 3.3", PARTITION, Outcome.TRUE, _partition),
    _claim("figures-1-2", "Fig. 1 and Fig. 2", FIGURES, Outcome.DEFINITION, _figures),
    _claim("labels", "Sec. 3.3", LABELS, Outcome.DEFINITION, _labels),
    _claim("definition-4", "Definition 4", FORGETTING, Outcome.DEFINITION, _forgetting),
)
