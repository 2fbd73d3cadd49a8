# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""ST-LPIPS: its formula with random weights, and the authors' own values where their weights are installed."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from torch.nn import functional as F

from monai_srgan.metrics import STLPIPS
from monai_srgan.metrics.st_lpips import st_lpips_is_installed
from monai_srgan.networks import ShiftTolerantAlexNet

KEYS = ("slice1.0", "slice2.5", "slice3.9", "slice4.11", "slice5.13")
SIZE = (48, 61)

needs_weights = pytest.mark.skipif(
    importlib.util.find_spec("stlpips_pytorch") is None,
    reason='the weights of ST-LPIPS are not installed: pip install "monai-srgan[perceptual]"',
)


def state_dict() -> dict[str, torch.Tensor]:
    """Random weights in the authors' format, with the entries that are not needed."""
    torch.manual_seed(6)
    network = ShiftTolerantAlexNet()
    state = {"scaling_layer.shift": torch.zeros(1, 3, 1, 1), "net.slice1.1.filt": torch.ones(64, 1, 3, 3)}
    for i, key in enumerate(KEYS):
        convolution = getattr(network, f"conv{i + 1}")
        state |= {f"net.{key}.weight": convolution.weight.data, f"net.{key}.bias": convolution.bias.data}
        state[f"lin{i}.model.1.weight"] = 10 * torch.rand(1, network.channels[i], 1, 1)
    return state


