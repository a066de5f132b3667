"""`polyrelu dag`: the graph of the patterns that a network has at data, and the clusters that it makes of them."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from polyrelu.cli.arguments import count
from polyrelu.cli.data_arguments import add_data, network_and_data, point_bar
from polyrelu.cli.output import DONE, about, say
from polyrelu.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from polyrelu.analysis.data.pattern_dag import PatternDag
    from polyrelu.analysis.data.splitting import Clusters
    from polyrelu.network.model import Network

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    labels_help = "labels of the points: as the network predicts them (default), or those of the file"
    parser.add_argument("--labels", choices=("predicted", "true"), default="predicted", help=labels_help)
    descend_help = "split clusters while they have several labels, also where one split gains no information"
    parser.add_argument("--descend", action="store_true", help=descend_help)
    parser.add_argument("--plot", metavar="FILE", help="draw the graph: .png, .svg or .pdf")
    nodes_help = "draw at most N patterns a layer, and the others as one (default: 24)"
    parser.add_argument("--max-nodes", type=count, default=24, metavar="N", help=nodes_help)
    out_help = "write the graph: .graphml, or .json with the points and their clusters"
    parser.add_argument("--out", metavar="FILE", help=out_help)
    parser.add_argument("--force", action="store_true", help="overwrite existing files")


def run(arguments: argparse.Namespace) -> int:
    from polyrelu.analysis.data.dag_files import check_dag_name, save_dag
    from polyrelu.analysis.data.pattern_dag import dag_of_patterns
    from polyrelu.analysis.data.patterns import patterns_and_labels_at
    from polyrelu.analysis.data.splitting import clusters_of, has_gain, is_impure
    from polyrelu.tessellation.targets import check_targets

    wanted = {"--plot": arguments.plot, "--out": arguments.out}
    if arguments.out is not None:
        check_dag_name(arguments.out)
    if arguments.plot is not None:
        from polyrelu.plot.figure import check_format

        check_format(arguments.plot)
    picture, file = check_targets(wanted, arguments.force, arguments.model)
    network, data = network_and_data(arguments)
    if arguments.labels == "true" and data.labels is None:
        raise InputError(
            f"--labels true needs labels but {arguments.data!r} has none. Add them, or use those that are predicted."
        )
    with point_bar("patterns") as progress:
        patterns, predicted = patterns_and_labels_at(network, data.points, arguments.device, progress)
    labels = data.labels if arguments.labels == "true" and data.labels is not None else predicted
    dag = dag_of_patterns(patterns, labels)
    clusters = clusters_of(dag, is_impure if arguments.descend else has_gain)
    facts = _facts(dag, clusters, None if data.labels is None else predicted == data.labels)
    facts |= {"network": network.hash, "labels": arguments.labels, "descend": arguments.descend}
    say(json.dumps(facts, indent=2) if arguments.json else _text(facts, network))
    if file is not None:
        save_dag(dag, file, clusters)
    if picture is not None:
        _draw(dag, picture, arguments.max_nodes)
    return DONE


def _facts(dag: PatternDag, clusters: Clusters, is_right: NDArray | None) -> dict[str, Any]:
    """Return what is printed; about right and wrong labels only where the true ones are known."""
    layers = []
    for layer, width in enumerate(dag.patterns.widths):
        nodes = slice(dag.layer_nodes(layer).start, dag.layer_nodes(layer).stop)
        counts, stable = dag.node_counts[nodes], dag.is_stable[nodes]
        row = {"neurons": width, "patterns": len(counts), "stable": int(stable.sum())}
        layers.append({**row, "points_in_stable": int(counts[stable].sum()), "largest": int(counts.max(initial=0))})
    stops = Counter(clusters.stop(k).name.lower() for k in range(len(clusters)))
    facts: dict[str, Any] = {
        "points": len(dag),
        "decided_exactly": dag.patterns.n_decided_exactly,
        "layers": layers,
        "edges": dag.n_edges,
        "paths": dag.patterns.count_distinct(),
        "clusters": len(clusters),
        "mean_size": round(float(clusters.sizes.mean()), 3),
        "largest": int(clusters.sizes.max()),
        "stops": dict(sorted(stops.items())),
    }
    if is_right is not None:
        for name, chosen in (("right", is_right), ("wrong", ~is_right)):
            sizes = clusters.point_sizes[chosen]
            mean = round(float(sizes.mean()), 3) if len(sizes) else None
            facts[name] = {"points": len(sizes), "alone": int((sizes == 1).sum()), "mean_size": mean}
    return facts


def _text(facts: dict[str, Any], network: Network) -> str:
    rows = [
        ("network", about(network)),
        ("points", f"{facts['points']:,}; {facts['decided_exactly']:,} had digits that floats left open"),
        ("labels", facts["labels"]),
    ]
    for k, layer in enumerate(facts["layers"]):
        share = 100 * layer["points_in_stable"] / facts["points"]
        found = f"{layer['patterns']:,} patterns of {layer['neurons']:,} neurons, the largest with {layer['largest']:,}"
        rows.append((f"layer {k}", f"{found}; {layer['stable']:,} stable, with {share:.3g} % of the points"))
    sizes = f"mean size {facts['mean_size']:.3g}, largest {facts['largest']:,}"
    rows += [
        ("edges", f"{facts['edges']:,}"),
        ("paths", f"{facts['paths']:,}"),
        ("clusters", f"{facts['clusters']:,}; {sizes}"),
        ("ended", ", ".join(f"{n:,} {STOPS[name]}" for name, n in facts["stops"].items())),
    ]
    for name in ("right", "wrong"):
        if name in facts:
            own = facts[name]
            mean = f", in clusters of mean size {own['mean_size']:.3g}; {own['alone']:,} alone" if own["points"] else ""
            rows.append((name, f"{own['points']:,} points{mean}"))
    return "\n".join(f"{name:<12}{value}" for name, value in rows)


STOPS = {
    "one_point": "with one point",
    "no_layer": "with no layer left",
    "one_label": "with one label",
    "no_gain": "without gain",
}


def _draw(dag: PatternDag, path: Path, max_nodes: int) -> None:
    from polyrelu.plot.figure import save
    from polyrelu.plot.pattern_dag import draw_pattern_dag
    from polyrelu.tessellation.targets import replacing

    with replacing(path) as temporary:
        save(draw_pattern_dag(dag, max_nodes), temporary)
