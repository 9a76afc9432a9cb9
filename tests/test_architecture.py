"""The rules of the tree, read from the sources: who may import whom, who may touch what."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from functools import cache
from typing import NamedTuple

import pytest

from sources import PROJECT, package_files, project_files

LONGEST_FILE = 400

CORE = ("errors", "ir", "eras", "passes")
ENDS = (*CORE, "reference", "importers", "exporters")
MAY_IMPORT = {
    "": (
        "api", "comparison", "display", "errors", "ir", "loading", "options", "verification",
        "version",
    ),
    "__main__": ("cli",),
    "errors": (),
    "isolate": ("errors",),
    "version": (),
    "ir": ("errors",),
    "eras": ("errors", "ir"),
    "passes": ("errors", "ir"),
    "reference": ("errors", "ir"),
    "importers": (*CORE, "isolate"),
    "exporters": (*CORE, "version"),
    "testing": (*CORE, "reference"),
    "plugin": ENDS,
    "targets": ("errors", "ir", "passes"),
    "arrays": ("errors", "ir", "exporters"),
    "loading": (*CORE, "importers", "plugin"),
    "engines": (*CORE, "reference", "loading"),
    "verification": (*CORE, "reference", "arrays", "engines", "loading"),
    "inspection": (*CORE, "importers", "loading"),
    "comparison": (*CORE, "inspection", "loading", "verification"),
    "account": (*CORE, "api", "changes", "inspection", "version"),
    "batch": (
        *CORE, "account", "api", "arrays", "isolate", "pages", "targets", "version",
    ),
    "catalogue": (*ENDS, "plugin"),
    "display": ("ir", "api", "cli", "inspection", "pages", "verification"),
    "pages": ("errors", "eras", "version"),
    "changes": (*CORE, "targets"),
    "options": ("errors",),
    "exporting": (*CORE, "exporters", "options", "targets"),
    "api": (
        *ENDS, "isolate", "loading", "options", "exporting", "targets", "changes", "verification",
        "",
    ),
    "cli": (
        *CORE, "reference", "", "api", "loading", "isolate", "plugin", "targets", "arrays",
        "account", "batch", "comparison", "engines", "pages",
        "inspection", "verification", "catalogue", "changes",
    ),
}  # fmt: skip
"""Which first-level parts of kerasir each part may import; "" is `kerasir/__init__.py`."""

MOVES_DATA = {
    "transpose", "swapaxes", "moveaxis", "rollaxis", "permute_dims", "matrix_transpose",
    "flip", "fliplr", "flipud", "rot90", "T", "mT",
}  # fmt: skip
MAY_MOVE_DATA = {
    "ir/copyplan.py": "the one place that moves weights",
    "reference/*": "computes what operations mean on activations; it never writes a weight",
}

HEAVY = ("h5py", "onnx", "onnxruntime", "rich", "yaml", "distributed")

FOREIGN = {
    "keras": {},
    "tensorflow": {},
    "tf_keras": {},
    "theano": {},
    "torch": {},
    "pickle": {},
    "marshal": {},
    "shelve": {},
    "ctypes": {},
    "runpy": {},
    "importlib": {
        "plugin.py": "loads the plugins that the user named",
        "__init__.py": "loads kerasir's own modules when they are asked for",
        "importers/keras/layers/__init__.py": "loads kerasir's own families, by a table of them",
        "cli/surroundings.py": "asks for the versions of what is installed",
    },
    "subprocess": {},
    "eval": {},
    "exec": {"plugin.py": "loads the plugins that the user named"},
    "compile": {"plugin.py": "loads the plugins that the user named"},
    "__import__": {},
    "np.load": {"arrays.py": "reads arrays that the user named, and no pickles"},
    "numpy.load": {},
    "np.fromfile": {},
    "numpy.fromfile": {},
}
"""Modules and calls that could run or believe what a file says, and who may use them, and why."""

GATES = {
    "h5py": (
        "importers/keras/gates.py",
        "importers/keras/archive/*",
        "exporters/keras/archive/*",
    ),
    "zipfile": ("importers/keras/archive/keras_zip.py", "exporters/*"),
    "json.load": (),
    "json.loads": ("importers/keras/archive/text.py",),
    "yaml": ("importers/keras/archive/text.py",),
    "msgpack": ("importers/kerasir.py",),
}
"""Parsers of untrusted bytes, and the gates that alone may call them."""

NUMPY_EXPORTERS = (
    "exporters/sink.py",
    "exporters/keras/archive/*",
    "exporters/onnx/writer.py",
    "exporters/kerasir.py",
    "exporters/arrays.py",
)
"""Exporters that hand numbers on; the others only say which layout they want."""


class Offence(NamedTuple):
    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


class Module(NamedTuple):
    """One source file of the package: its path from the root, and its syntax tree."""

    file: str
    tree: ast.Module

    @property
    def part(self) -> str:
        """The first level below the package: `ir`, `errors`; "" for the root's `__init__`."""
        first = self.file.split("/", 1)[0].removesuffix(".py")
        return "" if first == "__init__" else first

    @property
    def package(self) -> tuple[str, ...]:
        """The package that relative imports in this file start from."""
        return ("kerasir", *self.file.split("/")[:-1])

    def matches(self, *patterns: str) -> bool:
        return any(fnmatch(self.file, pattern) for pattern in patterns)


def parsed(file: str, text: str) -> Module:
    return Module(file, ast.parse(text, file))


@cache
def modules() -> list[Module]:
    """Every module of the package."""
    return [parsed(path.as_posix(), (PROJECT / path).read_text()) for path in package_files()]