def write(path: Path, state: dict[str, torch.Tensor]) -> dict[str, Any]:
    """Save weights; the arguments that read them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path)
    return {"weights": path, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return write(tmp_path_factory.mktemp("weights") / "random.pth", state_dict())


@pytest.fixture
def score(random_weights: dict[str, Any]) -> STLPIPS:
    return STLPIPS(**random_weights)


def images(height: int = SIZE[0], width: int = SIZE[1]) -> tuple[torch.Tensor, torch.Tensor]:
    """A smooth pattern and one that is shifted and has less contrast, both in [0, 1]."""
    y, x = torch.meshgrid(torch.arange(height) / 8, torch.arange(width) / 8, indexing="ij")
    target = 0.5 + 0.25 * torch.sin(3 * x + y**2 / 4) + 0.2 * torch.cos(7 * y - x)
    pred = 0.5 + 0.25 * torch.sin(3 * x + y**2 / 4 + 0.3) + 0.05 * torch.cos(7 * y - x)
    return pred[None, None], target[None, None]


def whole(image: torch.Tensor) -> dict[str, torch.Tensor]:
    return {"whole": torch.ones(len(image), 1, *image.shape[-2:], dtype=torch.bool)}


def tumor(batch: int = 1) -> torch.Tensor:
    mask = torch.zeros(batch, 1, *SIZE, dtype=torch.bool)
    mask[..., 3:20, 0:25] = True
    return mask


def layer_maps(pred: torch.Tensor, target: torch.Tensor) -> list[np.ndarray]:
    """The formula in numpy: weighted squared differences of features of unit norm, `(h, w)` for each layer."""
    state, network = state_dict(), ShiftTolerantAlexNet()
    network.load_published(state)
    maps = []
    for k, (p, t) in enumerate(zip(network(pred), network(target), strict=True)):
        p, t = (x[0].double().numpy() for x in (p, t))
        p, t = (x / np.sqrt((x**2).sum(0, keepdims=True)) for x in (p, t))
        maps.append(np.einsum("c,chw->hw", state[f"lin{k}.model.1.weight"].flatten().double().numpy(), (p - t) ** 2))
    return maps


def test_the_whole_image_has_the_sum_of_the_layers_means(score: STLPIPS) -> None:
    pred, target = images()
    got = score(pred, target, whole(pred), pred[..., ::4, ::4])
    assert list(got) == [("whole", "st_lpips")]
    value = got["whole", "st_lpips"]
    assert (value.dtype, value.shape) == (torch.float64, (1,))
    assert value.item() == pytest.approx(sum(m.mean() for m in layer_maps(pred, target)), rel=1e-5)
    assert value.item() > 1e-3


def test_the_map_is_the_layers_enlarged_bilinearly(score: STLPIPS) -> None:
    pred, target = images()
    got = score.distance_map(pred, target)
    expected = sum(
        F.interpolate(torch.from_numpy(m)[None, None], size=SIZE, mode="bilinear") for m in layer_maps(pred, target)
    )
    assert got.shape == (1, 1, *SIZE)
    torch.testing.assert_close(got, expected, rtol=0.05, atol=0)  # up to the factors that keep the mean
    assert got.mean().item() == pytest.approx(score(pred, target, whole(pred))["whole", "st_lpips"].item(), rel=1e-12)


def test_inside_and_outside_add_up_to_the_whole(score: STLPIPS) -> None:
    pred, target = images()
    mask = tumor()
    found = score(pred, target, {"inside": mask, "outside": ~mask, **whole(pred)})
    got = {region: values for (region, _), values in found.items()}
    n_in, n = mask.sum().item(), mask.numel()
    parts = n_in * got["inside"] + (n - n_in) * got["outside"]
    torch.testing.assert_close(parts, n * got["whole"], rtol=1e-12, atol=0)
    assert abs(got["inside"] - got["outside"]).item() > 1e-3 * got["whole"].item()


def test_a_difference_in_one_corner_is_found_there_and_not_far_away(score: STLPIPS) -> None:
    _, target = images(200, 64)
    pred = target.clone()
    pred[..., :8, :8] += 0.3
    near, far = torch.zeros(2, 1, 1, 200, 64, dtype=torch.bool)
    near[..., :16, :16], far[..., 150:, :] = True, True
    found = score(pred, target, {"near": near, "far": far})
    got = {region: values for (region, _), values in found.items()}
    assert got["near"].item() > 1e-3
    assert got["far"].item() == pytest.approx(0, abs=1e-9)


def test_identical_images_have_0_and_an_empty_region_is_nan(score: STLPIPS) -> None:
    pred, target = (x.repeat(2, 1, 1, 1) for x in images())
    mask = tumor(2)
    mask[0] = False
    got = score(pred, target, {"inside": mask})["inside", "st_lpips"]
    assert torch.isnan(got[0])
    alone = score(pred[:1], target[:1], {"inside": tumor()})["inside", "st_lpips"]
    assert got[1].item() == pytest.approx(alone.item(), rel=1e-5)
    assert score(target, target, whole(target))["whole", "st_lpips"].tolist() == [0.0, 0.0]


def test_gray_images_are_three_equal_channels(score: STLPIPS) -> None:
    pred, target = images()
    color = score(pred.repeat(1, 3, 1, 1), target.repeat(1, 3, 1, 1), whole(pred))
    assert torch.equal(color["whole", "st_lpips"], score(pred, target, whole(pred))["whole", "st_lpips"])


def test_the_targets_features_are_computed_once_and_again_when_it_changes(
    score: STLPIPS, random_weights: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    passes = []
    forward = score.network.forward
    monkeypatch.setattr(score.network, "forward", lambda x: passes.append(1) or forward(x))
    pred, target = images()
    first = score(pred, target, whole(pred))
    second = score(0.5 * pred, target.clone(), whole(pred))
    assert len(passes) == 3
    fresh = STLPIPS(**random_weights)
    assert torch.equal(second["whole", "st_lpips"], fresh(0.5 * pred, target, whole(pred))["whole", "st_lpips"])
    target *= 0.9  # the same tensor with other values
    third = score(pred, target, whole(pred))
    assert len(passes) == 5
    assert third["whole", "st_lpips"] != first["whole", "st_lpips"]
    score(pred.repeat(2, 1, 1, 1), target.repeat(2, 1, 1, 1), whole(pred.repeat(2, 1, 1, 1)))
    assert len(passes) == 7


def test_autocast_metatensors_and_gradients_leave_no_trace(score: STLPIPS) -> None:
    pred, target = images()
    plain = score(pred, target, whole(pred))["whole", "st_lpips"]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = score(MetaTensor(pred).requires_grad_(), MetaTensor(target), whole(pred))["whole", "st_lpips"]
    assert type(got) is torch.Tensor
    assert torch.equal(got, plain)
    assert not got.requires_grad


def test_bad_images_are_refused_by_name(score: STLPIPS) -> None:
    pred, target = images()
    with pytest.raises(ValueError, match="same shape"):
        score(pred, target.repeat(2, 1, 1, 1), whole(pred))
    with pytest.raises(
        ValueError, match=r"pred must have shape \(B, 1, H, W\) or \(B, 3, H, W\), got \(1, 2, 48, 61\)"
    ):
        score(pred.repeat(1, 2, 1, 1), target, whole(pred))
    with pytest.raises(TypeError, match="target must be a floating point tensor"):
        score(pred, (255 * target).to(torch.uint8), whole(pred))
    with pytest.raises(ValueError, match="pred has NaN or infinite values"):
        score(pred + torch.nan, target, whole(pred))
    with pytest.raises(ValueError, match="at least 21"):
        score(pred[..., :20, :], target[..., :20, :], whole(pred))


def test_without_the_package_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert not st_lpips_is_installed()
    with pytest.raises(ModuleNotFoundError, match=r'pip install "monai-srgan\[perceptual\]"'):
        STLPIPS()


def test_the_package_is_located_and_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "stlpips_pytorch"
    package.mkdir()
    (package / "__init__.py").write_text("raise AssertionError('this code must not run')")
    monkeypatch.syspath_prepend(tmp_path)
    assert st_lpips_is_installed()
    with pytest.raises(FileNotFoundError, match="alex_shift_tolerant"):
        STLPIPS()
    arguments = write(package / "weights" / "vST0.0" / "alex_shift_tolerant.pth", state_dict())
    with pytest.raises(ValueError, match=rf"the sha256 of .* is {arguments['sha256']}, expected b356b382"):
        STLPIPS()
    pred, target = images()
    assert STLPIPS(sha256=arguments["sha256"].upper())(pred, target, whole(pred))["whole", "st_lpips"].item() > 0
    assert "stlpips_pytorch" not in sys.modules


@pytest.mark.parametrize("spoil", ["missing", "shape", "linear"])
def test_weights_of_another_format_are_refused(tmp_path: Path, spoil: str) -> None:
    state = state_dict()
    if spoil == "missing":
        del state["net.slice3.9.bias"]
    elif spoil == "shape":
        state["net.slice1.0.weight"] = torch.zeros(64, 1, 11, 11)
    else:
        state["lin2.model.1.weight"] = torch.zeros(1, 64, 1, 1)
    arguments = write(tmp_path / "other.pth", state)
    with pytest.raises(ValueError, match=r"other\.pth is not in the authors' format"):
        STLPIPS(**arguments)


@needs_weights
@pytest.mark.parametrize(
    ("size", "value"),
    [((64, 80), 0.15495647490024567), ((37, 52), 0.20951923727989197), ((52, 37), 0.16525131464004517)],
)
def test_values_are_the_authors(size: tuple[int, int], value: float) -> None:
    """Those of ``stlpips.LPIPS(net="alex", variant="shift_tolerant")(pred, target, normalize=True)``, 0.0.2."""
    pred, target = images(*size)
    got = STLPIPS()(pred, target, whole(pred))["whole", "st_lpips"]
    assert got.item() == pytest.approx(value, abs=1e-6)
    assert "stlpips_pytorch" not in sys.modules


@needs_weights
@pytest.mark.real_data
@pytest.mark.parametrize(("file", "value"), [("16.mat", 0.20632784068584442), ("1536.mat", 0.3512381613254547)])
def test_bicubic_enlargements_of_real_slices_have_the_authors_values(
    real_data_dir: Path, file: str, value: float
) -> None:
    from monai_srgan.data import read_cjdata
    from monai_srgan.physics import BicubicUpsample, GaussianDownsample

    image = torch.from_numpy(read_cjdata(next(real_data_dir.rglob(file))).image)[None, None].float()
    image = (image / torch.quantile(image, 0.999)).clamp(0, 1)
    bicubic = BicubicUpsample(4)(GaussianDownsample(4)(image))
    assert STLPIPS()(bicubic, image, whole(image))["whole", "st_lpips"].item() == pytest.approx(value, abs=1e-5)
