# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""ignite metrics and the tables of scores."""

from __future__ import annotations

import csv
import json
import logging
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.exceptions import NotComputableError
from monai.engines import SupervisedEvaluator
from monai.handlers import CheckpointSaver
from torch import nn

from monai_srgan.data.tumor_types import TUMOR_TYPES
from monai_srgan.engines import SREvaluator
from monai_srgan.handlers import MaskedMetricHandler, RegionScore, ScoreTable, region_scores_metrics
from monai_srgan.metrics import REGIONS, MaskedMSEMetric, MaskedPSNRMetric, masked_mse, masked_psnr


class Shift(nn.Module):
    """Enlargement plus an offset for each call, so that slices have different errors."""

    def __init__(self, *offsets: float) -> None:
        super().__init__()
        self.anchor = nn.Parameter(torch.zeros(1))
        self.offsets = offsets
        self.calls = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        offset = self.offsets[self.calls % len(self.offsets)]
        self.calls += 1
        return nn.functional.interpolate(x, scale_factor=4) + offset


def batches(tumors: tuple[bool, ...] = (True, True, False)) -> list[dict[str, Any]]:
    """Batches of one flat slice each, so that PSNR is known: -20 log10(offset)."""
    made = []
    for i, tumor in enumerate(tumors):
        mask = torch.zeros(1, 1, 32, 24)
        if tumor:
            mask[..., 8:20, 6 : 12 + i] = 1
        made.append(
            {
                "image": torch.full((1, 1, 8, 6), 0.25),
                "label": torch.full((1, 1, 32, 24), 0.25),
                "mask": mask,
                "patient": [f"P{i // 2}"],
                "tumor_type": torch.tensor([(1, 3, 3)[i]]),
                "source": [f"some/where/{10 + i}.mat"],
            }
        )
    return made


def evaluator(data: list[dict[str, Any]] | None = None, *offsets: float, **kwargs: Any) -> SREvaluator:
    network = Shift(*(offsets or (0.1, 0.01, 0.001)))
    return SREvaluator("cpu", batches() if data is None else data, network, name="srgan", **kwargs)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_region_score_is_the_mean_over_the_slices_that_have_the_region() -> None:
    metrics = {"whole": RegionScore(region="whole"), "inside": RegionScore(region="inside")}
    engine = evaluator(key_val_metric={"mse": RegionScore("mse", "whole")}, additional_metrics=metrics)
    engine.run()
    assert engine.state.metrics["whole"] == pytest.approx((20 + 40 + 60) / 3, abs=1e-4)
    assert engine.state.metrics["inside"] == pytest.approx((20 + 40) / 2, abs=1e-4)
    assert engine.state.metrics["mse"] == pytest.approx((1e-2 + 1e-4 + 1e-6) / 3, rel=1e-4)
    assert engine.state.best_metric == engine.state.metrics["mse"]


def test_region_score_of_a_baseline_or_variant_is_chosen_by_name() -> None:
    metrics = region_scores_metrics(("whole",), ("bias",), method="twice", prefix="twice_")
    baselines = {"twice": lambda x: 2 * nn.functional.interpolate(x, scale_factor=4)}
    engine = evaluator(baselines=baselines, key_val_metric=metrics)
    engine.run()
    assert engine.state.metrics == {"twice_bias_whole": pytest.approx(0.25)}
    metric = {"bias": RegionScore("bias", "whole", method="srgan + consistency")}
    engine = evaluator(None, 0.1, projection=lambda pred, _lr: pred + 0.5, key_val_metric=metric)
    engine.run()
    assert engine.state.metrics["bias"] == pytest.approx(0.6)


def test_region_score_without_any_measured_slice_is_nan_and_without_any_slice_an_error() -> None:
    engine = evaluator(batches((False, False)), key_val_metric={"inside": RegionScore(region="inside")})
    engine.run()
    assert math.isnan(engine.state.metrics["inside"])
    with pytest.raises(NotComputableError, match="seen no slice"):
        RegionScore().compute()


def test_one_identical_slice_does_not_hide_the_others() -> None:
    engine = evaluator(None, 0.1, 0.0, 0.1, key_val_metric={"psnr": RegionScore(region="whole")})
    engine.run()
    assert engine.state.metrics["psnr"] == pytest.approx(20, abs=1e-4)
    engine = evaluator(None, 0.0, key_val_metric={"psnr": RegionScore(region="whole")})
    engine.run()
    assert engine.state.metrics["psnr"] == math.inf


def test_region_score_starts_again_with_every_run() -> None:
    engine = evaluator(None, 0.1, 0.1, 0.1, 0.01, key_val_metric={"psnr": RegionScore(region="whole")})
    engine.run()
    engine.run(2)
    assert engine.state.metrics["psnr"] == pytest.approx((40 + 20 + 20) / 3, abs=1e-4)


def test_region_scores_metrics_are_named_by_metric_and_region() -> None:
    assert list(region_scores_metrics())[:3] == ["psnr_whole", "ssim_whole", "psnr_inside"]
    assert len(region_scores_metrics()) == 2 * len(REGIONS)


