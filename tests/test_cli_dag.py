"""The command `polyrelu dag`: what it prints, its files and pictures, and what it says to bad input."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import polyrelu
from polyrelu import cli
from polyrelu.analysis.data.pattern_dag import pattern_dag
from polyrelu.analysis.data.splitting import clusters_of, is_impure

FOLDER = Path(polyrelu.__file__).parent / "data"
MODELS = Path(__file__).resolve().parents[2] / "shared" / "models"
MODEL, DATA = FOLDER / "iris_petals.npz", FOLDER / "iris_petals_points.npz"


@pytest.fixture
def dag(capsys):
    """Return a function that runs `polyrelu dag`: exit code, stdout, stderr."""

    def dag(*options: object, model: object = MODEL, data: object = DATA) -> tuple[int, str, str]:
        code = cli.main(["dag", str(model), str(data), *map(str, options)])
        out, err = capsys.readouterr()
        return code, out, err

    return dag


def flowers() -> tuple[np.ndarray, np.ndarray]:
    with np.load(DATA, allow_pickle=False) as file:
        return file["X"], file["y"]


def test_text(dag):
    code, out, err = dag()
    said = {line[:12].strip(): line[12:] for line in out.splitlines()}
    assert (code, err) == (0, "")
    names = ["network", "points", "labels", "layer 0", "layer 1", "edges", "paths", "clusters", "ended"]
    assert list(said) == [*names, "right", "wrong"]
    graph = pattern_dag(polyrelu.load(MODEL), flowers()[0])
    assert said["edges"] == str(graph.n_edges)
    assert said["layer 1"].startswith("10 patterns of 16 neurons, the largest with 52; 8 stable, with 52.7 % of")
    assert said["ended"] == "6 with no layer left, 7 with one label, 2 with one point"


@pytest.mark.parametrize("options", [[], ["--labels", "true"], ["--descend"], ["--labels", "true", "--descend"]])
def test_json(dag, options):
    code, out, _ = dag("--json", *options)
    found, (points, species) = json.loads(out), flowers()
    network = polyrelu.load(MODEL)
    graph = pattern_dag(network, points, species if "true" in options else None)
    clusters = clusters_of(graph, is_impure) if "--descend" in options else clusters_of(graph)
    assert code == 0
    assert (found["points"], found["edges"], found["network"]) == (150, graph.n_edges, network.hash)
    assert [layer["stable"] for layer in found["layers"]] == [
        int(graph.is_stable[graph.node_layers == k].sum()) for k in range(2)
    ]
    assert (found["clusters"], found["largest"]) == (len(clusters), clusters.sizes.max())
    assert sum(found["stops"].values()) == len(clusters)
    assert (found["labels"], found["descend"]) == ("true" if "true" in options else "predicted", "--descend" in options)
    wrong = pattern_dag(network, points).labels != species
    assert found["wrong"] == {
        "points": wrong.sum(),
        "alone": (clusters.point_sizes[wrong] == 1).sum(),
        "mean_size": round(float(clusters.point_sizes[wrong].mean()), 3),
    }
    assert found["right"]["points"] == 150 - wrong.sum()


def test_files(dag, tmp_path):
    import networkx

    graph = pattern_dag(polyrelu.load(MODEL), flowers()[0])
    assert dag("--out", tmp_path / "a.graphml", "--plot", tmp_path / "a.png")[0] == 0
    read = networkx.read_graphml(tmp_path / "a.graphml", node_type=int)
    for node, facts in graph.to_networkx().nodes(data=True):
        labels = {str(label): n for label, n in facts["labels"].items()}
        assert read.nodes[node] | {"labels": json.loads(read.nodes[node]["labels"])} == facts | {"labels": labels}
    assert {(a, b): n for a, b, n in read.edges(data="n")} == {
        (a, b): n for (a, b), n in zip(graph.edges.tolist(), graph.edge_counts.tolist(), strict=True)
    }
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert dag("--out", tmp_path / "a.json")[0] == 0
    facts, clusters = json.loads((tmp_path / "a.json").read_text()), clusters_of(graph)
    assert (facts["trajectories"], facts["widths"]) == (graph.trajectories.tolist(), [16, 16])
    assert facts["clusters"]["of_points"] == clusters.cluster_of.tolist()
    assert facts["clusters"]["stop_layers"] == clusters.stop_layers.tolist()
    assert [node["n"] for node in facts["nodes"]] == graph.node_counts.tolist()
    assert dag("--out", tmp_path / "a.json")[0] == 2
    assert dag("--out", tmp_path / "a.json", "--force")[0] == 0


def test_data_without_labels(dag, tmp_path):
    np.save(tmp_path / "points.npy", flowers()[0])
    code, out, _ = dag("--json", data=tmp_path / "points.npy")
    assert code == 0 and not {"right", "wrong"} & set(json.loads(out))
    code, out, err = dag("--labels", "true", data=tmp_path / "points.npy")
    assert (code, out) == (2, "")
    assert err.startswith("polyrelu: --labels true needs labels but ") and err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--out", "graph.gexf"], "needs a name in .graphml, .json but received 'graph.gexf'"),
        (["--plot", "graph.jpg"], "A picture needs a name in"),
        (["--labels", "guessed"], "invalid choice"),
        (["--max-nodes", "0"], "positive whole number"),
        (["--out", "nowhere/graph.json"], "needs an existing folder"),
    ],
)
def test_bad_options(dag, options, part, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = dag(*options)
    assert (code, out) == (2, "")
    assert part in err and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not MODELS.is_dir(), reason="the folder of trained networks is not there")
def test_images_of_bytes(dag):
    options = ["--divide", 255, "--json"]
    code, out, _ = dag(*options, model=MODELS / "mnist-net_256x2.onnx", data=MODELS / "mnist_samples.npz")
    found = json.loads(out)
    assert code == 0
    assert (found["points"], found["right"]["points"], found["wrong"]["points"]) == (35, 35, 0)
    assert [layer["neurons"] for layer in found["layers"]] == [256, 256]
