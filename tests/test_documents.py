"""README, documentation and notebooks: their examples run, their links lead somewhere, their lists are complete."""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import matplotlib
import pytest
from matplotlib import pyplot

import polyrelu
from polyrelu import plot
from polyrelu.cli import COMMANDS, main

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("notebooks/*.md")])
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
SOURCES = (".py", ".md", ".ipynb", ".toml", ".cff", ".txt", ".json")


class Block(NamedTuple):
    """A fenced block of a page: its language, its text, and the line it starts on."""

    language: str
    text: str
    line: int


def blocks_of(text: str) -> list[Block]:
    """Return the fenced blocks of a page in their order."""
    found = []
    for match in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        found.append(Block(match[1], match[2], text.count("\n", 0, match.start()) + 2))
    return found


def prose_of(text: str) -> str:
    """Return a page without fenced blocks and code in a line."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# Examples -----------------------------------------------------------------------------------------------------


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """Return a folder in which the paths of a clone's data lead to the data, as the current folder."""
    shutil.copytree(ROOT / "polyrelu" / "data", tmp_path / "polyrelu" / "data")
    monkeypatch.chdir(tmp_path)
    matplotlib.use("Agg")
    yield tmp_path
    pyplot.close("all")


def run_page(text: str, name: str) -> list[str]:
    """Run the examples of a page in their order, in the current folder; return what failed.

    Blocks of Python share one namespace; ``>>>`` examples are compared. Shell blocks run line by line
    (`run_line`), and a block of plain text behind one is what it prints.
    """
    namespace: dict[str, object] = {}
    failures: list[str] = []
    printed = None
    for block in blocks_of(text):
        if block.language in ("python", "pycon"):
            failures += run_python(block, name, namespace)
        elif block.language == "sh":
            outputs = [run_line(line, f"{name}:{block.line + i}") for i, line in enumerate(block.text.splitlines())]
            failures += [failure for _, failure in outputs if failure]
            printed = "".join(output for output, _ in outputs)
            continue
        elif (
            block.language == "text"
            and printed is not None
            and not doctest.OutputChecker().check_output(block.text, printed, OPTIONS)
        ):
            failures.append(f"{name}:{block.line}: expected\n{block.text}but the command printed\n{printed}")
        printed = None
    return failures


def run_python(block: Block, name: str, namespace: dict[str, object]) -> list[str]:
    if ">>>" not in block.text:
        try:
            exec(compile(block.text, f"{name}:{block.line}", "exec"), namespace)  # noqa: S102 - the examples of this repository
        except Exception as error:  # noqa: BLE001 - whatever an example raises is its failure
            return [f"{name}:{block.line}: {type(error).__name__}: {error}"]
        return []
    example = doctest.DocTestParser().get_doctest(block.text, namespace, name, name, block.line - 1)
    runner, report = doctest.DocTestRunner(optionflags=OPTIONS), io.StringIO()
    runner.run(example, out=report.write, clear_globs=False)
    namespace.update(example.globs)
    return [report.getvalue()] if runner.failures else []


def run_line(line: str, place: str) -> tuple[str, str]:
    """Run one line of a shell block; return what it printed and why it failed, "" if it did not.

    ``polyrelu …`` runs in this process, ``echo … > file`` writes the file; of ``make`` and ``pip install`` only the
    targets and extras are checked.
    """
    words = shlex.split(line, comments=True)
    match words:
        case []:
            return "", ""
        case ["polyrelu", *arguments]:
            output, errors = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
                code = main(arguments)
            return output.getvalue(), f"{place}: {line}: exit code {code}, {errors.getvalue()}" if code else ""
        case ["echo", text, ">", path]:
            Path(path).write_text(f"{text}\n", encoding="utf-8")
            return "", ""
        case ["make", *targets]:
            known = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
            strangers = {target for target in targets if "=" not in target} - set(known)
            return "", f"{place}: the Makefile has no target {sorted(strangers)}" if strangers else ""
        case ["pip", "install", *_]:
            extras = {extra for part in re.findall(r"\[([\w,]+)\]", line) for extra in part.split(",")}
            strangers = extras - set(project()["optional-dependencies"])
            return "", f"{place}: pyproject.toml has no extra {sorted(strangers)}" if strangers else ""
    return "", f"{place}: the test cannot run {line!r}"


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_examples_run(page, clone):
    assert run_page(page.read_text(encoding="utf-8"), name_of(page)) == []


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("```pycon\n>>> 1 + 1\n3\n```", "Expected"),
        ("```python\nx = 1\n```\n\n```pycon\n>>> y\n1\n```", "NameError"),
        ("```python\n1 / 0\n```", "p:2: ZeroDivisionError"),
        ("```sh\npolyrelu tessellate nothing.npz\n```", "p:2: polyrelu tessellate nothing.npz: exit code 2"),
        ("```sh\npolyrelu --version\n```\n\n```text\npolyrelu 0.0\n```", "p:6: expected"),
        ("```sh\nmake coffee\n```", "no target ['coffee']"),
        ("```sh\npip install '.[torch,tea]'\n```", "no extra ['tea']"),
        ("```sh\nrm -r x\n```", "cannot run"),
    ],
)
def test_examples_that_fail_are_reported(block, expected, clone):
    [failure] = run_page(f"{block}\n", "p")
    assert expected in failure


