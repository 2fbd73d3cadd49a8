# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The handler that writes the report of an evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset
from torch import nn

from monai_srgan.engines import SREvaluator
from monai_srgan.handlers import ReportSaver, ScoreTable
from monai_srgan.metrics import split_error
from monai_srgan.physics import BicubicDownsample, ConsistencyProjection
from monai_srgan.report import Report
from monai_srgan.scores import Method

NET, BICUBIC = Method("net"), Method("bicubic")


class Offset(nn.Module):
    """Nearest enlargement, off by what the image's corner says."""

    def __init__(self) -> None:
        super().__init__()
        self.anchor = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.interpolate(x, scale_factor=4) + x[:, :, :1, :1]


def slices(offsets: list[float]) -> list[dict[str, Any]]:
    made = []
    for i, offset in enumerate(offsets):
        hr = torch.zeros(1, 48, 32)
        hr[:, 8:40, 8:24] = 0.5
        mask = torch.zeros(1, 48, 32)
        mask[:, 16:24, 12:20] = 1
        lr = nn.functional.avg_pool2d(hr, 4)
        lr[:, 0, 0] = offset
        made.append(
            {"image": lr, "label": hr, "mask": mask, "patient": f"P{i}", "tumor_type": 2, "source": f"in/{i}.mat"}
        )
    return made


def reports(data: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **kwargs: Any) -> list[Report]:
    seen: list[Report] = []

    def render(report: Report) -> str:
        seen.append(report)
        return "<p>µ</p>"

    monkeypatch.setattr("monai_srgan.handlers.report_saver.render_report", render)
    table = ScoreTable(tmp_path)
    handlers = [table, ReportSaver(table, tmp_path, **kwargs)]
    evaluator = SREvaluator("cpu", data, Offset(), name="net", projection=lambda p, _lr: p, val_handlers=handlers)
    evaluator.logger.disabled = True
    evaluator.run()
    return seen


def test_best_median_and_worst_slices_are_shown_with_their_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = slices([0.3, 0.1, 0.5, 0.2, 0.4])
    [report] = reports(DataLoader(Dataset(data), batch_size=2), tmp_path, monkeypatch)
    assert [(e.label, e.file) for e in report.examples] == [
        ("best PSNR in the head", "1.mat"),
        ("median PSNR in the head", "0.mat"),
        ("worst PSNR in the head", "2.mat"),
    ]
    best = report.examples[0]
    assert (best.patient, best.tumor_type) == ("P1", "glioma")
    assert list(best.predictions) == [BICUBIC, NET]  # without those of the projection
    np.testing.assert_array_equal(best.hr, data[1]["label"][0].numpy().T)
    np.testing.assert_array_equal(best.mask, data[1]["mask"][0].numpy().T > 0)
    np.testing.assert_allclose(best.predictions[NET], Offset()(data[1]["image"][None])[0, 0].detach().numpy().T)
    psnr = [example.scores.value(NET, "head", "psnr") for example in report.examples]
    assert psnr == sorted(psnr, reverse=True)
    assert best.half_width is None
    assert (report.key_method, report.reference) == (NET, BICUBIC)
    assert report.summary.slices == 5
    assert len(report.rows) == 5 * 4 * 5 * 4
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == "<p>µ</p>"


def test_the_methods_shown_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    methods = ["net + consistency"]
    [report] = reports(DataLoader(Dataset(slices([0.3, 0.1]))), tmp_path, monkeypatch, methods=methods)
    assert [list(example.predictions) for example in report.examples] == [[NET.with_("consistency")]] * 2
    assert [example.label for example in report.examples] == [
        "best PSNR in the head",
        "worst PSNR in the head",
    ]


def test_a_single_slice_is_shown_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [report] = reports(DataLoader(Dataset(slices([0.3]))), tmp_path, monkeypatch)
    assert len(report.examples) == 1


def test_a_report_can_be_about_the_projected_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = DataLoader(Dataset(slices([0.3, 0.1])))
    [report] = reports(data, tmp_path, monkeypatch, method="net + consistency")
    assert report.key_method == NET.with_("consistency")
    assert list(report.examples[0].predictions) == [BICUBIC, NET, NET.with_("consistency")]
    with pytest.raises(ValueError, match=r"method must be one of \['bicubic', .*\], got 'esrgan'"):
        reports(data, tmp_path, monkeypatch, method="esrgan")


def test_the_parts_of_the_errors_are_those_of_method_and_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    projection = ConsistencyProjection(BicubicDownsample(4))
    data = slices([0.3, 0.1])
    [report] = reports(DataLoader(Dataset(data)), tmp_path, monkeypatch, projection=projection)
    best = report.examples[0]
    assert list(best.error_parts) == [BICUBIC, NET]
    parts = split_error(Offset()(data[1]["image"][None]), data[1]["label"][None], projection)
    np.testing.assert_allclose(best.error_parts[NET].null, parts.null[0, 0].detach().numpy().T, atol=1e-6)
    [report] = reports(DataLoader(Dataset(data)), tmp_path, monkeypatch)
    assert report.examples[0].error_parts == {}


def test_every_slice_is_evaluated_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class OnlyOnce(list):
        """Batches that can be read once."""

        def __iter__(self) -> Any:
            while self:
                yield self.pop(0)

        def __len__(self) -> int:
            return 3

    batches = OnlyOnce(DataLoader(Dataset(slices([0.3, 0.1, 0.2]))))
    [report] = reports(batches, tmp_path, monkeypatch)
    assert [example.file for example in report.examples] == ["1.mat", "2.mat", "0.mat"]


def test_the_table_must_be_attached_first(tmp_path: Path) -> None:
    table = ScoreTable(tmp_path)
    evaluator = SREvaluator("cpu", DataLoader(Dataset(slices([0.1]))), Offset())
    evaluator.logger.disabled = True
    ReportSaver(table, tmp_path).attach(evaluator)
    table.attach(evaluator)
    with pytest.raises(ValueError, match="attach the table before the report"):
        evaluator.run()


def test_an_unwritable_folder_stops_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    table = ScoreTable()
    with pytest.raises(OSError, match="cannot be written to"):
        ReportSaver(table, tmp_path / "file" / "out").attach(SREvaluator("cpu", slices([0.1]), Offset()))
