"""The command: its answers against the reference, its files, and what it says to bad input."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from cases import FOLDER, Case, hash_lines, load_cases, load_network
from onnx_builder import build, node

import polyrelu
from polyrelu import cli
from polyrelu.errors import InternalError

XOR = str(FOLDER / "xor_01.npz")
SPACE = str(FOLDER / "rint_3_4_3_1_s14.npz")
PERF = str(FOLDER / "perf_2_32_32_1_s91.npz")

KEYS = [
    "regions", "bounded", "adjacencies", "linear_regions", "affine_maps", "vertices", "hamming1_pairs",
    "hamming1_not_adjacent", "adjacent_not_hamming1", "decisions", "seconds",
]  # fmt: skip
NAMES_OF_REFERENCE = {
    "regions": "cells", "bounded": "bounded_cells", "adjacencies": "adjacency_edges",
    "linear_regions": "linear_regions", "affine_maps": "distinct_affine_maps", "hamming1_pairs": "hamming1_pairs",
    "hamming1_not_adjacent": "hamming1_not_adjacent", "adjacent_not_hamming1": "adjacent_not_hamming1",
}  # fmt: skip
CASES = [case for case in load_cases() if case.dim <= 2 or case.name in ("braid_4", "rint_3_4_3_1_s14")]


@pytest.fixture
def run(capsys):
    """Return a function that runs the command in this process: exit code, stdout, stderr."""

    def run(*argv: object) -> tuple[int, str, str]:
        code = cli.main([str(argument) for argument in argv])
        out, err = capsys.readouterr()
        return code, out, err.replace("compiling the loops once (about a minute) ...\n", "")

    return run


@pytest.fixture
def refused(run):
    """Return a function that runs the command, asserts that it refuses its input, and returns the complaint."""

    def refused(*argv: object) -> str:
        code, out, err = run(*argv)
        assert (code, out) == (2, "")
        assert err.startswith("polyrelu: ") and err.count("\n") == 1, err
        return err

    return refused


def domain_text(case: Case) -> str:
    bounds = case.domain.box_bounds()
    return "all" if bounds is None else ",".join(f"{low}:{high}" for low, high in zip(*bounds, strict=True))


def file_of(case: Case) -> Path:
    return FOLDER / f"{case.name.partition('@')[0]}.npz"


# Answers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=str)
def test_json_and_lists_against_the_reference(run, tmp_path, case):
    patterns, adjacency = tmp_path / "patterns", tmp_path / "adjacency"
    where = ("--domain", domain_text(case), "--patterns", patterns, "--adjacency", adjacency)
    code, out, err = run("tessellate", file_of(case), *where, "--json")
    assert (code, err) == (0, "")
    found, expected = json.loads(out), case.expected
    assert list(found) == KEYS
    for key, name in NAMES_OF_REFERENCE.items():
        if name in expected:
            assert found[key] == expected[name], key
    assert found["vertices"] == expected.get("vertices", expected.get("vertices_interior", found["vertices"]))
    assert list(found["decisions"]) == ["filtered", "extended", "exact"]
    assert list(found["seconds"]) == ["enumerate", "assemble", "analyse"]
    lines = patterns.read_text().splitlines()
    assert lines == sorted(lines) and hash_lines(lines) == expected["code_set_sha256"]
    lines = adjacency.read_text().splitlines()
    assert lines == sorted(lines) and hash_lines(lines) == expected["edge_set_sha256"]
    assert all(a < b for a, b in (line.split() for line in lines))


def test_text(run):
    code, out, err = run("tessellate", PERF, "--domain", "-1:1")
    assert (code, err) == (0, "")
    rows = [line.split(maxsplit=1) for line in out.splitlines()]
    assert ["regions", "636"] in rows and ["vertices", "586"] in rows
    assert "exact areas add up to the domain's 4" in out and "Euler's formula holds" in out


def test_bounds_are_exact(run, tmp_path):
    file = tmp_path / "t.parquet"
    assert run("tessellate", XOR, "--domain", "-1/3:0.1", "--out", file)[0] == 0
    loaded = polyrelu.Tessellation.load(file, load_network("xor_01"))
    assert loaded.domain == polyrelu.Domain.box(["-1/3", "-1/3"], ["0.1", "0.1"])
    assert loaded.is_complete


def test_flat_domain(run):
    code, out, _ = run("tessellate", XOR, "--domain", "0:1,1:1")
    assert code == 0 and "flat: tessellated in its affine hull of dimension 1" in out
    found = json.loads(run("tessellate", XOR, "--domain", "0:1,1:1", "--json")[1])
    assert list(found) == [*KEYS, "affine_hull_dimension"] and found["affine_hull_dimension"] == 1


@pytest.mark.parametrize(
    "text",
    ['{"points": [[0, 0, 0], [1, 0, 0], ["0", "0.5", "1/2"]]}',
     '{"point": [0, 0, 0], "directions": [[1, 0, 0], [0, 0.5, 0.5]]}'],
)  # fmt: skip
def test_slice(run, tmp_path, text):
    file = tmp_path / "slice.json"
    file.write_text(text)
    code, out, _ = run("tessellate", FOLDER / "generic_d3_n5.npz", "--slice", file, "--json")
    network = load_network("generic_d3_n5")
    expected = polyrelu.tessellate(network.restrict(polyrelu.Slice.through([0] * 3, [1, 0, 0], [0, "1/2", "1/2"])))
    assert code == 0 and json.loads(out)["regions"] == expected.n_regions


def test_methods_agree(run):
    plane, brute = (run("tessellate", XOR, "--method", name, "--json") for name in ("plane", "brute"))
    assert plane[0] == brute[0] == 0
    plane, brute = json.loads(plane[1]), json.loads(brute[1])
    assert brute["decisions"] == {"filtered": 0, "extended": 0, "exact": None}
    assert [plane[key] for key in KEYS[:-2]] == [brute[key] for key in KEYS[:-2]]


def test_costly_numbers_are_null_above_the_limit(run, monkeypatch):
    monkeypatch.setattr("polyrelu.tessellation.summary.MAX_ANALYSED", 2)
    costly = KEYS[3:5] + KEYS[6:9]
    found = json.loads(run("tessellate", XOR, "--json")[1])
    assert [key for key in KEYS if found[key] is None] == costly
    found = json.loads(run("tessellate", XOR, "--json", "--full")[1])
    assert [key for key in KEYS if found[key] is None] == []
    assert run("tessellate", XOR)[1].count("not worked out") == 3


# Bad input ----------------------------------------------------------------------------------------------------


def npz(folder: Path, **arrays: object) -> Path:
    np.savez(folder / "network.npz", **arrays)
    return folder / "network.npz"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite(refused, tmp_path, value):
    file = npz(tmp_path, W0=[[1.0, value]], b0=[0.0], W1=[[1.0]], b1=[0.0])
    assert "finite" in refused("tessellate", file)
    file = npz(tmp_path, W0=[[1.0, 0.0]], b0=[value], W1=[[1.0]], b1=[0.0])
    assert "finite" in refused("tessellate", file)


def test_layers_that_do_not_chain(refused, tmp_path):
    assert "chain" in refused("tessellate", npz(tmp_path, W0=[[1, 1]], b0=[0], W1=[[1, 1]], b1=[0]))


def test_unsupported_node(refused, tmp_path):
    file = tmp_path / "network.onnx"
    file.write_bytes(build([node("Exp")], (1, 2)).SerializeToString())
    assert "Exp" in refused("tessellate", file)


@pytest.mark.parametrize("name", ["network.npz", "network.onnx", "network.pt", "network.txt"])
def test_damaged_model(refused, tmp_path, name):
    file = tmp_path / name
    file.write_bytes(b"PK\x03\x04 neither one nor the other")
    assert str(file) in refused("tessellate", file)


@pytest.mark.parametrize(
    ("domain", "complaint"),
    [
        ("1:0", "lower <= upper"),
        ("0:1,0:1,0:1", "2 inputs"),
        ("0:1,2", "LO:HI"),
        ("0:x", "'x'"),
        ("0:nan", "'nan'"),
        ("nowhere.json", "nowhere.json"),
    ],
)
def test_bad_domains(refused, domain, complaint):
    assert complaint in refused("tessellate", XOR, "--domain", domain)


def test_empty_domain_of_halfspaces(refused, tmp_path):
    file = tmp_path / "domain.json"
    file.write_text('{"normals": [[1, 0], [-1, 0]], "offsets": [0, -1]}')
    assert "non-empty" in refused("tessellate", XOR, "--domain", file)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "is not"),
        ("[1]", "has none"),
        ('{"points": 3}', "lists of numbers"),
        ('{"points": [[0, 0], [1, 1], [2, 2]]}', "rank 1"),
        ('{"points": [[0, 0], ["x", 1]]}', "'x'"),
        ('{"points": [[0, 0, 0], [1, 0, 0], [0, 1, 0]]}', "slice of R^2"),
        ('{"corner": [0, 0]}', "corner"),
    ],
)
def test_bad_slices(refused, tmp_path, text, complaint):
    file = tmp_path / "slice.json"
    file.write_text(text)
    assert complaint in refused("tessellate", XOR, "--slice", file)


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        ([], "COMMAND"),
        (["tesselate"], "tesselate"),
        (["tessellate"], "MODEL"),
        (["tessellate", "nowhere.npz"], "nowhere.npz"),
        (["tessellate", XOR, "--wrong"], "--wrong"),
        (["tessellate", XOR, "--method", "magic"], "magic"),
        (["tessellate", XOR, "--domain"], "--domain"),
        (["tessellate", XOR, "--max-regions", "0"], "'0'"),
        (["tessellate", XOR, "--max-seconds", "nan"], "'nan'"),
        (["tessellate", XOR, "--method", "brute", "--max-regions", "5"], "max_regions"),
        (["tessellate", str(FOLDER / "braid_4.npz"), "--method", "plane"], "1 or 2 inputs"),
        (["tessellate", XOR, "--method", "vertices"], "3 to 8 inputs"),
        (["tessellate", XOR, "--mesh", "mesh.vtu"], "--mesh needs three inputs"),
        (["tessellate", SPACE, "--mesh", "mesh.stl"], "mesh.stl"),
        (["tessellate", SPACE, "--mesh", "mesh.vtu"], "a bounded region but received one with ray"),
        (["plot", XOR], "--out"),
        (["plot", XOR, "--out", "picture.gif"], "picture.gif"),
        (["plot", XOR, "--out", "picture"], ".png"),
        (["plot", XOR, "--out", "picture.png", "--by", "output", "--output", "1"], "below 1"),
        (["plot", XOR, "--out", "picture.png", "--by", "surface"], "domain of dimension 3"),
        (["plot", str(FOLDER / "braid_4.npz"), "--out", "picture.png"], "dimension 1, 2 or 3 but received one of 4"),
        (["region", XOR], "--at"),
        (["region", XOR, "--at"], "--at"),
        (["region", XOR, "--at", "1"], "2 coordinates but '1' has 1"),
        (["region", XOR, "--at", "1,x"], "'x'"),
        (["region", XOR, "--at", "1,2", "--domain", "0:1"], "a point of the domain (0:1,0:1)"),
        (["region", XOR, "--at", "1,2", "--domain", "0:1,0:0"], "a point of the domain"),
        (["region", XOR, "--at", "nowhere.npy"], "nowhere.npy"),
        (["region", "nowhere.npz", "--at", "1,2"], "nowhere.npz"),
        (["plot", XOR, "--out", "picture.png", "--points", "nowhere.csv"], "nowhere.csv"),
        (["demo", "--out-dir", "/dev/null/x"], "/dev/null/x"),
    ],
)
def test_bad_arguments(refused, tmp_path, monkeypatch, argv, complaint):
    monkeypatch.chdir(tmp_path)
    assert complaint in refused(*argv)
    assert list(tmp_path.iterdir()) == []


# Output files -------------------------------------------------------------------------------------------------

OUTPUTS = [("tessellate", "--out"), ("tessellate", "--patterns"), ("tessellate", "--adjacency"), ("plot", "--out")]


@pytest.mark.parametrize(("command", "option"), OUTPUTS)
def test_outputs_are_checked_before_the_work(refused, tmp_path, monkeypatch, command, option):
    monkeypatch.setattr(f"polyrelu.cli.{command}.network_and_domain", None)  # nothing may be read before
    taken = tmp_path / "taken.png"
    taken.write_text("mine")
    assert "existing folder" in refused(command, XOR, option, tmp_path / "nowhere" / "file.png")
    assert "exists" in refused(command, XOR, option, taken)
    assert "is the network" in refused(command, taken, option, taken, "--force")
    (tmp_path / "folder.png").mkdir()
    assert "is a folder" in refused(command, XOR, option, tmp_path / "folder.png")
    assert taken.read_text() == "mine"
    if os.geteuid() == 0:  # to whom every folder is open
        return
    tmp_path.chmod(0o500)
    assert "could not be written" in refused(command, XOR, option, tmp_path / "new.png")


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".vtu"])
def test_meshes(run, tmp_path, suffix):
    from polyrelu.tessellation.mesh_files import save_polytopes
    from polyrelu.tessellation.polytopes import polytopes

    file, expected = tmp_path / f"mesh{suffix}", tmp_path / f"expected{suffix}"
    assert run("tessellate", SPACE, "--domain", "-1:2", "--mesh", file)[0] == 0
    t = polyrelu.tessellate(load_network("rint_3_4_3_1_s14"), polyrelu.Domain.box([-1] * 3, [2] * 3))
    save_polytopes(polytopes(t), expected)
    assert file.read_bytes() == expected.read_bytes()


def test_two_outputs_of_one_name(refused, tmp_path):
    assert "named twice" in refused("tessellate", XOR, "--out", tmp_path / "x", "--patterns", tmp_path / "x")


@pytest.mark.parametrize(("command", "option"), OUTPUTS)
def test_force_overwrites_and_follows_links(run, tmp_path, command, option):
    target, link = tmp_path / "target.png", tmp_path / "link.png"
    target.write_text("old")
    link.symlink_to(target)
    assert run(command, XOR, option, link, "--force")[0] == 0
    assert link.is_symlink() and target.read_bytes() != b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.png", "target.png"]


def fail_with_full_disk(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("broken", ["pattern_lines", "adjacency_lines", "Tessellation.save"])
def test_a_full_disk_leaves_nothing_behind(refused, tmp_path, monkeypatch, broken):
    if broken == "Tessellation.save":
        monkeypatch.setattr("pyarrow.parquet.ParquetWriter.write_table", fail_with_full_disk)
    else:
        monkeypatch.setattr(f"polyrelu.tessellation.summary.{broken}", fail_with_full_disk)
    files = [tmp_path / name for name in ("out.parquet", "patterns", "adjacency")]
    old = files[0]
    old.write_text("old")
    complaint = refused(
        "tessellate", XOR, "--out", files[0], "--patterns", files[1], "--adjacency", files[2], "--force"
    )
    assert "No space left on device" in complaint
    assert list(tmp_path.iterdir()) == [old] and old.read_text() == "old"


def test_a_full_disk_under_a_picture(refused, tmp_path, monkeypatch):
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", fail_with_full_disk)
    assert "No space left on device" in refused("plot", XOR, "--out", tmp_path / "picture.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_device(refused):
    assert "No space left on device" in refused("tessellate", XOR, "--patterns", "/dev/full")
    assert "is a device" in refused("tessellate", XOR, "--out", "/dev/full")
    assert Path("/dev/full").is_char_device()


# Ended early --------------------------------------------------------------------------------------------------


def test_budget(run, tmp_path):
    file = tmp_path / "t.parquet"
    limits = ("--max-regions", 10, "--out", file, "--patterns", tmp_path / "patterns", "--json")
    code, out, err = run("tessellate", PERF, *limits)
    found = json.loads(out)
    assert code == 3 and found["regions"] >= 10 and found["complete"] is False and found["linear_regions"] is None
    assert f"{found['regions']:,} proved regions" in err and str(file) in err
    assert not polyrelu.Tessellation.load(file, load_network("perf_2_32_32_1_s91")).is_complete
    assert not (tmp_path / "patterns").exists()
    code, out, _ = run("tessellate", PERF, "--max-regions", 10)
    assert code == 3 and "incomplete" in out


def test_interrupt_keeps_what_was_proved(run, tmp_path, monkeypatch):
    @contextmanager
    def interrupt():
        def progress(_: int) -> None:
            raise KeyboardInterrupt

        yield progress

    monkeypatch.setattr("polyrelu.cli.work.progress_bar", interrupt)
    file = tmp_path / "t.parquet"
    code, out, err = run("tessellate", PERF, "--out", file)
    assert (code, out) == (130, "") and "interrupted after" in err and str(file) in err
    assert not polyrelu.Tessellation.load(file, load_network("perf_2_32_32_1_s91")).is_complete


def test_interrupt_elsewhere(run, monkeypatch):
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("polyrelu.cli.tessellate.network_and_domain", interrupt)
    assert run("tessellate", XOR) == (130, "", "polyrelu: interrupted.\n")


def test_failed_self_check(run, monkeypatch):
    def fail(_: object) -> None:
        raise InternalError("The areas do not add up.\nPlease report the network.")

    monkeypatch.setattr("polyrelu.tessellation.model.Tessellation.check_euler", fail)
    assert run("tessellate", XOR) == (1, "", "polyrelu: The areas do not add up. Please report the network.\n")


def test_too_little_memory(refused, monkeypatch):
    def fail(_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("polyrelu.cli.tessellate.network_and_domain", fail)
    assert "memory" in refused("tessellate", XOR)


# Pictures and the demonstration -------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".PNG"])
def test_plot(run, tmp_path, suffix):
    file = tmp_path / f"picture{suffix}"
    code, out, err = run("plot", PERF, "--domain", "-1:1", "--by", "class", "--hyperplanes", "--out", file)
    assert (code, err) == (0, "") and "636 regions" in out
    start = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[suffix.lower()]
    assert file.read_bytes().startswith(start)


@pytest.mark.parametrize("options", [[], ["--by", "class", "--hyperplanes"], ["--by", "surface"]])
def test_plot_of_space(run, tmp_path, options):
    file = tmp_path / "space.png"
    code, out, err = run("plot", SPACE, "--domain", "-1:2", *options, "--out", file)
    assert (code, err) == (0, "") and "18 regions" in out
    assert file.read_bytes().startswith(b"\x89PNG")


def test_plot_points(run, refused, tmp_path):
    points = tmp_path / "points.csv"
    points.write_text("x,y,kind\n0,0,a\n1,0.5,b\n")
    assert run("plot", XOR, "--points", points, "--by", "output", "--out", tmp_path / "picture.png")[0] == 0
    points.write_text("1\n2\n")
    assert "2 coordinates" in refused("plot", XOR, "--points", points, "--out", tmp_path / "other.png")


def test_demo(run, tmp_path):
    for _ in range(2):
        code, out, err = run("demo", "--out-dir", tmp_path / "demo")
        assert (code, err) == (0, "") and "307" in out
    assert sorted(path.name for path in (tmp_path / "demo").iterdir()) == ["iris_petals.parquet", "iris_petals.png"]
    network = polyrelu.load(Path(polyrelu.__file__).parent / "data" / "iris_petals.npz")
    assert polyrelu.Tessellation.load(tmp_path / "demo" / "iris_petals.parquet", network).n_regions == 307


# The process --------------------------------------------------------------------------------------------------


def start(*argv: object, **options: object) -> subprocess.Popen:
    root = str(Path(polyrelu.__file__).parent.parent)
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    command = [sys.executable, "-m", "polyrelu", *map(str, argv)]
    return subprocess.Popen(command, text=True, env={**os.environ, "PYTHONPATH": path}, **pipes)


@pytest.mark.parametrize("argv", [["--help"], ["--version"], *([c.name, "--help"] for c in cli.COMMANDS)])
def test_help(run, argv):
    code, out, err = run(*argv)
    assert (code, err) == (0, "") and "polyrelu" in out
    process = start(*argv)
    assert process.communicate(timeout=60) == (out, "") and process.returncode == 0


def test_every_command_is_in_the_help(run):
    out = run("--help")[1]
    for command in cli.COMMANDS:
        assert re.search(rf"^    {command.name}\s", out, re.MULTILINE) and command.help in out
    assert "Exit codes" in out


def test_errors_of_the_process(tmp_path):
    process = start("tessellate", tmp_path / "nowhere.npz")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "") and err.startswith("polyrelu: ") and err.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_full_stdout():
    with open("/dev/full", "w") as full:
        process = start("tessellate", XOR, "--method", "brute", stdout=full)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 2 and "No space left on device" in err and err.count("\n") == 1


def test_closed_stdout():
    reader, writer = os.pipe()
    os.close(reader)
    process = start("tessellate", XOR, "--method", "brute", stdout=writer)
    os.close(writer)
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")


def test_ctrl_c(tmp_path):
    widths = [2, 800, 800, 800, 1]
    random = np.random.default_rng(0)
    arrays = {}
    for i, (n, m) in enumerate(pairwise(widths)):
        arrays[f"W{i}"] = np.float32(random.standard_normal((m, n)) * np.sqrt(2 / n))
        arrays[f"b{i}"] = np.float32(random.standard_normal(m) * 0.1)
    polyrelu.tessellate(load_network("xor_01"))  # so that the loops are compiled
    where = ("--domain", "-1:1", "--out", tmp_path / "t.parquet", "--max-seconds", 60)
    process = start("tessellate", npz(tmp_path, **arrays), *where)
    time.sleep(4)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=240)
    assert (process.returncode, out) == (130, ""), err
    assert "polyrelu: interrupted" in err and "Traceback" not in err
    assert (tmp_path / "t.parquet").exists() == ("marked incomplete" in err)


def test_compilation_is_announced(capsys, monkeypatch):
    monkeypatch.setattr("polyrelu.kernels.compiled.is_cached", lambda *_: False)
    line = "compiling the loops once (about a minute) ...\n"
    assert cli.main(["tessellate", XOR]) == 0 and capsys.readouterr().err == line
    assert cli.main(["tessellate", XOR, "--method", "brute"]) == 0 and capsys.readouterr().err == ""
    monkeypatch.setattr("polyrelu.kernels.compiled.is_cached", lambda *_: True)
    assert cli.main(["tessellate", XOR]) == 0 and capsys.readouterr().err == ""


def test_the_compiler_is_known_to_have_run():
    from polyrelu.kernels.compiled import is_cached, loop
    from polyrelu.kernels.depth_first import enumerate_cells

    polyrelu.tessellate(load_network("xor_01"))
    assert is_cached(enumerate_cells)

    @loop
    def unseen(x):
        return x

    assert not is_cached(unseen)
