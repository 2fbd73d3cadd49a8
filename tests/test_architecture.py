# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The structure of the package: imports point down, files stay short, and imports stay light."""

from __future__ import annotations

import ast
import pkgutil
import statistics
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicom_files import write_slice
from pydicom.uid import RLELossless

import monai_srgan

PACKAGE = Path(monai_srgan.__file__).parent

# From bottom to top: a module imports from its own room and from rooms below it.
LAYERS = (
    ("_renamed", "errors", "json_text", "settings"),
    ("flags", "precision", "processes", "root_cause"),
    ("files",),
    ("physics", "networks", "optimizers", "phantoms"),
    ("estimation",),
    ("data", "losses", "metrics"),
    ("uncertainty",),
    ("transforms", "scores"),
    ("inferers",),
    ("apps", "bundling", "engines"),
    ("report",),
    ("handlers",),
    ("cli",),
    ("__main__",),
)
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
FILES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    """Rooms of this package that a file imports from, at any nesting level of its code."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module] if node.module != "monai_srgan" else [f"monai_srgan.{a.name}" for a in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {name.split(".")[1] for name in names if name.startswith("monai_srgan.")}
    return found & LEVEL.keys()  # not __version__


def test_every_room_has_a_place_in_the_layers() -> None:
    assert {room(path) for path in FILES} - {"__init__"} == set(LEVEL)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    own = room(path)
    if own == "__init__":
        return
    upward = {other for other in imported_rooms(path) if other != own and LEVEL[other] >= LEVEL[own]}
    assert not upward, f"{path.relative_to(PACKAGE)} imports {sorted(upward)}, which lie on its own level or above"


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in FILES}


def imported_modules(path: Path) -> set[str]:
    """Modules of this package that a file imports at module level."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            submodules = {f"{node.module}.{alias.name}" for alias in node.names} & MODULES.keys()
            found |= submodules or {node.module}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & MODULES.keys()


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Nodes of a circle in a graph; empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}}) == []
    assert sorted(set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}))) == ["a", "b", "c"]


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle({name: imported_modules(path) for name, path in MODULES.items()}) == []


def lengths() -> dict[str, int]:
    return {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in MODULES.items()}


def test_no_file_is_above_400_lines() -> None:
    tests = Path(__file__).parent
    found = {str(p.relative_to(tests)): len(p.read_text(encoding="utf-8").splitlines()) for p in tests.rglob("*.py")}
    assert {name: n for name, n in (lengths() | found).items() if n > 400} == {}


def test_files_are_short() -> None:
    median = statistics.median(n for name, n in lengths().items() if MODULES[name].name != "__init__.py")
    assert median <= 130, f"the median file has {median:g} lines"


@pytest.mark.parametrize("name", sorted(module.name for module in pkgutil.iter_modules([str(PACKAGE)]) if module.ispkg))
def test_every_room_says_in_one_line_what_it_is_for(name: str) -> None:
    docstring = ast.get_docstring(ast.parse((PACKAGE / name / "__init__.py").read_text(encoding="utf-8")))
    assert docstring
    assert len(docstring.splitlines()[0]) > 20


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def test_subpackages_load_on_first_use() -> None:
    before, after = run(
        "import sys, monai_srgan; print('torch' in sys.modules); "
        "print(monai_srgan.networks.SRResNet.__name__, 'monai_srgan.report' in sys.modules)"
    ).splitlines()
    assert (before, after) == ("False", "SRResNet False")


def test_data_needs_no_itk_before_a_compressed_dicom_file_is_read(tmp_path: Path) -> None:
    rows = np.arange(40, dtype=np.uint16).reshape(5, 8)
    plain, compressed = (write_slice(tmp_path / name, rows) for name in ("plain.dcm", "compressed.dcm"))
    data = pydicom.dcmread(compressed)
    data.compress(RLELossless)
    data.save_as(compressed)
    # MONAI does without ITK too; a module that is None in sys.modules cannot be imported
    message = run(
        "import sys; sys.modules['itk'] = None\n"
        "import monai_srgan.data, monai_srgan.transforms\n"
        "reader = monai_srgan.data.DicomReader()\n"
        "monai_srgan.transforms.LoadInputd(keys='image')\n"
        f"reader.read({str(plain)!r})\n"
        f"try: reader.read({str(compressed)!r})\n"
        "except ImportError as error: print(error)"
    )
    assert "itk" in message
