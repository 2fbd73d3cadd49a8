# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Training samples of the outlier network: what counts as processed, and what every kind does to an image."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from scipy import ndimage

from monai_srgan.estimation import OutlierNet, fit_statistics, measurement_features
from monai_srgan.phantoms import draw_phantom_slice
from monai_srgan.physics import GaussianDownsample
from monai_srgan.transforms import OutlierSamplesd, RandomProcessing, ScaleIntensityByPercentile


@pytest.fixture(scope="module")
def hr():
    image = np.asarray(draw_phantom_slice(2, image_size=256).image, dtype=np.float32)
    return torch.from_numpy(ScaleIntensityByPercentile()(image[None]))


def measured(hr, *, noise=True):  # noqa: ARG001 - it has none
    return GaussianDownsample(4)(hr[None])[0, 0].numpy()


def samples(hr, seed=0, **arguments):
    return OutlierSamplesd(**arguments).set_random_state(seed)({"image": hr})


@pytest.mark.parametrize("kind", list(RandomProcessing().kinds))
def test_every_kind_changes_the_measured_image_and_keeps_its_size(hr, kind):
    process = RandomProcessing().kinds[kind]
    plain = measured(hr)
    for seed in range(5):
        found = process(hr, measured, np.random.RandomState(seed))
        assert found.shape == plain.shape
        assert np.isfinite(found).all()
        assert np.abs(found - plain).max() > 0.003
        assert np.corrcoef(found.ravel(), plain.ravel())[0, 1] > 0.8
        again = process(hr, measured, np.random.RandomState(seed))
        np.testing.assert_array_equal(found, again)


def test_sharpening_raises_high_frequencies_and_smoothing_lowers_them(hr):
    def detail(image):
        return float(np.std(image - ndimage.uniform_filter(image, 3)))

    process, plain = RandomProcessing(), detail(measured(hr))
    for seed in range(5):
        rng = np.random.RandomState(seed)
        assert detail(process.kinds["sharpened"](hr, measured, rng)) > 1.1 * plain
        assert detail(process.kinds["smoothed"](hr, measured, rng)) < 0.95 * plain


def test_labels_tell_the_processed_images_and_the_slice_itself_is_none(hr):
    for prob in (0.0, 1.0):
        found = samples(hr, outlier_prob=prob, num_samples=6)
        assert len(found) == 6
        assert [float(sample["label"]) for sample in found] == [prob] * 5 + [0.0]
    whole = samples(hr, rounding_prob=0.0)[-1]
    expected = measurement_features(hr[0].numpy() / np.percentile(hr, 99.9))
    np.testing.assert_allclose(whole["image"].numpy(), expected.spectrum, rtol=0, atol=1e-4)
    mixed = [float(sample["label"]) for sample in samples(hr, num_samples=40)]
    assert 8 < sum(mixed) < 32


def test_the_same_seed_gives_the_same_samples(hr):
    first, again, other = (samples(hr, seed, num_samples=4) for seed in (0, 0, 1))
    assert all(torch.equal(a["axes"], b["axes"]) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0]["axes"], other[0]["axes"])


def test_a_network_learns_to_tell_them_apart(hr):
    batch = samples(hr, num_samples=60, resize_prob=0.0, picture_prob=0.0)
    inputs = [torch.stack([sample[key] for sample in batch]) for key in ("image", "fine", "axes")]
    label = torch.stack([sample["label"] for sample in batch])
    torch.manual_seed(0)
    network = OutlierNet(members=2, width=16, dropout=0.0)
    fit_statistics(network, [dict(zip(("image", "fine", "axes"), inputs, strict=True))], batches=1)
    assert network(*inputs).shape == (60, 2)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(60):
        logits = network(*inputs)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, label.expand_as(logits))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    logits = network(*inputs).detach()
    network.eval()
    with torch.no_grad():
        mixed = network(*inputs)
    assert mixed.shape == (60, 1)
    torch.testing.assert_close(torch.sigmoid(mixed[:, 0]), torch.sigmoid(logits).mean(1), atol=1e-4, rtol=0)
    assert float(((mixed > 0) == (label > 0)).float().mean()) > 0.9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_samples": 1}, "num_samples must be at least 2, got 1"),
        ({"outlier_prob": -0.1}, "outlier_prob must lie in [0, 1], got -0.1"),
        ({"rounding_prob": 2}, "rounding_prob must lie in [0, 1], got 2"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        OutlierSamplesd(**arguments)
