"""A fault that is planted in the engine is found by its self-checks or by the checker of certificates, never accepted.

Networks with weights that are tenths, as floats, have many lines that almost meet in a point: there the bounds matter.
"""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from polyrelu import Network, certify, check_certificate, tessellate
from polyrelu.enumeration import network_tables
from polyrelu.enumeration.brute import enumerate_brute
from polyrelu.errors import CertificateError, InternalError
from polyrelu.kernels import tables as T

ROOT = Path(__file__).resolve().parent.parent
N_NETWORKS = 40
RIGHT, WRONG, SELF_CHECK, CHECKER = "right and accepted", "wrong and accepted", "self-check", "checker"


def network_of_tenths(seed: int) -> Network:
    """Return a network 2-6-6-1 with weights and biases from -0.9 to 0.9."""
    random = np.random.default_rng(seed)
    widths = (2, 6, 6, 1)
    return Network.from_arrays(
        [
            (random.integers(-9, 10, (n, m)) / 10, random.integers(-9, 10, n) / 10)
            for m, n in itertools.pairwise(widths)
        ]
    )


def patterns(seed: int) -> list[str]:
    return sorted(tessellate(network_of_tenths(seed)).pattern_texts())


def what_happens(right: list[list[str]]) -> Counter[str]:
    """Tessellate, prove and check all networks; count who objects."""
    counts: Counter[str] = Counter()
    for seed, expected in enumerate(right):
        network = network_of_tenths(seed)
        try:
            tessellation = tessellate(network)
            check_certificate(certify(tessellation), network)
        except (InternalError, ZeroDivisionError):
            counts[SELF_CHECK] += 1
        except CertificateError:
            counts[CHECKER] += 1
        else:
            counts[RIGHT if sorted(tessellation.pattern_texts()) == expected else WRONG] += 1
    return counts


@pytest.fixture(scope="module")
def right() -> list[list[str]]:
    return [patterns(seed) for seed in range(N_NETWORKS)]


def test_without_a_fault_all_is_right(right):
    assert what_happens(right) == {RIGHT: N_NETWORKS}
    exact = tessellate(network_of_tenths(2), method=enumerate_brute)
    assert sorted(exact.pattern_texts()) == right[2]


def test_bounds_of_zero_are_found(right, monkeypatch):
    """Every float sign then counts as certain."""
    filled = network_tables.layer_bounds

    def without_rounding(layer, norms, floats):
        filled(layer, norms, floats)
        floats[T.GAMMA] = floats[T.SPECTRAL] = 0.0

    monkeypatch.setattr(network_tables, "layer_bounds", without_rounding)
    counts = what_happens(right)
    assert counts[WRONG] == 0
    assert counts[SELF_CHECK] + counts[CHECKER] > 0


@pytest.mark.parametrize("exponent", [52, 80])
def test_a_gap_that_is_too_wide_is_found(right, monkeypatch, exponent):
    """Small values then count as zeros. The cells still fit together, so that only the checker can tell."""
    filled = network_tables.set_lattices

    def too_wide(network, floats):
        filled(network, floats)
        floats[:, T.LATTICE] *= 2.0**exponent

    monkeypatch.setattr(network_tables, "set_lattices", too_wide)
    counts = what_happens(right)
    assert counts[WRONG] == 0
    assert counts[CHECKER] > 0


@pytest.mark.parametrize(
    ("line", "planted"),
    [
        ("    value = ax + by + c\n", "    value = ax - by + c\n"),
        ("            + norm * bounds[level, T.RHO, 2]\n", "            - norm * bounds[level, T.RHO, 2]\n"),
    ],
    ids=["sign of a value", "sign of a bound"],
)
def test_a_sign_in_a_kernel_is_found(right, tmp_path, line, planted):
    """Change one sign in a copy of the package, compile it, and see who objects."""
    shutil.copytree(ROOT / "polyrelu", tmp_path / "polyrelu", ignore=shutil.ignore_patterns("__pycache__"))
    kernel = tmp_path / "polyrelu" / "kernels" / "predicates.py"
    source = kernel.read_text(encoding="utf-8")
    assert source.count(line) == 1
    kernel.write_text(source.replace(line, planted), encoding="utf-8")
    shutil.copy(__file__, tmp_path / "planted.py")
    (tmp_path / "right.json").write_text(json.dumps(right))
    done = subprocess.run(
        [sys.executable, "planted.py"], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["package"] == str(tmp_path / "polyrelu" / "__init__.py")
    counts = Counter(answer["counts"])
    assert counts[WRONG] == 0
    assert counts[SELF_CHECK] + counts[CHECKER] > 0


if __name__ == "__main__":
    import polyrelu

    found = what_happens(json.loads(Path("right.json").read_text()))
    print(json.dumps({"package": polyrelu.__file__, "counts": found}))