def test_wrong_names_are_refused() -> None:
    with pytest.raises(ValueError, match="metric must be one of"):
        RegionScore("lpips")
    with pytest.raises(ValueError, match="region must be one of"):
        RegionScore(region="brain")
    for metric, message in (
        (RegionScore(region="whole", method="esrgan"), r"method must be one of \['bicubic', 'srgan'\], got 'esrgan'"),
        (RegionScore(region="rim"), r"scores \['whole'\], not region='rim'"),
    ):
        engine = evaluator(key_val_metric={"x": metric}, regions=("whole",))
        engine.logger.disabled = True
        with pytest.raises(ValueError, match=message):
            engine.run()


def test_the_key_metric_drives_monais_checkpoint_saver(tmp_path: Path) -> None:
    network = Shift(0.1, 0.01, 0.2)
    saver = CheckpointSaver(str(tmp_path), {"model": network}, save_key_metric=True)
    metric = {"psnr": RegionScore(region="whole")}
    engine = SREvaluator("cpu", batches((True,)), network, key_val_metric=metric, val_handlers=[saver])
    for epoch in (1, 2, 3):
        engine.run(epoch)
    assert engine.state.best_metric_epoch == 2
    assert [path.name for path in tmp_path.iterdir()] == ["model_key_metric=40.0000.pt"]


@pytest.mark.parametrize("decollate", [False, True])
def test_masked_metrics_work_in_monais_own_evaluator(decollate: bool) -> None:
    data = batches()
    engine = SupervisedEvaluator(
        "cpu",
        data,
        network=Shift(0.1, 0.02, 0.3),
        key_val_metric={"inside": MaskedMetricHandler(MaskedPSNRMetric())},
        additional_metrics={
            "outside": MaskedMetricHandler(MaskedMSEMetric(), mask_transform=torch.logical_not),
            "whole": MaskedMetricHandler(MaskedMSEMetric(), mask_key=None),
        },
        decollate=decollate,
    )
    engine.run()
    network = Shift(0.1, 0.02, 0.3)
    preds = [network(b["image"]) for b in data]
    inside = [masked_psnr(p, b["label"], b["mask"]) for p, b in zip(preds, data, strict=True)]
    whole = [masked_mse(p, b["label"]) for p, b in zip(preds, data, strict=True)]
    assert engine.state.metrics["inside"] == pytest.approx(torch.cat(inside[:2]).mean().item())
    assert engine.state.metrics["whole"] == pytest.approx(torch.cat(whole).mean().item())
    assert engine.state.metrics["outside"] == pytest.approx(torch.cat(whole).mean().item())  # a constant offset
    details = engine.state.metric_details["inside"]
    assert details.shape == (3,)
    assert torch.isnan(details[2])


def test_a_missing_mask_is_named() -> None:
    data = [{k: v for k, v in b.items() if k != "mask"} for b in batches()]
    handler = MaskedMetricHandler(MaskedPSNRMetric())
    engine = SupervisedEvaluator("cpu", data, network=Shift(0.1), key_val_metric={"x": handler})
    engine.logger.disabled = True
    with pytest.raises(KeyError, match="mask_key='mask'"):
        engine.run()


def test_the_csv_has_a_row_for_every_slice_method_region_and_metric(tmp_path: Path) -> None:
    evaluator(val_handlers=[ScoreTable(tmp_path)]).run()
    rows = read(tmp_path / "scores.csv")
    assert len(rows) == 3 * 2 * len(REGIONS) * 4
    chosen = [r for r in rows if (r["method"], r["region"], r["metric"]) == ("srgan", "inside", "psnr")]
    assert [(r["file"], r["patient"], r["tumor_type"], r["pixels"]) for r in chosen] == [
        ("10.mat", "P0", "meningioma", "72"),
        ("11.mat", "P0", TUMOR_TYPES[3], "84"),
        ("12.mat", "P1", TUMOR_TYPES[3], "0"),
    ]
    assert [float(r["value"]) for r in chosen[:2]] == pytest.approx([20, 40], abs=1e-4)
    assert chosen[2]["value"] == ""  # not measured
    assert not list(tmp_path.glob("*.part"))


