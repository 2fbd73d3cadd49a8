# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""ONNX by MONAI's exporter, as the documentation has it, run by another runtime."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from monai_srgan.networks import SRResNet

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "how-to" / "export.md"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the bundle in which the page's command was given."""
    bundle = tmp_path_factory.mktemp("onnx") / "bundle"
    shutil.copytree(ROOT / "bundle", bundle, ignore=shutil.ignore_patterns("eval", "data"))
    text = PAGE.read_text(encoding="utf-8")
    (block,) = re.findall(r"^```bash\n(python -m monai\.bundle onnx_export.*?)^```", text, flags=re.M | re.S)
    command = shlex.split(block.replace("\\\n", " "))
    done = subprocess.run([sys.executable, *command[1:]], cwd=bundle, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return bundle


def test_the_exported_network_takes_any_size_and_gives_the_same_values(
    exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(exported)
    (block,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.M | re.S)
    names: dict[str, Any] = {}
    exec(compile(block, str(PAGE), "exec"), names)
    assert names["sr"].shape == (1, 1, 132, 244)
    session = names["session"]
    network = SRResNet(norm=None, global_residual="bicubic", condition=36).eval()
    network.load_state_dict(torch.load(exported / "models" / "model.pt", weights_only=True))
    assert [entry.name for entry in (*session.get_inputs(), *session.get_outputs())] == ["image", "pred"]
    for shape in ((1, 1, 40, 48), (2, 1, 33, 61), (1, 1, 128, 96)):
        lr = torch.rand(shape, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            expected = network(lr).numpy()
        (found,) = session.run(None, {"image": lr.numpy()})
        np.testing.assert_allclose(found, expected, atol=1e-4, rtol=0)