def test_examples_of_a_page_share_names_and_files(clone):
    blocks = ["python\nx = 1", "pycon\n>>> y = x", "pycon\n>>> y\n1", "sh\necho 'a b' > c"]
    assert run_page("".join(f"```{block}\n```\n\n" for block in blocks), "p") == []
    assert (clone / "c").read_text() == "a b\n"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_notebooks_run(path, tmp_path):
    nbformat = pytest.importorskip("nbformat", reason="the extra `notebook` is not installed")
    nbclient = pytest.importorskip("nbclient", reason="the extra `notebook` is not installed")
    pytest.importorskip("ipykernel", reason="the extra `notebook` is not installed")
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(book, timeout=600, kernel_name="python3", resources=resources).execute()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_notebooks_are_stored_without_outputs(path):
    nbformat = pytest.importorskip("nbformat", reason="the extra `notebook` is not installed")
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert cells
    assert [cell.source for cell in cells if cell.outputs or cell.execution_count] == []


# Links --------------------------------------------------------------------------------------------------------


def find_broken_links(text: str, folder: Path) -> list[str]:
    """Return the links of a page, and the paths it names in code, that lead to no file or heading."""
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, heading = target.partition("#")
        file = folder / path
        page = text if not path else file.read_text(encoding="utf-8") if file.suffix == ".md" and file.exists() else ""
        if not file.exists() or (heading and heading not in headings_of(page)):
            broken.append(target)
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    for name in re.findall(r"`((?:[\w.-]+/)+(?:[\w-]+\.\w+)?)`", prose):
        if not any((base / name).exists() for base in (ROOT, ROOT / "polyrelu", folder)):
            broken.append(name)
    return broken


def headings_of(text: str) -> set[str]:
    """Return the anchors of a page's headings as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS], ids=name_of)
def test_links_lead_somewhere(page):
    assert find_broken_links(page.read_text(encoding="utf-8"), page.parent) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](docs/nowhere.md)", "docs/nowhere.md"),
        ("![a](docs/images/nothing.png)", "docs/images/nothing.png"),
        ("[a](README.md#no-such-heading)", "README.md#no-such-heading"),
        ("# A\n\n[a](#b)", "#b"),
        ("see `exact/nothing.py`", "exact/nothing.py"),
    ],
)
def test_broken_links_are_reported(text, expected):
    assert find_broken_links(text, ROOT) == [expected]


def test_good_links_are_not_reported():
    text = "# A b\n\n[a](#a-b) [c](README.md#a-tour) [d](https://example.org) `exact/domain.py` `tests/data/`"
    assert find_broken_links(text, ROOT) == []


# Words --------------------------------------------------------------------------------------------------------

STRANGE_WORDS = re.compile(r"\b(sessions?|helpers?|issue\s*#|pull request)", re.IGNORECASE)
"""The repository speaks of the project alone."""

# In parts, so that this file does not contain what it looks for.
PLACES = (
    r"(?<![\w./-])/" + "(?:work|root|home)/",
    "/tmp/" + r"(?:lab|v|bash)\b",
    "pypi" + r"\.org",
    "python" + "hosted",
)
STRANGE_PLACES = re.compile("|".join(PLACES))
"""Paths of one machine, and hosts of registries."""


def find_strange_words(text: str) -> list[str]:
    return [match[0] for match in STRANGE_WORDS.finditer(prose_of(text))]


def find_strange_places(text: str) -> list[str]:
    return [match[0] for match in STRANGE_PLACES.finditer(text)]


def sources() -> Iterator[Path]:
    """Yield the text files of the repository that people write."""
    yield from (ROOT / name for name in ("Makefile", ".ci/run", ".gitignore"))
    for folder in (ROOT, *(ROOT / name for name in ("polyrelu", "tests", "docs", "notebooks", "benchmarks", "tools"))):
        pattern = "*" if folder == ROOT else "**/*"
        yield from (path for path in sorted(folder.glob(pattern)) if path.suffix in SOURCES and path.is_file())


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS], ids=name_of)
def test_documents_speak_of_the_project_alone(page):
    assert find_strange_words(page.read_text(encoding="utf-8")) == []


def test_no_file_names_a_machine():
    found = {name_of(path): find_strange_places(path.read_text(encoding="utf-8")) for path in sources()}
    assert len(found) > 50
    assert {name: places for name, places in found.items() if places} == {}


@pytest.mark.parametrize("text", ["in this session", "a helper wrote", "see issue #3"])
def test_strange_words_are_reported(text):
    assert len(find_strange_words(text)) == 1
    assert find_strange_words(f"`{text}` and a lesson") == []


@pytest.mark.parametrize("text", ["see /" + "work/x", "(/" + "root/y)", "/tmp/" + "lab/z", "https://pypi" + ".org"])
def test_strange_places_are_reported(text):
    assert len(find_strange_places(text)) == 1
    assert find_strange_places("frame/work/x, network/model.py, /tmp/x, polyrelu-demo") == []


# Lists --------------------------------------------------------------------------------------------------------


def listed(page: str, label: str) -> set[str]:
    """Return the names in code between two marks of a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    [part] = re.findall(rf"<!-- {label} -->\n(.*?)\n<!-- end -->", text, re.DOTALL)
    return set(re.findall(r"`([^`]+)`", part))


