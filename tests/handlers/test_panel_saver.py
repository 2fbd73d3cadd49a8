# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The pictures of an evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from PIL import Image
from torch import nn

from monai_srgan.engines import SREvaluator
from monai_srgan.handlers import PanelSaver, panel_saver
from monai_srgan.report import draw_panel
from monai_srgan.scores import ScoredSlice, scored_slices


class Offset(nn.Module):
    """Enlargement with an error that grows with the brightness of the first pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.anchor = nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.interpolate(x, scale_factor=4) + x[:, :, :1, :1]


def batch(number: int, error: float = 0.1, *, tumor: bool = True) -> dict[str, Any]:
    """A slice 64 wide and 48 high with a bright mark at the top right, x first."""
    lr = torch.full((1, 1, 16, 12), 0.4)
    lr[..., 13:15, 1:3] = 0.9
    lr[..., 0, 0] = error
    mask = torch.zeros(1, 1, 64, 48)
    if tumor:
        mask[..., 40:50, 8:14] = 1
    label = nn.functional.interpolate(lr, scale_factor=4)
    return {
        "image": lr,
        "label": label,
        "mask": mask,
        "patient": [f"P{number}"],
        "tumor_type": torch.tensor([2]),
        "source": [f"some/where/{number}.mat"],
    }


def run(data: list[dict[str, Any]], saver: PanelSaver, **kwargs: Any) -> list[str]:
    SREvaluator("cpu", data, Offset(), val_handlers=[saver], regions=("whole", "inside"), **kwargs).run()
    return sorted(path.name for path in saver.output_dir.iterdir())


def item(data: dict[str, Any]) -> ScoredSlice:
    engine = SREvaluator("cpu", [data], Offset(), regions=("whole", "inside"))
    engine.run()
    return scored_slices(engine)[0]


def test_a_panel_shows_every_picture_upright_and_the_tumor_close_up() -> None:
    figure = draw_panel(item(batch(1)))
    axes = [ax for ax in figure.axes if ax.images]
    assert len(axes) == 10
    titles = [ax.get_title() for ax in axes[:5]]
    assert titles[0] == "LR (16 × 12)"
    assert titles[1].startswith("bicubic\nPSNR tumor ")
    assert titles[2].startswith("model\nPSNR tumor 20.0")
    assert titles[3:] == ["HR (64 × 48)", "|model − HR|"]
    shown = np.asarray(axes[3].images[0].get_array())
    assert shown.shape == (48, 64)  # rows, columns
    assert np.argwhere(shown > 0.8).mean(axis=0).tolist() == pytest.approx([7.5, 55.5])  # high up, on the right
    lr = np.asarray(axes[0].images[0].get_array())
    np.testing.assert_array_equal(lr, shown)  # each LR pixel as a block of 4 by 4
    error = np.asarray(axes[4].images[0].get_array())
    np.testing.assert_allclose(error, 0.1, atol=1e-6)
    assert "1.mat · patient P1 · glioma" in figure.get_suptitle()


def test_the_close_up_is_a_square_that_holds_the_tumor() -> None:
    figure = draw_panel(item(batch(1)))
    close = [ax for ax in figure.axes if ax.images][8]
    left, right, bottom, top = close.images[0].get_extent()
    assert right - left == bottom - top == 24
    assert left < 40 < 49 < right
    assert top < 8 < 13 < bottom


@pytest.mark.parametrize("outline", [True, False])
def test_the_tumor_is_outlined_in_every_picture_where_it_is(outline: bool) -> None:
    figure = draw_panel(item(batch(1)), outline=outline)
    contours = [c for ax in figure.axes for c in ax.collections if isinstance(c, ContourSet)]
    assert len(contours) == (10 if outline else 0)
    for contour in contours:
        x, y = np.asarray(contour.get_paths()[0].vertices).T
        assert (x.min(), x.max(), y.min(), y.max()) == pytest.approx((39.5, 49.5, 7.5, 13.5))


def test_a_slice_without_tumor_has_one_row() -> None:
    figure = draw_panel(item(batch(1, tumor=False)))
    assert len([ax for ax in figure.axes if ax.images]) == 5


def test_panels_are_written_as_readable_pictures(tmp_path: Path) -> None:
    assert run([batch(7)], PanelSaver(tmp_path / "a" / "b")) == ["panel_7.png"]
    with Image.open(tmp_path / "a" / "b" / "panel_7.png") as picture:
        assert picture.size[0] > 1500
        pixels = np.asarray(picture.convert("RGB"))
    assert pixels.std() > 20


def test_first_takes_the_first_slices(tmp_path: Path) -> None:
    assert run([batch(i) for i in range(5)], PanelSaver(tmp_path, 2, "first", dpi=30)) == ["panel_0.png", "panel_1.png"]


def test_spread_takes_slices_from_beginning_to_end(tmp_path: Path) -> None:
    names = run([batch(i) for i in range(9)], PanelSaver(tmp_path, 3, dpi=30))
    assert names == ["panel_0.png", "panel_4.png", "panel_8.png"]


def test_spread_over_few_large_batches_fills_up(tmp_path: Path) -> None:
    one, two = batch(0), batch(1)
    both = {k: one[k] + two[k] if isinstance(one[k], list) else torch.cat([one[k], two[k]]) for k in one}
    assert run([both], PanelSaver(tmp_path, 4, dpi=30)) == ["panel_0.png", "panel_1.png"]


def test_the_projected_network_is_drawn_where_that_is_the_method(tmp_path: Path, monkeypatch) -> None:
    drawn = []
    monkeypatch.setattr(panel_saver, "draw_panel", lambda _scored, method, **_: drawn.append(str(method)) or Figure())
    saver = PanelSaver(tmp_path, method="model + consistency", select="first")
    run([batch(1)], saver, projection=lambda pred, _: pred - 0.1)
    assert drawn == ["model + consistency"]


def test_worst_takes_the_slices_of_lowest_psnr_and_skips_those_without_tumor(tmp_path: Path) -> None:
    errors = [0.1, 0.5, 0.05, 0.4, 0.2]
    data = [batch(i, e) for i, e in enumerate(errors)] + [batch(9, 0.9, tumor=False)]
    assert run(data, PanelSaver(tmp_path, 2, "worst", dpi=30)) == ["panel_1.png", "panel_3.png"]


@pytest.mark.parametrize(
    ("select", "drawn"),
    [("first", ["panel_2.png", "panel_9.png"]), ("spread", ["panel_2.png", "panel_30.png"]), ("worst", None)],
)
def test_panels_of_a_job_are_chosen_among_the_slices_of_all_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, select: str, drawn: list[str] | None
) -> None:
    everywhere: list[Any] = []

    def gather(kept: Any) -> Any:
        everywhere.append(kept)
        return everywhere[::-1] if len(everywhere) == 2 else None  # the first run is the process that does not write

    monkeypatch.setattr("monai_srgan.handlers.panel_saver.gather_on_main", gather)
    errors = {2: 0.1, 10: 0.5, 20: 0.2, 9: 0.05, 11: 0.3, 30: 0.4}
    parts = [[batch(i, errors[i]) for i in numbers] for numbers in ((2, 10, 20), (9, 11, 30))]
    assert run(parts[0], PanelSaver(tmp_path, 2, select, dpi=30)) == []
    assert run(parts[1], PanelSaver(tmp_path, 2, select, dpi=30)) == (drawn or ["panel_10.png", "panel_30.png"])


def test_a_decollating_evaluator_gives_the_same_panels(tmp_path: Path) -> None:
    assert run([batch(3)], PanelSaver(tmp_path, dpi=30), decollate=True) == ["panel_3.png"]


def test_bad_arguments_and_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="select must be one of"):
        PanelSaver(tmp_path, select="best")
    with pytest.raises(ValueError, match="max_items must be at least 1, got 0"):
        PanelSaver(tmp_path, 0)
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot be written to"):
        run([batch(0)], PanelSaver(tmp_path / "file"))
