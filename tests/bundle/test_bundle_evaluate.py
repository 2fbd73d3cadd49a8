# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""bundle/configs/evaluate.json: a checkpoint beside bicubic on a section."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.bundle import ConfigWorkflow
from torch.nn import functional as F
from workflows import SMALL_NETWORK, small_workflow

from monai_srgan.apps import figshare_datalist
from monai_srgan.data import read_cjdata
from monai_srgan.metrics import REGIONS, masked_psnr, region_masks
from monai_srgan.networks import SRResNet
from monai_srgan.physics import GaussianDownsample, Measurement
from monai_srgan.uncertainty import CalibrationRecord, IntervalTable, QuantileTable

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network that is bicubic interpolation and a constant 0.125, whatever it is told."""
    network = SRResNet(num_blocks=1, channels=8, norm=None, global_residual="bicubic", condition=36)
    torch.nn.init.zeros_(network.tail.weight)
    torch.nn.init.constant_(network.tail.bias, 0.125)
    path = tmp_path_factory.mktemp("weights") / "model.pt"
    torch.save(network.state_dict(), path)
    return path


def workflow(dataset_dir: Path, output_dir: Path, ckpt_path: Path, **items: Any) -> ConfigWorkflow:
    return small_workflow("evaluate", dataset_dir=dataset_dir, output_dir=output_dir, ckpt_path=ckpt_path, **items)


def means(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "summary.json").read_text())


def test_the_workflow_has_every_property_that_monai_asks_for(phantom_dir: Path, tmp_path: Path, weights: Path) -> None:
    assert workflow(phantom_dir, tmp_path, weights).check_properties() == []


def test_an_evaluation_writes_rows_summary_and_panels(phantom_dir: Path, tmp_path: Path, weights: Path) -> None:
    made = workflow(phantom_dir, tmp_path, weights, panels=1, perceptual=False)
    made.run()
    made.finalize()
    items = figshare_datalist(phantom_dir, "test", num_folds=3, progress=False)
    with (tmp_path / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    methods = ["nearest", "bicubic", "lanczos", "srgan"]
    methods = [name for method in methods for name in (method, f"{method} + consistency")] + ["srgan + estimated"]
    assert list(dict.fromkeys(row["method"] for row in rows)) == methods
    each = len(REGIONS) * 7 + 4  # seven scores on each region, four on the whole slice, and whether it was declined
    assert len(rows) == len(items) * (len(methods) * each + 1)
    assert {row["patient"] for row in rows} == {item["patient"] for item in items}
    for item in items:
        data = read_cjdata(item["image"])
        image = torch.from_numpy(data.image).double()[None, None]
        hr = (image / torch.quantile(image, 0.999)).clamp(0, 1).float()
        lr = GaussianDownsample(4)(hr)
        bicubic = F.interpolate(lr, scale_factor=4, mode="bicubic", align_corners=False)
        masks = region_masks(torch.from_numpy(data.mask)[None, None], hr)
        for region in REGIONS:
            for method, pred in (("bicubic", bicubic), ("srgan", bicubic + 0.125)):
                [row] = [
                    r
                    for r in rows
                    if (r["file"], r["method"], r["region"], r["metric"])
                    == (Path(item["image"]).name, method, region, "psnr")
                ]
                assert float(row["value"]) == pytest.approx(masked_psnr(pred, hr, masks[region]).item(), abs=1e-3)
    summary = means(tmp_path)
    assert summary["slices"] == len(items)
    assert summary["settings"]["section"] == "test"
    assert summary["settings"]["degradation"]["operator"] == {"kind": "gaussian", "scale": 4, "sigma": 1.5}
    assert len(list((tmp_path / "panels").glob("panel_*.png"))) == 1
    again = {m: s["whole"]["redegraded_psnr"]["mean"] for m, s in summary["scores"].items()}
    assert all(again[f"{m} + consistency"] > 120 > 60 > again[m] for m in ("nearest", "bicubic", "lanczos", "srgan"))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "SRGAN" in page
    assert len(page) > 100_000


def test_a_run_is_compared_with_the_srresnet_beside_its_weights_and_their_blend(
    phantom_dir: Path, tmp_path: Path, weights: Path
) -> None:
    state = torch.load(weights, weights_only=True)
    torch.save(state, tmp_path / "model.pt")
    torch.save({**state, "tail.bias": state["tail.bias"] + 0.5}, tmp_path / "srresnet.pt")
    quick = {"panels": 0, "report": False, "compare_consistency": False, "regions": ["whole"], "perceptual": False}
    made = workflow(phantom_dir, tmp_path / "a", tmp_path / "model.pt", **quick)
    made.run()
    assert list(means(tmp_path / "a")["scores"]) == [
        *("nearest", "bicubic", "lanczos", "srresnet", "srresnet + estimated", "srgan", "srgan + estimated")
    ]
    made = workflow(
        phantom_dir,
        tmp_path / "b",
        tmp_path / "model.pt",
        compare=["blend", "bicubic", "srresnet"],
        compare_blend=0.2,
        estimated=False,
        **quick,
    )
    made.run()
    scores = means(tmp_path / "b")["scores"]
    bias = {method: regions["whole"]["bias"]["mean"] for method, regions in scores.items()}
    assert list(bias) == ["blend 0.2", "bicubic", "srresnet", "srgan"]
    assert bias["srgan"] - bias["bicubic"] == pytest.approx(0.125, abs=1e-5)
    assert bias["srresnet"] - bias["bicubic"] == pytest.approx(0.625, abs=1e-5)
    assert bias["blend 0.2"] - bias["bicubic"] == pytest.approx(0.2 * 0.125 + 0.8 * 0.625, abs=1e-5)
    assert not (tmp_path / "b" / "report.html").exists()


def test_a_blend_is_evaluated_under_its_own_name(phantom_dir: Path, tmp_path: Path, weights: Path) -> None:
    state = torch.load(weights, weights_only=True)
    torch.save(state, tmp_path / "model.pt")
    torch.save({**state, "tail.bias": state["tail.bias"] + 0.5}, tmp_path / "srresnet.pt")
    quick = {"panels": 0, "report": False, "compare_consistency": False, "regions": ["whole"], "perceptual": False}
    quick["estimated"] = False
    made = workflow(
        phantom_dir, tmp_path / "out", tmp_path / "model.pt", blend=0.2, compare=["bicubic", "srresnet"], **quick
    )
    made.run()
    summary = means(tmp_path / "out")
    bias = {method: regions["whole"]["bias"]["mean"] for method, regions in summary["scores"].items()}
    assert list(bias) == ["bicubic", "srresnet", "blend 0.2"]
    assert bias["srresnet"] - bias["blend 0.2"] == pytest.approx(0.2 * 0.5, abs=1e-5)
    assert (summary["settings"]["blend"], summary["settings"]["compare_blend"]) == (0.2, None)


def test_trust_is_scored_when_enabled(phantom_dir: Path, tmp_path: Path, weights: Path) -> None:
    quick = {"panels": 0, "report": False, "regions": ["head"], "perceptual": False, "compare": ["bicubic"]}
    made = workflow(phantom_dir, tmp_path, weights, trust=True, intervals="$None", **quick)
    made.run()
    scores = means(tmp_path)["scores"]
    assert list(scores)[-1] == "srgan + estimated + ensemble"  # as monai-srgan upscale --trust does it
    ensemble, alone = (scores[f"srgan + estimated{end}"]["head"]["psnr"]["mean"] for end in (" + ensemble", ""))
    assert ensemble == pytest.approx(alone, abs=1e-3)  # bicubic interpolation commutes with flips


@pytest.mark.parametrize("projected", [False, True])
def test_intervals_are_scored_and_the_report_says_what_they_depend_on(
    phantom_dir: Path, tmp_path: Path, projected: bool
) -> None:
    torch.manual_seed(1)
    network = SRResNet(num_blocks=1, channels=8, norm=None, global_residual="bicubic", condition=36)
    torch.nn.init.normal_(network.tail.weight, std=0.02)  # unlike bicubic interpolation, it does not commute with flips
    torch.save(network.state_dict(), tmp_path / "model.pt")
    test = [item["patient"] for item in figshare_datalist(phantom_dir, "test", num_folds=3, progress=False)]
    table = QuantileTable((np.zeros(0, np.float32), np.zeros(0, np.float32)), np.full((1, 1), 0.05))
    record = CalibrationRecord(patients=tuple(test[:1]))
    measurement = Measurement(GaussianDownsample(4), noise_std=0.01)
    IntervalTable(0.9, 1.5, table, consistent=projected, measurement=measurement, record=record).save(
        tmp_path / "intervals.json"
    )
    quick = {"panels": 0, "perceptual": False, "compare": ["bicubic"]}
    # a table holds for one measurement, which is told
    trust = {"trust": True, "consistency": projected, "estimated": False, "intervals": str(tmp_path / "intervals.json")}
    made = workflow(phantom_dir, tmp_path / "a", tmp_path / "model.pt", **quick, **trust)
    made.run()
    summary = means(tmp_path / "a")
    name = "srgan + consistency + ensemble" if projected else "srgan + ensemble"
    assert list(summary["scores"])[-1] == name
    scores = summary["scores"][name]
    assert abs(scores["head"]["psnr"]["mean"] - summary["scores"]["srgan"]["head"]["psnr"]["mean"]) > 1e-4
    assert scores["inside"]["interval_width"]["mean"] == pytest.approx(2 * 1.5 * 0.05, rel=1e-5)
    assert (scores["whole"]["redegraded_psnr"]["mean"] > 120) is projected
    assert summary["settings"]["consistency"] is projected
    assert summary["settings"]["calibration"]["lambda"] == 1.5
    assert set(summary["settings"]["weights_sha256"]) == {"srgan"}
    page = (tmp_path / "a" / "report.html").read_text(encoding="utf-8")
    assert "1 patient of this report took part in the calibration" in page
    assert "calibrated for another degradation (4x, Gaussian blur with sigma 1.5 pixels, Rician noise of 0.01)" in page
    assert "Synthetic slices." in page
    assert "work of Jun Cheng" not in page
    assert ("In the head, SRGAN + consistency reaches a mean PSNR" in page) is projected
    psnr = made.evaluator.state.metrics["psnr"]
    assert psnr == pytest.approx(
        summary["scores"]["srgan + consistency" if projected else "srgan"]["head"]["psnr"]["mean"]
    )


def test_a_report_without_head_shows_slices_by_another_region(phantom_dir: Path, tmp_path: Path, weights: Path) -> None:
    made = workflow(phantom_dir, tmp_path, weights, regions=["rim", "whole"], panel_select="worst", panels=1)
    made.run()
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "best PSNR at the tumor&#39;s rim" in page
    assert "in the head" not in page


def test_a_mask_dependent_degradation_is_not_projected(phantom_dir: Path, tmp_path: Path, weights: Path) -> None:
    quick = {"panels": 0, "report": False, "perceptual": False, "compare": ["bicubic"]}
    made = workflow(phantom_dir, tmp_path, weights, **quick, **{"degrade#sigma_inside": 3.0})
    made.run()
    scores = means(tmp_path)["scores"]
    assert list(scores) == ["bicubic", "srgan", "srgan + estimated"]
    assert "redegraded_psnr" not in scores["srgan"]["whole"]
    assert "null_mse" not in scores["srgan"]["whole"]
    assert "resolution_half" in scores["srgan"]["whole"]


def test_millimeters_and_the_support_are_scored_where_they_are_told(
    phantom_dir: Path, tmp_path: Path, weights: Path
) -> None:
    quick = {"panels": 0, "report": False, "perceptual": False, "compare": ["bicubic"]}
    made = workflow(phantom_dir, tmp_path, weights, **quick, pixel_spacing=0.5, support=[0.9, 0.8])
    made.run()
    summary = means(tmp_path)
    whole = summary["scores"]["bicubic"]["whole"]
    assert {"resolution_half_mm", "outside_power", "outside_share"} <= set(whole)
    assert whole["resolution_half_mm"]["mean"] == pytest.approx(0.5 / whole["resolution_half"]["mean"], rel=0.1)
    assert (summary["settings"]["pixel_spacing"], summary["settings"]["support"]) == (0.5, [0.9, 0.8])
    rings = summary["rings"]["srgan"]
    assert rings["frequency"][-1] == 0.5
    assert max(rings["coherence_n"]) == summary["slices"]


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"compare": ["srresnet"]}, "path must be a file of weights, got None"),
        ({"trust": "false"}, "trust must be True or False"),
        ({"ckpt_blend": 0.2}, "ckpt_blend is now called blend: set blend=0.2"),
        ({"trust_consistency": True}, "trust_consistency is now called consistency: set consistency=True"),
        (
            {"consistency": True, "compare_consistency": False},
            "consistency needs compare_consistency: set compare_consistency=True",
        ),
        ({"intervals": "mine.json"}, "intervals needs trust: set trust=True"),
        ({"compare_consistency": True, "degrade#isolate": True}, "depends on the tumor mask"),
        ({"trust": True}, "none.json does not exist"),
        ({"pixel_spacing": -1}, "pixel_spacing must be the width of a pixel in mm"),
        ({"support": [0.5, 2.0]}, "support must be two fractions"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    phantom_dir: Path, tmp_path: Path, weights: Path, overrides: dict[str, Any], message: str
) -> None:
    def evaluate() -> None:
        trusted = {"intervals": str(tmp_path / "none.json")} if overrides.get("trust") is True else {}
        made = workflow(phantom_dir, tmp_path, weights, **trusted, **overrides)
        made.evaluator.logger.disabled = True
        made.run()

    with pytest.raises((RuntimeError, ValueError, FileNotFoundError)) as caught:
        evaluate()
    error: BaseException = caught.value
    while error.__cause__ is not None:
        error = error.__cause__
    assert message in str(error)


def test_an_unknown_method_is_named(phantom_dir: Path, tmp_path: Path, weights: Path) -> None:
    with pytest.raises((RuntimeError, ValueError)) as caught:
        workflow(phantom_dir, tmp_path, weights, compare=["lpips"]).run()
    error: BaseException = caught.value
    while error.__cause__ is not None:
        error = error.__cause__
    assert "compare must name methods out of" in str(error)


def test_every_knob_is_read(phantom_dir: Path, tmp_path: Path, weights: Path) -> None:
    made = workflow(
        phantom_dir,
        tmp_path,
        weights,
        section="validation",
        fold=1,
        seed=4,
        method="mine",
        compare=["bicubic"],
        compare_consistency=False,
        estimated=False,
        report=False,
        perceptual=False,
        regions=["rim", "whole"],
        rim_width=4,
        sigma=0.7,
        panels=0,
        **{"degrade#noise_std": 0.05},
    )
    made.run()
    summary = means(tmp_path)
    settings = summary["settings"]
    assert list(summary["scores"]) == ["bicubic", "mine"]
    assert list(summary["scores"]["mine"]) == ["rim", "whole"]
    chosen = {k: settings[k] for k in ("section", "fold", "seed", "num_folds", "rim_width_pixels")}
    assert chosen == {"section": "validation", "fold": 1, "seed": 4, "num_folds": 3, "rim_width_pixels": 4}
    assert settings["degradation"]["operator"] == {"kind": "gaussian", "scale": 4, "sigma": 0.7}
    assert settings["degradation"]["noise_std"] == 0.05
    assert made.evaluator.measurement == Measurement(GaussianDownsample(4, 0.7), noise_std=0.05)
    expected = {i["patient"] for i in figshare_datalist(phantom_dir, "validation", 1, 3, 4, progress=False)}
    with (tmp_path / "scores.csv").open(newline="") as file:
        assert {row["patient"] for row in csv.DictReader(file)} == expected
    assert not (tmp_path / "panels").exists()


def test_another_scale_is_one_argument_away(phantom_dir: Path, tmp_path: Path) -> None:
    network = SRResNet(scale=2, num_blocks=1, channels=8, norm=None, global_residual="bicubic", condition=36)
    torch.save(network.state_dict(), tmp_path / "x2.pt")
    made = workflow(phantom_dir, tmp_path / "out", tmp_path / "x2.pt", scale=2, panels=0, perceptual=False)
    made.run()
    settings = means(tmp_path / "out")["settings"]
    assert settings["degradation"]["operator"] == {"kind": "gaussian", "scale": 2, "sigma": 0.5}
    assert settings["estimated"] is False  # the estimate is made for a scale of 4


def test_the_command_of_the_readme_works_and_logs_the_table(phantom_dir: Path, tmp_path: Path, weights: Path) -> None:
    done = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "monai.bundle",
                "run",
                "evaluating",
                "--config_file",
                "bundle/configs/evaluate.json",
            ),
            *("--dataset_dir", str(phantom_dir), "--output_dir", str(tmp_path), "--ckpt_path", str(weights)),
            *("--num_folds", "3", "--panels", "0"),
            *(word for key, value in SMALL_NETWORK.items() for word in (f"--{key}", str(value))),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "head     bicubic" in done.stdout
    assert "head     srgan" in done.stdout
    assert str(tmp_path) in done.stdout.splitlines()[-1]


def test_missing_weights_are_named_with_the_remedy(phantom_dir: Path, tmp_path: Path) -> None:
    made = workflow(phantom_dir, tmp_path, tmp_path / "none.pt")
    made.evaluator.logger.disabled = True
    with pytest.raises((RuntimeError, FileNotFoundError)) as caught:
        made.run()
    chain = [caught.value, caught.value.__cause__, caught.value.__context__]
    assert any(error is not None and "none.pt does not exist. Train the network first" in str(error) for error in chain)


def test_an_unwritable_output_folder_stops_before_any_slice_is_scored(
    phantom_dir: Path, tmp_path: Path, weights: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RuntimeError) as caught:
        workflow(phantom_dir, tmp_path / "file", weights).run()
    assert "cannot be written to" in str(caught.value.__cause__)
