# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Spectra and null space of an evaluation: scores in the rows, curves beside them, means in the summary."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from ignite.engine import Events
from torch.nn import functional as F

from monai_srgan.engines import SREvaluator
from monai_srgan.handlers import ScoreTable
from monai_srgan.metrics import FourierRings, NullSpaceError, OutsideSupportPower, compare_rings, effective_resolution
from monai_srgan.physics import BicubicUpsample, ConsistencyProjection, GaussianDownsample
from monai_srgan.scores import Method, ScoredSlice, scored_slices

OPERATOR = GaussianDownsample(4)
BICUBIC, NEAREST = Method("bicubic"), Method("nearest")


class Nearest(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.interpolate(x, scale_factor=4, mode="nearest")


def batch(slices: int = 2) -> dict[str, Any]:
    hr = torch.rand(slices, 1, 64, 48, generator=torch.Generator().manual_seed(3))
    hr = F.avg_pool2d(F.pad(hr, (2, 2, 2, 2)), 5, stride=1)
    mask = torch.zeros(slices, 1, 64, 48)
    mask[:, :, 10:30, 8:40] = 1
    sources = [f"some/where/{i}.mat" for i in range(slices)]
    return {"image": OPERATOR(hr), "label": hr, "mask": mask, "source": sources, "patient": ["P1", "P2"][:slices]}


def run(data: dict[str, Any], **kwargs: Any) -> list[ScoredSlice]:
    evaluator = SREvaluator(
        "cpu", [data], Nearest(), name="nearest", projection=ConsistencyProjection(OPERATOR), **kwargs
    )
    found: list[ScoredSlice] = []
    evaluator.add_event_handler(Events.ITERATION_COMPLETED, lambda engine: found.extend(scored_slices(engine)))
    evaluator.run()
    return found


def test_every_method_on_every_slice_has_its_curve_and_its_resolution() -> None:
    data = batch()
    slices = run(data, rings=FourierRings(0.5))
    rings = compare_rings(BicubicUpsample(4)(data["image"]), data["label"])
    for i, item in enumerate(slices):
        assert [curve.method for curve in item.rings] == list(item.predictions)
        assert {curve.source for curve in item.rings} == {f"some/where/{i}.mat"}
        curve = item.rings[0]
        assert curve.method == BICUBIC
        assert curve.frequency == tuple(rings.frequency.tolist())
        assert curve.power == pytest.approx(rings.power[i].tolist(), nan_ok=True)
        assert curve.coherence == pytest.approx(rings.coherence[i].tolist(), nan_ok=True)
        frequency = effective_resolution(rings, 0.5)[i].item()
        assert item.scores.value(BICUBIC, "whole", "resolution_half") == pytest.approx(frequency)
        assert item.scores.value(BICUBIC, "whole", "resolution_half_mm") == pytest.approx(0.5 / frequency)
        assert item.scores.value(BICUBIC, "head", "resolution_half") is None
    assert slices[0].rings[0].coherence[20:] != slices[1].rings[0].coherence[20:]


def test_without_rings_there_are_neither_curves_nor_resolution() -> None:
    [item] = run(batch(1))
    assert item.rings == ()
    assert "resolution_half" not in item.scores.metrics(BICUBIC, "whole")


def test_other_degradations_have_no_curves_and_the_ensemble_has() -> None:
    def ensemble(lr: torch.Tensor, network: torch.nn.Module) -> torch.Tensor:
        return torch.cat([network(lr), torch.full((len(lr), 2, 64, 48), 0.1)], dim=1)

    [item] = run(batch(1), rings=FourierRings(), degradations={"other": OPERATOR}, ensemble=ensemble)
    own = [row.method for row in item.scores.rows if (row.degradation, row.metric) == ("", "resolution_half")]
    assert [curve.method for curve in item.rings] == own
    assert str(own[-1]) == "nearest + ensemble"
    assert item.rings[-1].power == pytest.approx(item.rings[2].power, nan_ok=True)
    assert "coverage" in item.scores.metrics(own[-1], "head")


def test_both_parts_of_the_error_and_the_power_outside_the_support_are_scores() -> None:
    [item] = run(batch(1), scores=[NullSpaceError(OPERATOR), OutsideSupportPower((0.5, 0.4))])
    value = item.scores.value
    for method in (BICUBIC, NEAREST):
        measured, null, mse = (value(method, "whole", name) for name in ("measured_mse", "null_mse", "mse"))
        assert measured is not None
        assert null is not None
        assert measured + null == pytest.approx(mse)
        assert value(method, "whole", "null_share") == pytest.approx(null / mse)
        assert measured > 1e-6
        assert value(method.with_("consistency"), "inside", "measured_mse") == pytest.approx(0, abs=1e-12)
        assert value(method.with_("consistency"), "whole", "null_mse") == pytest.approx(null)
        assert value(method, "whole", "outside_share") is not None
    assert value(BICUBIC, "whole", "outside_power") < value(NEAREST, "whole", "outside_power")


def test_the_table_writes_the_scores_and_the_mean_curves(tmp_path: Path) -> None:
    data = batch()
    table = ScoreTable(tmp_path)
    run(data, rings=FourierRings(), val_handlers=[table])
    with (tmp_path / "scores.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["metric"].startswith("resolution")]
    assert {row["region"] for row in rows} == {"whole"}
    assert len(rows) == 2 * 2 * 4  # slices, thresholds, methods
    text = (tmp_path / "summary.json").read_text()
    assert "NaN" not in text
    found = json.loads(text)["rings"]
    assert list(found) == ["bicubic", "bicubic + consistency", "nearest", "nearest + consistency"]
    rings = compare_rings(Nearest()(data["image"]), data["label"])
    assert found["nearest"]["coherence"][32] == pytest.approx(rings.coherence[:, 32].mean().item())
    assert found["nearest"]["coherence_n"][32] == 2
    assert found["nearest"]["coherence_n"][1] == 0  # between the coefficients of so small an image
    assert found["nearest"]["coherence"][1] is None
    run(data, val_handlers=[table])
    assert table.rings == []
    assert json.loads((tmp_path / "summary.json").read_text())["rings"] == {}


def test_a_slice_that_two_processes_hold_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("monai_srgan.handlers.score_table.world_size", lambda: 2)
    monkeypatch.setattr("monai_srgan.handlers.score_table.gather", lambda part: [part, part[: len(part) // 2]])
    run(batch(), rings=FourierRings(), val_handlers=[ScoreTable(tmp_path)])
    rings = json.loads((tmp_path / "summary.json").read_text())["rings"]
    assert {max(curves["coherence_n"]) for curves in rings.values()} == {2}
