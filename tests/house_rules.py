"""The rules of the house, as functions that read source files.

Each ``find_*_violations(root)`` takes the package folder and returns one line per violation,
``"region/lp.py:12: what is wrong"``, in the order of the files; an empty list means that the rule holds. They parse
the files and never import them. `test_house_rules` applies each to ``polyrelu`` and to a planted violation.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

LAYERS = (
    "errors", "exact", "network", "certificate", "kernels", "region",
    "enumeration", "tessellation", "analysis", "plot", "cli",
)  # fmt: skip
"""The layers from the bottom up; a module imports from its own layer and from those before it."""

ON_TOP = ("__init__.py", "__main__.py", "testing")
"""Files and a folder beside the layers that may import from all of them, and that no layer imports."""

TOLERANCE_WORDS = frozenset(
    ("tol", "tols", "tolerance", "tolerances", "atol", "rtol", "eps", "epsilon", "isclose", "allclose")
)
SMALLEST_LITERAL = 1e-5
FLOAT_LAYERS = ("kernels", "plot")
"""Where floats with a proven bound, or for the eye only, are at home."""

UNSAFE_MODULES = frozenset(("pickle", "cPickle", "_pickle", "dill", "cloudpickle", "marshal", "shelve"))
MAX_LINES = 400


def find_import_violations(root: Path) -> list[str]:
    """Return the imports that point up, or to no layer, and each import of numba outside ``kernels``."""
    found = []
    for path, tree in parsed_files(root):
        layer = layer_of(path, root)
        if layer is None and path.relative_to(root).parts[0] not in ON_TOP:
            found.append(f"{place(path, root)}: stands in no layer; the layers are {', '.join(LAYERS)}")
            continue
        for line, target in imported_names(tree, path, root):
            where = f"{place(path, root)}:{line}"
            if target.split(".")[0] == "numba" and layer != "kernels":
                found.append(f"{where}: imports numba outside kernels")
            if layer is None or target.split(".")[0] != root.name:
                continue
            other = target.partition(".")[2].partition(".")[0]
            if other == "__version__":
                continue  # a constant of the package itself
            if other not in LAYERS:
                found.append(f"{where}: imports {target}, which stands above all layers")
            elif LAYERS.index(other) > LAYERS.index(layer):
                found.append(f"{where}: {layer} imports {target} from the higher layer {other}")
    return found


def find_tolerance_violations(root: Path) -> list[str]:
    """Return the names and numbers by which a tolerance could enter a decision, outside ``kernels`` and ``plot``."""

    def check(node: ast.AST) -> str | None:
        for name in names_in(node):
            if TOLERANCE_WORDS & set(name.lower().split("_")):
                return f"the name {name!r} is that of a tolerance"
        value = constant_value(node)
        if value is not None and 0 < abs(value) < SMALLEST_LITERAL:
            return f"the number {ast.unparse(node)} is small enough for a tolerance"
        return None

    return find_nodes(root, check, exempt=FLOAT_LAYERS)


def find_except_violations(root: Path) -> list[str]:
    """Return the handlers that catch everything: ``except:``, ``except Exception``, ``except BaseException``."""

    def check(node: ast.AST) -> str | None:
        if not isinstance(node, ast.ExceptHandler):
            return None
        if node.type is None:
            return "a bare except catches everything"
        for kind in node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]:
            if ast.unparse(kind).split(".")[-1] in ("Exception", "BaseException"):
                return f"except {ast.unparse(node.type)} catches everything"
        return None

    return find_nodes(root, check)


def find_print_violations(root: Path) -> list[str]:
    """Return the uses of ``print`` outside ``cli.py``."""

    def check(node: ast.AST) -> str | None:
        return "print outside cli.py" if isinstance(node, ast.Name) and node.id == "print" else None

    return find_nodes(root, check, exempt=("cli",))


def find_unsafe_violations(root: Path) -> list[str]:
    """Return the code that could run what a file says: pickle, eval, exec, and loads that allow pickles."""

    def check(node: ast.AST) -> str | None:
        for module in imports_in(node):
            if module.split(".")[0] in UNSAFE_MODULES:
                return f"imports {module}"
        if isinstance(node, ast.Name) and node.id in ("eval", "exec", "__import__"):
            return f"uses {node.id}"
        if isinstance(node, ast.ImportFrom) and node.module in ("numpy", "torch"):
            return next((f"imports {node.module}.load by name" for a in node.names if a.name == "load"), None)
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in ("np.load", "numpy.load") and not has_keyword(node, "allow_pickle", False):
                return f"{called} without allow_pickle=False"
            if called == "torch.load" and not has_keyword(node, "weights_only", True):
                return "torch.load without weights_only=True"
        return None

    return find_nodes(root, check)


def find_environment_violations(root: Path) -> list[str]:
    """Return the places that read or write environment variables."""
    readers = ("environ", "environb", "getenv", "getenvb", "putenv", "unsetenv")

    def check(node: ast.AST) -> str | None:
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            return next((f"imports os.{a.name}" for a in node.names if a.name in readers), None)
        if isinstance(node, ast.Attribute) and node.attr in readers and ast.unparse(node.value) == "os":
            return f"uses os.{node.attr}"
        return None

    return find_nodes(root, check)


def find_length_violations(root: Path) -> list[str]:
    """Return the files of more than `MAX_LINES` lines."""
    found = []
    for path in source_files(root):
        n_lines = len(path.read_text(encoding="utf-8").splitlines())
        if n_lines > MAX_LINES:
            found.append(f"{place(path, root)}: {n_lines} lines; at most {MAX_LINES} are allowed")
    return found


def find_package_violations(root: Path) -> list[str]:
    """Return the folders with Python files and no ``__init__.py``: an installation would leave them out."""
    folders = sorted({path.parent for path in source_files(root)})
    return [f"{place(f, root)}: has no __init__.py" for f in folders if not (f / "__init__.py").exists()]


def find_nodes(root: Path, check: Callable[[ast.AST], str | None], exempt: tuple[str, ...] = ()) -> list[str]:
    """Return what `check` says of each syntax node of each file, layers in `exempt` left out, sorted by line."""
    found = []
    for path, tree in parsed_files(root):
        if layer_of(path, root) in exempt:
            continue
        hits = {(getattr(node, "lineno", 0), what) for node in ast.walk(tree) if (what := check(node)) is not None}
        found += [f"{place(path, root)}:{line}: {what}" for line, what in sorted(hits)]
    return found


def source_files(root: Path) -> list[Path]:
    return sorted(root.rglob("*.py"))


def parsed_files(root: Path) -> Iterator[tuple[Path, ast.Module]]:
    for path in source_files(root):
        yield path, ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def place(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()


def layer_of(path: Path, root: Path) -> str | None:
    """Return the layer a file belongs to: its top folder, or its own name where it stands beside the folders."""
    name = path.relative_to(root).parts[0].removesuffix(".py")
    return name if name in LAYERS else None


def imported_names(tree: ast.Module, path: Path, root: Path) -> Iterator[tuple[int, str]]:
    """Yield line and absolute dotted name of every import, those inside functions and by string included."""
    package = [root.name, *path.relative_to(root).parts[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            # `from polyrelu import exact` names a layer; `from polyrelu.exact import x` does so already.
            for alias in node.names:
                yield node.lineno, f"{module}.{alias.name}" if module == root.name else module
        else:
            for name in imports_in(node):
                yield node.lineno, name


def imports_in(node: ast.AST) -> list[str]:
    """Return the modules that one node imports by an absolute name."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module] if node.module and not node.level else []
    if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "import_module" and node.args:
        target = node.args[0]
        return [target.value] if isinstance(target, ast.Constant) and isinstance(target.value, str) else []
    return []


def names_in(node: ast.AST) -> list[str]:
    """Return the identifiers that one node introduces or uses, those of its children left out."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
            return [name]
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.keyword(arg=str(name)):
            return [name]
        case ast.alias(name=name, asname=asname):
            return [*name.split("."), *([asname] if asname else [])]
    return []


def constant_value(node: ast.AST) -> float | None:
    """Return the value of a number, or of a quotient or power of numbers (``10**-9``), else None."""
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = constant_value(operand)
            return None if value is None else -value
        case ast.BinOp(left=left, op=ast.Pow() | ast.Div() as op, right=right):
            a, b = constant_value(left), constant_value(right)
            if a is None or b is None:
                return None
            try:
                value = float(a) ** float(b) if isinstance(op, ast.Pow) else a / b
            except (ArithmeticError, ValueError):
                return None
            return value if isinstance(value, float) else None
    return None


def has_keyword(call: ast.Call, name: str, value: object) -> bool:
    return any(k.arg == name and isinstance(k.value, ast.Constant) and k.value.value is value for k in call.keywords)
