# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""ONNX by MONAI's exporter, run by another runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from monai.bundle import onnx_export

from monai_srgan.networks import SRResNet

BUNDLE = Path(__file__).parents[1] / "bundle"
CONVERTER = {
    "input_names": ["image"],
    "output_names": ["pred"],
    "dynamic_axes": {
        "image": {0: "batch", 2: "height", 3: "width"},
        "pred": {0: "batch", 2: "sr_height", 3: "sr_width"},
    },
}


@pytest.mark.filterwarnings("ignore:# 'dynamic_axes' is not recommended:UserWarning")  # what MONAI's exporter takes
@pytest.mark.filterwarnings("ignore:.*LeafSpec.* is deprecated:FutureWarning")  # in torch's own exporter
@pytest.mark.filterwarnings("ignore:.*LeafSpec.* is deprecated:DeprecationWarning")
def test_the_exported_network_takes_any_size_and_gives_the_same_values(tmp_path: Path) -> None:
    target, weights = tmp_path / "model.onnx", BUNDLE / "models" / "model.pt"
    onnx_export(
        net_id="network_def",
        filepath=str(target),
        ckpt_file=str(weights),
        meta_file=str(BUNDLE / "configs" / "metadata.json"),
        config_file=str(BUNDLE / "configs" / "inference.json"),
        input_shape=[1, 1, 40, 48],
        use_trace=True,
        converter_kwargs=CONVERTER,
    )
    network = SRResNet(norm=None, global_residual="bicubic").eval()
    network.load_state_dict(torch.load(weights, weights_only=True))
    session = onnxruntime.InferenceSession(target, providers=["CPUExecutionProvider"])
    assert [entry.name for entry in (*session.get_inputs(), *session.get_outputs())] == ["image", "pred"]
    for shape in ((1, 1, 40, 48), (2, 1, 33, 61), (1, 1, 128, 96)):
        lr = torch.rand(shape, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            expected = network(lr).numpy()
        (found,) = session.run(None, {"image": lr.numpy()})
        np.testing.assert_allclose(found, expected, atol=1e-4, rtol=0)