@cache
def imports(module: Module) -> list[tuple[int, str]]:
    """Line and full dotted name of everything that a module imports."""
    return list(_imports(module))


def _imports(module: Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            keep = len(module.package) - node.level + 1
            base = [*module.package[:keep]] if node.level else []
            base += node.module.split(".") if node.module else []
            yield from ((node.lineno, ".".join([*base, alias.name])) for alias in node.names)


@cache
def names(module: Module) -> list[tuple[int, str]]:
    """Line and dotted text of what a module imports, calls by name, or takes an attribute of."""
    return list(_names(module))


def _names(module: Module) -> Iterator[tuple[int, str]]:
    yield from imports(module)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.lineno, node.func.id
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.lineno, f"{node.value.id}.{node.attr}"


def uses(module: Module, name: str) -> Iterator[tuple[int, str]]:
    """Where a module uses `name` (a module, a call, `module.function`), or something in it."""
    for line, text in names(module):
        if text == name or text.startswith(f"{name}."):
            yield line, text


def import_direction(module: Module) -> Iterator[Offence]:
    allowed = (*MAY_IMPORT.get(module.part, ()), module.part)
    for line, name in imports(module):
        first, _, rest = name.partition(".")
        if first != "kerasir":
            continue
        part = rest.split(".")[0]
        part = part if part in MAY_IMPORT else ""
        if part not in allowed:
            yield Offence(module.file, line, f"{module.part or 'kerasir'} imports {name}")


def data_movement(module: Module) -> Iterator[Offence]:
    if module.matches(*MAY_MOVE_DATA):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr in MOVES_DATA:
            yield Offence(module.file, node.lineno, f"moves data by .{node.attr}")


def foreign_powers(module: Module) -> Iterator[Offence]:
    for name, allowed in FOREIGN.items():
        if not module.matches(*allowed):
            for line, text in uses(module, name):
                yield Offence(module.file, line, f"uses {text}")


def gates(module: Module) -> Iterator[Offence]:
    for name, allowed in GATES.items():
        if not module.matches(*allowed):
            for line, text in uses(module, name):
                yield Offence(module.file, line, f"uses {text}, which belongs to a gate")


def numpy_where_layouts_are_asked_for(module: Module) -> Iterator[Offence]:
    banned = module.part == "exporters" and not module.matches(*NUMPY_EXPORTERS)
    if banned or module.matches("importers/keras/layers/*"):
        for line, text in imports(module):
            if text.split(".")[0] == "numpy":
                yield Offence(module.file, line, "imports numpy: ask for a layout instead")


Rule = Callable[[Module], Iterator[Offence]]
RULES: tuple[Rule, ...] = (
    import_direction,
    data_movement,
    foreign_powers,
    gates,
    numpy_where_layouts_are_asked_for,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_holds_in_every_module(rule: Rule) -> None:
    found = modules()
    assert len(found) > 20
    offences = [str(offence) for module in found for offence in rule(module)]
    assert not offences, "\n".join(offences)


@pytest.mark.parametrize(
    ("rule", "file", "text"),
    [
        (import_direction, "ir/layout.py", "from ..passes import solve"),
        (import_direction, "importers/keras/lift.py", "from ...exporters.sink import Sink"),
        (import_direction, "exporters/onnx/emit.py", "import kerasir.importers.keras"),
        (import_direction, "reference/dense.py", "from ..passes.solve import solve"),
        (import_direction, "passes/solve.py", "from .. import load"),
        (data_movement, "exporters/onnx/ops/dense.py", "def f(x):\n    return x.transpose(1, 0)"),
        (data_movement, "importers/keras/lift.py", "import numpy as np\nnp.flip(x, 0)"),
        (data_movement, "passes/fold.py", "y = x.T"),
        (foreign_powers, "cli/convert.py", "def f():\n    import keras.models"),
        (foreign_powers, "importers/keras/lift.py", "from pickle import loads"),
        (foreign_powers, "importers/keras/lift.py", "value = eval(text)"),
        (foreign_powers, "importers/keras/lift.py", "import numpy as np\nnp.load(path)"),
        (gates, "cli/inspect.py", "import h5py"),
        (gates, "passes/fold.py", "import json\njson.loads(text)"),
        (gates, "ir/layout.py", "from yaml import safe_load"),
        (numpy_where_layouts_are_asked_for, "exporters/onnx/ops/dense.py", "import numpy as np"),
        (numpy_where_layouts_are_asked_for, "importers/keras/layers/dense.py", "import numpy"),
    ],
)
def test_rule_catches_an_offence(rule: Rule, file: str, text: str) -> None:
    assert list(rule(parsed(file, text)))


def test_every_part_has_its_place_in_the_order() -> None:
    assert {module.part for module in modules()} <= MAY_IMPORT.keys()


def test_no_file_is_too_long() -> None:
    """A file that a reader cannot survey hides things."""
    lengths = {path: len((PROJECT / path).read_text().splitlines()) for path in project_files()}
    assert len(lengths) > 20
    long = {str(path): count for path, count in lengths.items() if count > LONGEST_FILE}
    assert not long


def test_importing_everything_loads_nothing_heavy() -> None:
    """Heavy libraries are imported by the functions that use them: `--help` must be instant."""
    dotted = [
        ".".join(("kerasir", *module.file.removesuffix(".py").split("/"))).removesuffix(".__init__")
        for module in modules()
        if module.file != "__main__.py"
    ]
    script = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
    script += f"print(*sorted(set({HEAVY}) & set(sys.modules)))"
    command = [sys.executable, "-W", "error", "-c", script, *dotted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
