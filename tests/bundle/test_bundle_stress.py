# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""bundle/configs/evaluate.json with other degradations: as told, projected and as estimated."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from workflows import small_workflow

from monai_srgan.networks import SRResNet
from monai_srgan.physics import (
    BicubicUpsample,
    GaussianDownsample,
    Measurement,
    estimate_support,
    fourier_resize,
    native_size,
)
from monai_srgan.transforms import MaskAwareDegrade

GAUSSIAN, KSPACE = {"kind": "gaussian", "scale": 4}, {"kind": "kspace", "scale": 4}
RECORDS: dict[str, dict[str, Any]] = {
    "sigma 1.0": {"operator": {**GAUSSIAN, "sigma": 1.0}},
    "sigma 2.0": {"operator": {**GAUSSIAN, "sigma": 2.0}},
    "antialiased bicubic": {"operator": {"kind": "bicubic", "scale": 4}},
    "k-space truncation": {"operator": KSPACE},
    "k-space truncation + 2 % noise": {"operator": KSPACE, "noise_std": 0.02},
    "default + 2 % noise": {"operator": {**GAUSSIAN, "sigma": 1.5}, "noise_std": 0.02},
    "sigma 1.0 x 2.0": {
        "operator": {
            "kind": "per_axis",
            "first": {**GAUSSIAN, "sigma": 1.0},
            "second": {**GAUSSIAN, "sigma": 2.0},
        }
    },
    "k-space, Hamming window": {"operator": {**KSPACE, "taper": 1.0, "pedestal": 0.08}},
    "k-space, ellipse": {"operator": {"kind": "kspace_window", "scale": 4}},
    "k-space, 0.8 x 0.6 of LR filled": {
        "operator": {"kind": "per_axis", "first": {**KSPACE, "support": 0.8}, "second": {**KSPACE, "support": 0.6}}
    },
}
"""The further degradations of the config."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network: bicubic interpolation and a constant, whatever it is told."""
    network = SRResNet(num_blocks=1, channels=8, norm=None, global_residual="bicubic", condition=36)
    torch.nn.init.constant_(network.tail.bias, 0.125)
    path = tmp_path_factory.mktemp("weights") / "model.pt"
    torch.save(network.state_dict(), path)
    return path


def interpolated_from_the_native_grid(hr: torch.Tensor, measurement: Measurement) -> torch.Tensor:
    """What inference makes of a measured slice ``(1, H, W)`` whose estimate is declined."""
    lr = MaskAwareDegrade(measurement.operator, noise_std=measurement.noise_std)(hr)
    native = fourier_resize(lr, native_size(estimate_support(lr[0])))
    return fourier_resize(BicubicUpsample(4)(native[None])[0], hr.shape[1:])


def psnr(hr: torch.Tensor, pred: torch.Tensor) -> float:
    return -10 * math.log10(float((pred - hr).double().square().mean()))


def run(dataset_dir: Path, output_dir: Path, weights: Path, **items: Any) -> tuple[Any, dict[str, Any]]:
    """The evaluator after a run, and the summary."""
    quick = {"panels": 0, "regions": ["whole", "head"], "perceptual": False, "compare": ["bicubic"], "stress": True}
    made = small_workflow(
        "evaluate", dataset_dir=dataset_dir, output_dir=output_dir, ckpt_path=weights, **{**quick, **items}
    )
    made.run()
    return made.evaluator, json.loads((output_dir / "summary.json").read_text())


def test_every_degradation_is_scored_as_told_projected_and_estimated(
    phantom_dir: Path, tmp_path: Path, weights: Path
) -> None:
    evaluator, summary = run(phantom_dir, tmp_path, weights)
    told = {name: Measurement.from_dict(record) for name, record in RECORDS.items()}
    assert evaluator.degradations == told
    assert list(summary["degradations"]) == list(told)
    slices = [batch["label"][0] for batch in evaluator.data_loader]
    default = Measurement(GaussianDownsample(4))
    for measurement, scores in zip(
        (default, *told.values()), (summary["scores"], *summary["degradations"].values()), strict=True
    ):
        assert list(scores) == ["bicubic", "bicubic + consistency", "srgan", "srgan + consistency", "srgan + estimated"]
        # slices of 32 x 32 pixels are too small for an estimate
        estimated = scores["srgan + estimated"]
        assert (estimated["whole"]["declined"]["mean"], estimated["whole"]["declined"]["n"]) == (1, summary["slices"])
        expected = [psnr(hr, interpolated_from_the_native_grid(hr, measurement)) for hr in slices]
        assert estimated["whole"]["psnr"]["mean"] == pytest.approx(sum(expected) / len(expected), abs=1e-4)
        assert "declined" not in scores["srgan"]["whole"]
    descriptions = summary["settings"]["degradations"]
    assert descriptions == {name: measurement.description for name, measurement in told.items()}
    assert descriptions["k-space truncation + 2 % noise"] == "4x, k-space crop, Rician noise of 0.02"
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Declined</th>" in page
    assert f"({summary['slices']} of {summary['slices']} slices declined)" in page


def test_without_the_estimate_other_degradations_are_scored_as_told(
    phantom_dir: Path, tmp_path: Path, weights: Path
) -> None:
    one = {"mine": "$read_measurement({'kernel': 'kspace', 'support': 0.7}, @scale)"}
    _, summary = run(phantom_dir, tmp_path, weights, estimated=False, degradations=one, compare_consistency=False)
    assert list(summary["degradations"]["mine"]) == ["bicubic", "srgan"]
    assert summary["settings"]["estimated"] is False
    assert "Declined</th>" not in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ({"estimated": "no"}, "estimated must be True or False"),
        ({"estimated": True, "network_def#condition": None}, "estimate needs a network that takes a condition"),
    ],
)
def test_an_estimate_that_nothing_uses_is_refused(
    phantom_dir: Path, tmp_path: Path, weights: Path, items: dict[str, Any], message: str
) -> None:
    with pytest.raises((RuntimeError, ValueError)) as caught:
        run(phantom_dir, tmp_path, weights, **items)
    error: BaseException = caught.value
    while error.__cause__ is not None:
        error = error.__cause__
    assert message in str(error)
