# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Training samples of the estimate: features that match their labels, reproducible, of several sizes."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from monai.data import DataLoader, Dataset

from monai_srgan.estimation import KERNEL_FAMILIES, MeasurementNet, fit_statistics, measurement_features
from monai_srgan.losses import MeasurementLoss
from monai_srgan.phantoms import draw_phantom_slice
from monai_srgan.physics import GaussianDownsample, RandomMeasurements, transfer_functions
from monai_srgan.transforms import MeasurementSamplesd, ScaleIntensityByPercentile


@pytest.fixture(scope="module")
def hr():
    image = np.asarray(draw_phantom_slice(2, image_size=256).image, dtype=np.float32)
    return torch.from_numpy(ScaleIntensityByPercentile()(image[None]))


def samples(hr, seed=0, **arguments):
    return MeasurementSamplesd(**arguments).set_random_state(seed)({"image": hr})


def test_the_label_is_the_truth_of_the_features(hr):
    source = RandomMeasurements(weights={"default": 1}, noise_prob=0.0)
    found = samples(hr, measurements=source, num_samples=4, resize_prob=0.0, picture_prob=0.0)
    assert len(found) == 4
    expected = torch.from_numpy(transfer_functions(GaussianDownsample(4)).ravel()).float()
    lr = GaussianDownsample(4)(hr[None])[0, 0].numpy()
    turned = [measurement_features(lr / np.percentile(lr, 99.9)), measurement_features(lr.T / np.percentile(lr, 99.9))]
    for sample in found:
        torch.testing.assert_close(sample["label"][:32], expected)
        assert sample["label"][32] == 0
        assert KERNEL_FAMILIES[int(sample["label"][33])] == "gaussian"
        distance = min(float(np.abs(sample["image"].numpy() - features.spectrum).max()) for features in turned)
        assert distance < 2.5  # rounded to 8 bits at worst


def test_noise_is_in_units_of_the_lr_image(hr):
    source = RandomMeasurements(weights={"gaussian": 1}, noise_std=(0.02, 0.02), noise_prob=1.0)
    (sample,) = samples(hr, measurements=source, num_samples=1, resize_prob=0.0, picture_prob=0.0)
    assert float(sample["label"][32]) == pytest.approx((0.02 / 0.05) ** 0.5, rel=0.1)


def test_the_same_seed_gives_the_same_samples_and_families_are_told_apart(hr):
    first, again, other = (samples(hr, seed, num_samples=20) for seed in (0, 0, 1))
    assert all(torch.equal(a["image"], b["image"]) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0]["label"], other[0]["label"])
    assert {int(sample["label"][33]) for sample in first + other} == {0, 1, 2}


def test_slices_of_other_sizes_are_seen(hr):
    transform = MeasurementSamplesd(num_samples=1, resize_prob=1.0).set_random_state(0)
    large = hr.repeat(1, 2, 2)
    sizes = {tuple(transform._resized(large).shape[1:]) for _ in range(20)}
    assert (256, 256) in sizes
    assert max(sizes)[0] > 512
    assert all(height % 4 == width % 4 == 0 for height, width in sizes)
    assert min(transform._resized(hr).shape[1] for _ in range(20)) == 256  # half of it would be too small


def test_some_slices_are_pictures_that_went_through_jpeg(hr):
    source = RandomMeasurements(weights={"default": 1}, noise_prob=0.0)
    options = {"measurements": source, "num_samples": 1, "resize_prob": 0.0, "rounding_prob": 0.0}
    transform = MeasurementSamplesd(**options, picture_prob=1.0).set_random_state(0)
    picture = transform._pictured(hr)
    assert picture.shape == hr.shape
    difference = (picture - hr).abs()
    assert 1 / 255 < float(difference.max()) < 0.3
    assert float(difference.mean()) < 0.02
    fine = [float(samples(hr, **options, picture_prob=prob)[0]["fine"][0]) for prob in (0.0, 1.0)]
    assert fine[0] != fine[1]


def test_a_network_learns_from_batches_of_samples(hr):
    data = [{"image": hr}] * 2
    transform = MeasurementSamplesd(num_samples=16, resize_prob=0.0, picture_prob=0.0).set_random_state(0)
    loader = DataLoader(Dataset(data, transform), batch_size=2)
    torch.manual_seed(0)
    network = MeasurementNet(width=16, dropout=0.0)
    fit_statistics(network, loader, batches=1)
    (batch,) = list(loader)
    assert batch["image"].shape == (32, 32, 32)
    inputs = batch["image"], batch["fine"], batch["axes"]
    loss, optimizer = MeasurementLoss(), torch.optim.Adam(network.parameters(), 1e-3)
    history = []
    for _ in range(30):
        value = loss(network(*inputs), batch["label"])
        history.append(float(value.detach()))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    assert history[-1] < 0.7 * history[0]


def test_novelty_is_small_for_the_training_set_and_large_for_another(hr):
    transform = MeasurementSamplesd(num_samples=40, resize_prob=0.0, picture_prob=0.0).set_random_state(0)
    batch = [transform({"image": hr}) for _ in range(4)]
    batches = [{key: torch.stack([s[key] for s in part]) for key in ("image", "fine", "axes")} for part in batch]
    network = MeasurementNet()
    fit_statistics(network, batches, batches=4)
    inside = network.novelty(*(batches[0][key] for key in ("image", "fine", "axes")))
    assert float(inside.max()) <= 1.01
    checkerboard = measurement_features(np.indices((96, 96)).sum(0) % 2)
    features = (torch.from_numpy(a)[None] for a in (checkerboard.spectrum, checkerboard.fine, checkerboard.axes))
    assert float(network.novelty(*features)) > 1.5


def test_the_loss_is_the_likelihood_the_error_and_the_cross_entropy():
    from monai_srgan.estimation import MeasurementOutput

    mean, log_variance = torch.full((2, 33), 0.5), torch.full((2, 33), -1.0)
    family = torch.tensor([[2.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    target = torch.cat([torch.full((2, 33), 0.3), torch.tensor([[0.0], [1.0]])], dim=1)
    likelihood = 0.5 * (-1.0 + 0.04 * np.e)
    entropy = np.mean([np.log(np.e**2 + 2) - 2, np.log(np.e + 2)])
    found = MeasurementLoss(error_weight=3.0, family_weight=0.2)(MeasurementOutput(mean, log_variance, family), target)
    assert float(found) == pytest.approx(likelihood + 3 * 0.04 + 0.2 * entropy, rel=1e-5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MeasurementSamplesd(num_samples=0), "num_samples must be an integer of at least 1, got 0"),
        (lambda: MeasurementSamplesd(picture_prob=2), "picture_prob must lie in [0, 1], got 2"),
        (lambda: MeasurementSamplesd(resize_prob=2), "resize_prob must lie in [0, 1], got 2"),
        (lambda: MeasurementSamplesd(keys=["a", "b"]), "keys must be one key"),
        (lambda: samples(torch.rand(1, 128, 256)), "image: must be (1, H, W) with at least 256 pixels"),
        (lambda: MeasurementLoss(error_weight=-1), "error_weight must not be negative, got -1"),
        (lambda: fit_statistics(MeasurementNet(), [], 1), "batches must hold more than 24 images, got 0"),
        (lambda: fit_statistics(MeasurementNet(), [], 0), "batches must be at least 1, got 0"),
    ],
)
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        make()
