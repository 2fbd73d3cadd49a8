# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The tutorial runs from top to bottom, and the copy in the repository has been run and has pictures."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "docs" / "tutorial.ipynb"


def outputs(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def pictures(notebook: nbformat.NotebookNode) -> int:
    return sum("image/png" in output.get("data", {}) for output in outputs(notebook))


def mean_psnr(notebook: nbformat.NotebookNode) -> dict[str, list[float]]:
    (table,) = (out.text for out in outputs(notebook) if out.get("name") == "stdout" and "PSNR in dB" in out.text)
    return {line.split()[0]: [float(v) for v in line.split()[-2:]] for line in table.splitlines()[1:]}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # from the Jupyter kernel
def test_the_tutorial_runs_and_its_network_beats_interpolation(tmp_path: Path) -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert [out for out in outputs(notebook) if out.output_type == "error"] == []
    assert pictures(notebook) == 4
    scores = mean_psnr(notebook)
    assert list(scores) == ["whole", "inside", "outside", "head", "rim"]
    assert all(network > bicubic for bicubic, network in scores.values())
    assert list(tmp_path.iterdir()) == []  # the notebook writes only to its own temporary folder


def test_the_shipped_copy_has_been_run_and_is_small() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert pictures(notebook) == 4
    assert all(network > bicubic for bicubic, network in mean_psnr(notebook).values())
    assert NOTEBOOK.stat().st_size < 1_500_000
    assert "/root" not in NOTEBOOK.read_text(encoding="utf-8")