def test_the_summary_has_means_by_region_and_tumor_type_with_their_n(tmp_path: Path) -> None:
    table = ScoreTable(tmp_path, settings={"section": "test", "fold": 2})
    evaluator(val_handlers=[table], rim_width=6).run()
    text = (tmp_path / "summary.json").read_text()
    assert "NaN" not in text
    assert "Infinity" not in text
    summary = json.loads(text)
    whole = summary["scores"]["srgan"]["whole"]["psnr"]
    assert whole["mean"] == pytest.approx(40, abs=1e-3)
    assert whole["sd"] == pytest.approx(20, abs=1e-3)
    assert (whole["n"], whole["infinite"]) == (3, 0)
    assert summary["scores"]["srgan"]["inside"]["psnr"]["n"] == 2
    by_type = summary["by_tumor_type"]
    assert list(by_type) == ["meningioma", TUMOR_TYPES[3]]
    assert by_type["meningioma"]["srgan"]["whole"]["psnr"]["sd"] is None
    assert by_type[TUMOR_TYPES[3]]["srgan"]["whole"]["psnr"]["mean"] == pytest.approx(50, abs=1e-3)
    assert by_type[TUMOR_TYPES[3]]["srgan"]["inside"]["psnr"]["n"] == 1
    # bicubic interpolation of a flat image is that image
    bicubic = summary["scores"]["bicubic"]["whole"]["psnr"]
    assert bicubic["n"] + bicubic["infinite"] == 3
    assert (summary["slices"], summary["patients"]) == (3, 2)
    assert summary["settings"]["section"] == "test"
    assert summary["settings"]["rim_width_pixels"] == 6
    assert summary["settings"]["ssim"]["window_size"] == 11
    assert summary["settings"]["data_range"] == 1.0


def test_other_degradations_have_rows_and_summaries_of_their_own(tmp_path: Path) -> None:
    degradations = {"half": lambda hr: 0.5 * nn.functional.avg_pool2d(hr, 4)}
    evaluator(None, 0.1, degradations=degradations, val_handlers=[ScoreTable(tmp_path)]).run(2)
    rows = [r for r in read(tmp_path / "scores.csv") if r["metric"] == "bias" and r["region"] == "whole"]
    got = {(r["degradation"], r["method"]): float(r["value"]) for r in rows}
    assert got == {
        ("", "bicubic"): pytest.approx(0, abs=1e-6),
        ("", "srgan"): pytest.approx(0.1),
        ("half", "bicubic"): pytest.approx(-0.125, abs=1e-6),
        ("half", "srgan"): pytest.approx(-0.025),
    }
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert list(summary["degradations"]) == ["half"]
    assert summary["degradations"]["half"]["srgan"]["whole"]["bias"]["mean"] == pytest.approx(-0.025)
    assert summary["scores"]["srgan"]["whole"]["bias"]["mean"] == pytest.approx(0.1)
    assert summary["slices"] == 3
    assert len(read(tmp_path / "metrics.csv")) == 2 * len(REGIONS) * 4  # the history is of the default alone


def test_the_summary_compares_with_a_reference_of_choice(tmp_path: Path) -> None:
    evaluator(
        None, 0.1, baselines={"nearest": Shift(0.3)}, val_handlers=[ScoreTable(tmp_path, reference="nearest")]
    ).run()
    scores = json.loads((tmp_path / "summary.json").read_text())["scores"]
    assert scores["srgan"]["whole"]["bias"]["difference"] == pytest.approx(-0.2)
    assert scores["nearest"]["whole"]["bias"]["difference"] is None


def test_the_history_grows_by_epoch_and_a_resumed_run_replaces_later_epochs(tmp_path: Path) -> None:
    engine = evaluator(None, 0.1, val_handlers=[ScoreTable(tmp_path)])
    for epoch in (1, 2, 3):
        engine.run(epoch)
    resumed = evaluator(None, 0.01, val_handlers=[ScoreTable(tmp_path)])
    resumed.run(2)
    wanted = ("srgan", "whole", "psnr")
    rows = [r for r in read(tmp_path / "metrics.csv") if (r["method"], r["region"], r["metric"]) == wanted]
    assert [(r["epoch"], round(float(r["mean"]), 3), r["n"]) for r in rows] == [("1", 20.0, "3"), ("2", 40.0, "3")]


def test_a_new_run_in_an_old_folder_starts_its_history_afresh(tmp_path: Path) -> None:
    for _ in range(2):
        evaluator(None, 0.1, val_handlers=[ScoreTable(tmp_path)]).run(1)
    assert {r["epoch"] for r in read(tmp_path / "metrics.csv")} == {"1"}
    assert len(read(tmp_path / "metrics.csv")) == 2 * len(REGIONS) * 4


def test_the_log_shows_bicubic_above_the_network_in_every_region(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="monai_srgan"):
        evaluator(None, 0.1, baselines={"nearest": Shift(0.2)}, val_handlers=[ScoreTable()]).run()
    lines = [line.split() for line in caplog.text.splitlines()]
    rows = [line[:2] for line in lines if line and line[0] in REGIONS]
    assert rows == [[region, method] for region in REGIONS for method in ("nearest", "srgan")]
    assert "20.00 ± 0.00" in caplog.text
    assert "13.98 ± 0.00" in caplog.text
    assert "not measured" in caplog.text  # a flat image has no head


def test_files_can_be_left_out(tmp_path: Path) -> None:
    evaluator(val_handlers=[ScoreTable(tmp_path, csv_name=None, summary_name="s.json", history_name=None)]).run()
    assert [p.name for p in tmp_path.iterdir()] == ["s.json"]


def test_an_unwritable_folder_stops_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"output_dir .*file.* cannot be written to"):
        evaluator(val_handlers=[ScoreTable(tmp_path / "file" / "out")])