def test_all_operations_are_listed():
    from polyrelu.network.onnx_movements import MOVEMENTS
    from polyrelu.network.onnx_operations import HANDLERS
    from polyrelu.network.torch_functions import FUNCTIONS
    from polyrelu.network.torch_modules import MODULES

    inner = {"getattr", "getitem", "identity", "truediv"}  # what torch.fx calls them
    functions = {name for name in FUNCTIONS if not name.startswith("_")} - inner
    assert listed("docs/models.md", "onnx operations") == {*HANDLERS, *MOVEMENTS}
    assert listed("docs/models.md", "torch modules") == set(MODULES)
    assert listed("docs/models.md", "torch functions") == functions


def test_all_options_are_listed():
    import argparse

    text = (ROOT / "docs" / "command_line.md").read_text(encoding="utf-8")
    missing = []
    for command in COMMANDS:
        parser = argparse.ArgumentParser()
        command.add_arguments(parser)
        options = {option for action in parser._actions for option in action.option_strings} - {"-h", "--help"}
        missing += [option for option in options if f"`{option}" not in text]
        missing += [command.name] if f"## polyrelu {command.name}" not in text else []
    assert missing == []
    known = {o for c in COMMANDS for o in re.findall(r"(--[a-z][\w-]*)", _help_of(c))}
    assert set(re.findall(r"`(--[a-z][\w-]*)", text)) <= known | {"--help"}


def _help_of(command) -> str:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        assert main([command.name, "--help"]) == 0
    return output.getvalue()


def test_all_public_names_are_mentioned():
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    names = [name for name in polyrelu.__all__ if not name.startswith("__")]
    assert [name for name in names if not re.search(rf"\b{name}\b", text)] == []


def test_all_pictures_are_listed():
    text = (ROOT / "docs" / "pictures.md").read_text(encoding="utf-8")
    assert [name for name in plot.__all__ if f"`{name}`" not in text and f"`plot.{name}`" not in text] == []
    assert set(re.findall(r"`((?:plot|draw)_\w+)`", text)) <= set(plot.__all__)


def test_all_extras_are_listed():
    table = (ROOT / "README.md").read_text(encoding="utf-8").split("## Install")[1].split("## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(project()["optional-dependencies"])


def test_sizes_of_trusted_files_are_no_smaller_than_stated():
    """Each row of the table names files and the most lines they have together."""
    text = (ROOT / "docs" / "exactness.md").read_text(encoding="utf-8").split("## What you have to trust")[1]
    rows = re.findall(r"^\| [^|]+ \| (`[^|]+) \| (\d+) \|$", text, re.MULTILINE)
    assert len(rows) >= 5
    for names, stated in rows:
        paths = [ROOT / "polyrelu" / name for name in re.findall(r"`([^`]+)`", names)]
        files = [file for path in paths for file in (sorted(path.glob("*.py")) if path.is_dir() else [path])]
        lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)
        assert 0.6 * int(stated) <= lines <= int(stated), f"{names}: {lines} lines, but the table says {stated}"


def test_picture_is_shown():
    assert (ROOT / "docs" / "images" / "iris_petals.png").read_bytes().startswith(b"\x89PNG")
    assert "docs/images/iris_petals.png" in (ROOT / "README.md").read_text(encoding="utf-8")
