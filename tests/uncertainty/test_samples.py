# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Pixels drawn from slices, and the folder that keeps them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from interval_data import MASK, maps, measured_sample

from monai_srgan.physics import Measurement, RandomMeasurements
from monai_srgan.uncertainty import PixelErrors, SampleFolder, SliceSample, draw_pixels, fit_samples, pixel_features

SLICES = [{"image": f"/data/{i}.mat", "patient": f"p{i % 2}", "tumor_type": 1} for i in range(3)]


def test_as_many_pixels_are_drawn_inside_the_tumor_as_outside() -> None:
    mean, spread, target = maps(0)
    inside = int(MASK.sum())
    for pixels in (inside - 20, inside + 30):
        found = draw_pixels(mean, spread, target, MASK, pixels=pixels)
        assert [found[name].errors.size for name in ("inside", "outside")] == [min(pixels, inside), pixels]


def test_pixels_keep_their_features_with_their_errors() -> None:
    mean, spread, target = maps(1)
    found = draw_pixels(mean, spread, target, MASK, pixels=10_000)
    features = pixel_features(mean, spread)
    for name, mask in (("inside", MASK), ("outside", ~MASK)):
        drawn = np.vstack([found[name].features, found[name].errors])
        expected = np.vstack([features[:, mask].numpy(), (target - mean).abs()[mask].numpy()])
        # all pixels are taken, in an order of their own
        np.testing.assert_allclose(drawn[:, drawn[2].argsort()], expected[:, expected[2].argsort()], rtol=1e-6)


def test_draws_follow_the_seed_and_an_empty_tumor_has_no_pixels() -> None:
    first, again, other = (draw_pixels(*maps(0), MASK, pixels=50, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first["outside"].errors, again["outside"].errors)
    assert (first["outside"].errors != other["outside"].errors).any()
    assert list(draw_pixels(*maps(0), torch.zeros_like(MASK))) == ["outside"]
    with pytest.raises(ValueError, match="pixels must be at least 1, got 0"):
        draw_pixels(*maps(0), MASK, pixels=0)


def flat(patient: str, inside: float, outside: float, pixels: int = 500) -> SliceSample:
    regions = {
        name: PixelErrors(np.ones((2, count)), np.full(count, error))
        for name, count, error in (("inside", pixels, inside), ("outside", 3 * pixels, outside))
    }
    return SliceSample(patient, "{}", None, regions)


def test_the_tumor_counts_like_the_rest_of_a_slice_and_patients_alike() -> None:
    one = [flat("a", 2.0, 1.0)]
    assert fit_samples(one, 0.49).quantiles.tolist() == [[1.0]]
    assert fit_samples(one, 0.51).quantiles.tolist() == [[2.0]]
    # four slices of one patient, one of the other: half of the weight each
    several = [*(flat("a", 1.0, 1.0) for _ in range(4)), flat("b", 2.0, 2.0)]
    assert fit_samples(several, 0.49).quantiles.tolist() == [[1.0]]
    assert fit_samples(several, 0.51).quantiles.tolist() == [[2.0]]
    with pytest.raises(ValueError, match="there are no pixels to fit a table to: add slices"):
        fit_samples([SliceSample("a", "{}", None, {})])


@pytest.mark.parametrize("declined", [False, True])
def test_a_sample_comes_back_from_its_file(tmp_path: Path, declined: bool) -> None:
    sample = measured_sample("Maß", 1.2, 0.03, 0)
    if declined:
        sample = SliceSample("Maß", sample.measurement, None, {})
    sample.save(tmp_path / "a.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
    found = SliceSample.load(tmp_path / "a.npz")
    assert (found.patient, found.measurement, found.numbers) == ("Maß", sample.measurement, sample.numbers)
    assert list(found.regions) == list(sample.regions)
    for name, pixels in found.regions.items():
        np.testing.assert_array_equal(pixels.features, sample.regions[name].features)
        np.testing.assert_array_equal(pixels.errors, sample.regions[name].errors)


def folder(path: Path, **arguments) -> SampleFolder:
    return SampleFolder(path, SLICES, RandomMeasurements(), **{"draws": 4, **arguments})


def test_every_slice_is_measured_in_as_many_ways_as_draws(tmp_path: Path) -> None:
    items = folder(tmp_path).items
    assert [item["image"] for item in items] == [item["image"] for item in SLICES] * 4
    assert len({item["measurement"] for item in items}) >= 8  # the default is drawn often
    assert len({item["sample"] for item in items}) == 12
    for item in items:
        assert item["tumor_type"] == 1
        record = json.loads(item["measurement"])
        assert json.loads(json.dumps(Measurement.from_dict(record).to_dict())) == record


def test_more_draws_or_slices_leave_the_others_as_they_are(tmp_path: Path) -> None:
    names = {item["sample"] for item in folder(tmp_path).items}
    assert names < {item["sample"] for item in folder(tmp_path, draws=5).items}
    elsewhere = [{**item, "image": f"/other{item['image']}"} for item in SLICES]
    assert not names & {item["sample"] for item in SampleFolder(tmp_path, elsewhere, RandomMeasurements()).items}
    fewer = SampleFolder(tmp_path, SLICES[1:], RandomMeasurements(), draws=4)
    assert {item["sample"] for item in fewer.items} < names


@pytest.mark.parametrize("change", [{"seed": 1}, {"identity": {"weights": "abc"}}])
def test_other_settings_have_other_files(tmp_path: Path, change: dict) -> None:
    names = {item["sample"] for item in folder(tmp_path).items}
    assert not names & {item["sample"] for item in folder(tmp_path, **change).items}


def test_what_is_there_is_not_missing_and_is_loaded(tmp_path: Path) -> None:
    made = folder(tmp_path / "new", draws=1)
    assert made.missing == made.items
    first, *rest = made.items
    made.add(first["sample"], measured_sample("a", 1.5, 0.0, 0))
    assert made.missing == rest
    with pytest.raises(FileNotFoundError, match=r"2 of 3 samples are not in .*new: run the evaluator first"):
        made.load()
    for item in rest:
        made.add(item["sample"], measured_sample("b", 1.5, 0.0, 0))
    assert [sample.patient for sample in folder(tmp_path / "new", draws=1).load()] == ["a", "b", "b"]


def test_no_draws_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="draws must be at least 1, got 0"):
        folder(tmp_path, draws=0)
