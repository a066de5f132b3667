"""`polyrelu patterns`: the activation patterns of a network at the points of a data set, all digits exact."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polyrelu.cli.arguments import count
from polyrelu.cli.data_arguments import add_data, network_and_data, point_bar
from polyrelu.cli.output import DONE, about, say
from polyrelu.errors import FileError, InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from polyrelu.analysis.data.patterns import DataPatterns
    from polyrelu.network.model import Network

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    out_help = "write the pattern and the labels of each point: .npz (packed) or .csv (as text)"
    parser.add_argument("--out", metavar="FILE", help=out_help)
    embed_help = "draw the patterns in the plane, near where they differ in few neurons: .png, .svg or .pdf"
    parser.add_argument("--embed", metavar="FILE", help=embed_help)
    layer_help = "only this layer in the files, from 0 on; layers without neurons do not count"
    parser.add_argument("--layer", type=whole, metavar="N", help=layer_help)
    most_help = "with --embed: draw at most N points, drawn at random (default: 2000)"
    parser.add_argument("--max-points", type=count, default=2000, metavar="N", help=most_help)
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="draws what is random (default: 0)")
    parser.add_argument("--force", action="store_true", help="overwrite existing files")


def run(arguments: argparse.Namespace) -> int:
    from polyrelu.analysis.data.pattern_distances import chosen_layers
    from polyrelu.analysis.data.pattern_files import save_patterns
    from polyrelu.analysis.data.patterns import patterns_and_labels_at
    from polyrelu.tessellation.targets import check_targets

    _check_names(arguments)
    wanted = {"--out": arguments.out, "--embed": arguments.embed}
    file, picture = check_targets(wanted, arguments.force, arguments.model)
    network, data = network_and_data(arguments)
    n_layers = len(network.pattern_widths)
    if arguments.layer is not None and arguments.layer >= n_layers:
        raise InputError(
            f"--layer needs a number below {n_layers}, the layers that have neurons, but received {arguments.layer}. "
            "Count from 0."
        )
    with point_bar("patterns") as progress:
        patterns, predicted = patterns_and_labels_at(network, data.points, arguments.device, progress)
    facts = _facts(network, patterns, None if data.labels is None else predicted == data.labels)
    say(json.dumps(facts, indent=2) if arguments.json else _text(facts, network))
    chosen = patterns if arguments.layer is None else chosen_layers(patterns, [arguments.layer])
    if file is not None:
        known = {} if data.labels is None else {"label": data.labels}
        save_patterns(chosen, file, {"predicted": predicted, **known})
    if picture is not None:
        _draw(chosen, predicted if data.labels is None else data.labels, arguments, picture)
    return DONE


def whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"needs a whole number from 0 on but received {text!r}")
    return int(text)


def _check_names(arguments: argparse.Namespace) -> None:
    """Refuse names of files before any work."""
    from polyrelu.analysis.data.pattern_files import check_pattern_name

    if arguments.out is not None:
        check_pattern_name(arguments.out)
        if Path(arguments.out).resolve() == Path(arguments.data).resolve():
            raise FileError(f"--out needs a file of its own but {arguments.out!r} holds the data. Choose another path.")
    if arguments.embed is not None:
        from polyrelu.plot.figure import check_format

        check_format(arguments.embed)


def _facts(network: Network, patterns: DataPatterns, is_right: NDArray | None) -> dict[str, Any]:
    """Return what is printed; how many labels are right only where the true ones are known."""
    _, _, counts = patterns.groups()
    facts: dict[str, Any] = {
        "network": network.hash,
        "points": len(patterns),
        "decided_exactly": patterns.n_decided_exactly,
        "patterns": len(counts),
        "points_that_share": int(counts[counts > 1].sum()),
        "largest": int(counts.max(initial=0)),
        "layers": [],
    }
    for layer, width in enumerate(patterns.widths):
        _, _, own = patterns.groups(layer)
        facts["layers"].append({"neurons": width, "patterns": len(own), "largest": int(own.max(initial=0))})
    if is_right is not None:
        facts["right"] = int(is_right.sum())
        facts["accuracy"] = float(is_right.mean()) if len(is_right) else None
    return facts


def _text(facts: dict[str, Any], network: Network) -> str:
    shared = f"{facts['points_that_share']:,} points have one with others, {facts['largest']:,} the most frequent"
    rows = [
        ("network", about(network)),
        ("points", f"{facts['points']:,}; {facts['decided_exactly']:,} had digits that floats left open"),
        ("patterns", f"{facts['patterns']:,}; {shared}"),
    ]
    for k, layer in enumerate(facts["layers"]):
        found = f"{layer['patterns']:,} patterns of {layer['neurons']:,} neurons"
        rows.append((f"layer {k}", f"{found}, the most frequent at {_points(layer['largest'])}"))
    if facts.get("accuracy") is not None:
        rows.append(("right", f"{_points(facts['right'])}, {100 * facts['accuracy']:.4g} %"))
    return "\n".join(f"{name:<12}{value}" for name, value in rows)


def _points(n: int) -> str:
    return "1 point" if n == 1 else f"{n:,} points"


def _draw(patterns: DataPatterns, labels: NDArray, arguments: argparse.Namespace, path: Path) -> None:
    from polyrelu.analysis.data.embedding import embed_patterns
    from polyrelu.plot.figure import save
    from polyrelu.plot.patterns import MOST_CLASSES, draw_embeddings
    from polyrelu.tessellation.targets import replacing

    embedding = embed_patterns(patterns, seed=arguments.seed, max_points=arguments.max_points)
    where = "all layers" if arguments.layer is None else f"layer {arguments.layer}"
    by = embedding.method.removeprefix("embed_").upper()
    note = f"{embedding.n_patterns:,} patterns of {len(embedding.points):,} points, placed by {by}"
    colours = labels if len(set(labels.tolist())) <= MOST_CLASSES else None
    figure = draw_embeddings([[embedding]], [""], [where], colours, [[note]])
    figure.set_size_inches(6, 5.4)
    with replacing(path) as temporary:
        save(figure, temporary)
