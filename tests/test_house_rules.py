"""The rules of the house hold in ``polyrelu``, and each checker reports a planted violation."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import house_rules
import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "polyrelu"

RULES = [
    house_rules.find_import_violations,
    house_rules.find_tolerance_violations,
    house_rules.find_except_violations,
    house_rules.find_print_violations,
    house_rules.find_unsafe_violations,
    house_rules.find_environment_violations,
    house_rules.find_length_violations,
    house_rules.find_package_violations,
]

HEAVY = (
    "cvxpy", "dask", "matplotlib", "numba", "onnx", "onnxruntime", "pyarrow", "scipy.optimize", "shapely",
    "sklearn", "torch",
)  # fmt: skip
"""What neither ``import polyrelu`` nor ``polyrelu --help`` may load; it loads where it is used."""


@pytest.mark.parametrize("find_violations", RULES, ids=lambda rule: rule.__name__)
def test_polyrelu_keeps_the_rule(find_violations):
    assert house_rules.source_files(PACKAGE), f"no source files under {PACKAGE}"
    assert find_violations(PACKAGE) == []


# Import arrow -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "source", "expected"),
    [
        ("exact/a.py", "from polyrelu.region import lp", "exact imports polyrelu.region from the higher layer region"),
        ("exact/a.py", "import polyrelu.network.model", "exact imports polyrelu.network.model from the higher layer"),
        ("exact/a.py", "from ..region.lp import solve", "exact imports polyrelu.region.lp from the higher layer"),
        ("exact/a.py", "from .. import cli", "exact imports polyrelu.cli from the higher layer cli"),
        ("errors.py", "from . import exact", "errors imports polyrelu.exact from the higher layer exact"),
        ("errors.py", "def f():\n    from polyrelu.exact import rational", "errors imports polyrelu.exact"),
        ("region/a.py", "from polyrelu import tessellate", "imports polyrelu.tessellate, which stands above"),
        ("region/a.py", "import polyrelu", "imports polyrelu, which stands above all layers"),
        ("cli.py", "from polyrelu.testing import braid", "imports polyrelu.testing, which stands above all layers"),
        ("network/a.py", "import importlib\nimportlib.import_module('polyrelu.plot')", "from the higher layer plot"),
        ("region/a.py", "from numba import njit", "imports numba outside kernels"),
        ("testing/a.py", "import numba.core", "imports numba outside kernels"),
        ("utils/a.py", "", "stands in no layer"),
        ("helpers.py", "", "stands in no layer"),
    ],
)
def test_arrow_reports(tmp_path, file, source, expected):
    root = plant(tmp_path, file, source)
    assert_reports(house_rules.find_import_violations(root), file, expected)


def test_arrow_accepts_imports_that_point_down(tmp_path):
    root = plant(tmp_path, "region/a.py", "from polyrelu.exact import x\nfrom . import b\nfrom ..errors import E\n")
    plant(tmp_path, "kernels/a.py", "import numba\nfrom polyrelu import errors, exact\n")
    plant(tmp_path, "cli.py", "from polyrelu.plot import figure\nimport numpy\n")
    plant(tmp_path, "__init__.py", "from polyrelu.cli import main\nfrom .plot import figure\n")
    plant(tmp_path, "testing/__init__.py", "from ..tessellation import x\n")
    assert house_rules.find_import_violations(root) == []


# Tolerances ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("tol = 0", "the name 'tol'"),
        ("def f(x, atol=0): pass", "the name 'atol'"),
        ("f(x, rtol=0)", "the name 'rtol'"),
        ("np.finfo(float).eps", "the name 'eps'"),
        ("np.isclose(a, b)", "the name 'isclose'"),
        ("from math import isclose", "the name 'isclose'"),
        ("feasibility_tolerance = 0", "the name 'feasibility_tolerance'"),
        ("def is_zero_tol(x): pass", "the name 'is_zero_tol'"),
        ("x > 1e-9", "the number 1e-09"),
        ("x > -0.000001", "the number"),
        ("x > 10**-9", "the number 10 ** "),
        ("x > 1 / 10**9", "the number 1 / 10 ** 9"),
    ],
)
def test_tolerance_reports(tmp_path, source, expected):
    root = plant(tmp_path, "region/a.py", source)
    assert_reports(house_rules.find_tolerance_violations(root), "region/a.py:1", expected)


def test_tolerance_accepts_words_in_text_and_the_float_layers(tmp_path):
    source = '"""There is no tolerance, no eps and no 1e-9 here."""\nsteps = 0\nx > 1e-4\ny = 0.0 * 2**-16\nTrue\n'
    root = plant(tmp_path, "region/a.py", source)
    plant(tmp_path, "kernels/a.py", "EPS = 2.0**-53\ntol = 1e-9\n")
    plant(tmp_path, "plot/a.py", "eps = 1e-9\n")
    assert house_rules.find_tolerance_violations(root) == []


# Broad except, print, unsafe loads, environment, length, packages ---------------------------------------------


@pytest.mark.parametrize(
    ("find_violations", "file", "source", "expected"),
    [
        (house_rules.find_except_violations, "exact/a.py", "try:\n    f()\nexcept:\n    pass", "3: a bare except"),
        (house_rules.find_except_violations, "exact/a.py", "try:\n    f()\nexcept Exception:\n    pass", "3: except"),
        (house_rules.find_except_violations, "cli.py", "try:\n    f()\nexcept BaseException as e:\n    pass", "3: e"),
        (house_rules.find_except_violations, "cli.py", "try:\n    f()\nexcept (OSError, Exception):\n    pass", "3: e"),
        (house_rules.find_print_violations, "region/a.py", "print('x')", "1: print outside cli.py"),
        (house_rules.find_print_violations, "__main__.py", "f = print", "1: print outside cli.py"),
        (house_rules.find_unsafe_violations, "network/a.py", "import pickle", "1: imports pickle"),
        (house_rules.find_unsafe_violations, "network/a.py", "from pickle import loads", "1: imports pickle"),
        (house_rules.find_unsafe_violations, "network/a.py", "eval('1')", "1: uses eval"),
        (house_rules.find_unsafe_violations, "network/a.py", "exec('1')", "1: uses exec"),
        (house_rules.find_unsafe_violations, "network/a.py", "np.load(f)", "1: np.load without allow_pickle=False"),
        (house_rules.find_unsafe_violations, "network/a.py", "np.load(f, allow_pickle=True)", "1: np.load without"),
        (house_rules.find_unsafe_violations, "network/a.py", "from numpy import load", "1: imports numpy.load"),
        (house_rules.find_unsafe_violations, "network/a.py", "torch.load(f)", "1: torch.load without weights_only"),
        (house_rules.find_environment_violations, "cli.py", "import os\nos.environ['X']", "2: uses os.environ"),
        (house_rules.find_environment_violations, "cli.py", "import os\nos.getenv('X')", "2: uses os.getenv"),
        (house_rules.find_environment_violations, "cli.py", "from os import environ", "1: imports os.environ"),
        (house_rules.find_length_violations, "plot/a.py", "x = 0\n" * 401, "401 lines; at most 400 are allowed"),
        (house_rules.find_package_violations, "plot/a.py", "", "plot: has no __init__.py"),
    ],
)
def test_checker_reports(tmp_path, find_violations, file, source, expected):
    root = plant(tmp_path, file, source)
    assert_reports(find_violations(root), "", expected)


@pytest.mark.parametrize(
    ("find_violations", "file", "source"),
    [
        (house_rules.find_except_violations, "exact/a.py", "try:\n    f()\nexcept (OSError, ValueError):\n    pass"),
        (house_rules.find_print_violations, "cli.py", "print('x')"),
        (house_rules.find_unsafe_violations, "network/a.py", "np.load(f, allow_pickle=False)\nmodule.eval()"),
        (house_rules.find_environment_violations, "cli.py", "import os\nos.replace(a, b)"),
        (house_rules.find_length_violations, "plot/a.py", "x = 0\n" * 400),
    ],
)
def test_checker_accepts(tmp_path, find_violations, file, source):
    assert find_violations(plant(tmp_path, file, source)) == []


# Lazy imports -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    ["import polyrelu", "from polyrelu import cli\ntry:\n    cli.main(['--help'])\nexcept SystemExit:\n    pass"],
    ids=["import polyrelu", "polyrelu --help"],
)
def test_start_is_light(statement):
    assert modules_loaded_by(statement, PACKAGE.parent) == []


@pytest.mark.parametrize("module", ["matplotlib", "numba", "scipy.optimize"])
def test_start_that_is_not_light_is_reported(tmp_path, module):
    plant(tmp_path, "__init__.py", f"import {module}\n")
    assert module in modules_loaded_by("import polyrelu", tmp_path)


def modules_loaded_by(statement: str, folder: Path) -> list[str]:
    """Return which of `HEAVY` a fresh interpreter has loaded after the statement, polyrelu taken from `folder`."""
    script = (
        f"import sys, json\nsys.path.insert(0, {str(folder)!r})\n{statement}\n"
        f"import pathlib, polyrelu\nassert pathlib.Path(polyrelu.__file__).is_relative_to({str(folder)!r})\n"
        f"print(); print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def plant(folder: Path, file: str, source: str) -> Path:
    """Write one file of a package named polyrelu and return the package folder."""
    path = folder / "polyrelu" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
    return folder / "polyrelu"


def assert_reports(violations: list[str], start: str, expected: str) -> None:
    assert any(line.startswith(start) and expected in line for line in violations), violations
