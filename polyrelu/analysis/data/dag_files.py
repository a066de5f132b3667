"""Pattern graphs as files for other programs: GraphML, and JSON with the points and their clusters."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from polyrelu.analysis.data.pattern_dag import PatternDag
from polyrelu.analysis.data.splitting import Clusters
from polyrelu.errors import FileError
from polyrelu.tessellation.targets import replacing

__all__ = ["check_dag_name", "dag_to_json", "save_dag"]


def save_dag(dag: PatternDag, path: str | Path, clusters: Clusters | None = None) -> None:
    """Write a pattern graph to a file, whole or not at all.

    Parameters
    ----------
    dag : PatternDag
    path : path
        ``.graphml``: the graph with the attributes of `PatternDag.to_networkx`, ``labels`` as JSON text; ``.json``:
        what `dag_to_json` returns.
    clusters : Clusters, optional
        Written to JSON too.

    Raises
    ------
    FileError
        For another name, or if the file cannot be written.
    """
    write = _writer(path)
    with replacing(Path(path)) as temporary:
        write(dag, clusters, temporary)


def check_dag_name(path: str | Path) -> None:
    """Raise `FileError` unless a path ends like a file that `save_dag` writes."""
    _writer(path)


def dag_to_json(dag: PatternDag, clusters: Clusters | None = None) -> dict[str, Any]:
    """Return a pattern graph as values of JSON.

    The keys are ``widths`` of the layers, ``nodes`` (with ``layer``, ``pattern``, ``n``, ``labels`` and ``is_stable``,
    in the order of their numbers), ``edges`` (two nodes and how many points go along), ``trajectories`` and ``labels``
    of the points, and with clusters ``clusters``: ``of_points``, and for each ``sizes``, ``stops``, ``stop_layers``.

    Examples
    --------
    >>> from polyrelu.analysis.data.pattern_dag import pattern_dag
    >>> from polyrelu.testing import xor
    >>> dag_to_json(pattern_dag(xor(), [[1, 1], [0, 1]]))["nodes"]
    [{'layer': 0, 'pattern': '11', 'n': 1, 'labels': {0: 1}, 'is_stable': True}, \
{'layer': 0, 'pattern': '10', 'n': 1, 'labels': {1: 1}, 'is_stable': True}]
    """
    graph = dag.to_networkx()
    report: dict[str, Any] = {
        "widths": list(dag.patterns.widths),
        "nodes": [facts for _, facts in graph.nodes(data=True)],
        "edges": [[start, end, n] for start, end, n in graph.edges(data="n")],
        "trajectories": dag.trajectories.tolist(),
        "labels": dag.labels.tolist(),
    }
    if clusters is not None:
        report["clusters"] = {
            "of_points": clusters.cluster_of.tolist(),
            "sizes": clusters.sizes.tolist(),
            "stops": [clusters.stop(k).name.lower() for k in range(len(clusters))],
            "stop_layers": clusters.stop_layers.tolist(),
        }
    return report


def _write_graphml(dag: PatternDag, clusters: Clusters | None, path: Path) -> None:
    import networkx

    graph = dag.to_networkx()
    for _, facts in graph.nodes(data=True):
        facts["labels"] = json.dumps(facts["labels"])
    networkx.write_graphml(graph, path)


def _write_json(dag: PatternDag, clusters: Clusters | None, path: Path) -> None:
    path.write_text(json.dumps(dag_to_json(dag, clusters)) + "\n", encoding="utf-8")


Writer = Callable[[PatternDag, Clusters | None, Path], None]
WRITERS: dict[str, Writer] = {".graphml": _write_graphml, ".json": _write_json}


def _writer(path: str | Path) -> Writer:
    if (suffix := Path(path).suffix.lower()) not in WRITERS:
        raise FileError(
            f"A pattern graph needs a name in {', '.join(WRITERS)} but received {str(path)!r}. Rename it."
        )
    return WRITERS[suffix]
