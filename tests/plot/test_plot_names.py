"""What `polyrelu.plot` offers: every public function that draws, each loaded when it is first used."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from polyrelu import plot

FOLDER = Path(plot.__file__).parent
# `polyrelu demo` draws it.
INNER = {"demo"}


def drawing_functions() -> dict[str, str]:
    """Return the functions of the package's modules that draw for users: name to module."""
    found = {}
    for file in FOLDER.glob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        found.update({name: file.stem for name in names if name.startswith(("plot_", "draw_"))})
    return {name: module for name, module in found.items() if module not in INNER}


def test_every_function_that_draws_is_offered():
    assert set(drawing_functions()) <= set(plot.__all__)
    assert plot.__all__ == sorted(plot.__all__) == dir(plot)
    for name, module in drawing_functions().items():
        assert getattr(plot, name).__module__ == f"polyrelu.plot.{module}"


def test_other_names_are_refused():
    with pytest.raises(AttributeError, match=r"'polyrelu\.plot' has no attribute 'plot_nothing'"):
        _ = plot.plot_nothing


def test_names_load_no_more_than_they_need():
    code = (
        "import json, sys; from polyrelu import plot; plot.plot_regions; "
        "print(json.dumps([m for m in sys.modules if m.startswith(('matplotlib', 'polyrelu.analysis.data', 'torch'))]))"
    )
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert json.loads(printed) == []
