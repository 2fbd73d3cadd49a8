# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Inference by the assumed measurement: condition, projection, and bicubic interpolation where it is declined."""

from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor
from monai.inferers import SimpleInferer

from monai_srgan.estimation import AssumedMeasurement
from monai_srgan.inferers import MeasuredInferer, SelfEnsembleInferer, TiledSRInferer, assumed_measurements
from monai_srgan.networks import SRResNet
from monai_srgan.physics import (
    BicubicUpsample,
    ConsistencyProjection,
    GaussianDownsample,
    KSpaceDownsample,
    Measurement,
    PerAxisDownsample,
)
from monai_srgan.transforms import ASSUMED_MEASUREMENT

PER_AXIS = Measurement(PerAxisDownsample(GaussianDownsample(4, 1.0), KSpaceDownsample(4, support=0.8)))
NOISY = Measurement(KSpaceDownsample(4), 0.02)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    net = SRResNet(num_blocks=2, channels=8, norm=None, global_residual="bicubic", condition=36)
    with torch.no_grad():
        net.tail.weight.normal_(std=0.05)
        net.film.out.weight.normal_(std=0.2)
    return net.eval()


def image(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def with_record(images, *records):
    texts = [record.to_json() for record in records]
    return MetaTensor(images, meta={ASSUMED_MEASUREMENT: texts if len(texts) > 1 else texts[0]})


def test_the_network_sees_the_condition_and_the_result_is_projected(network):
    x = image(1, 1, 16, 12)
    with torch.no_grad():
        pred = network(x, PER_AXIS.condition()[None])
    result = MeasuredInferer(TiledSRInferer())(with_record(x, AssumedMeasurement.told(PER_AXIS)), network)
    expected = ConsistencyProjection(PER_AXIS.operator)(pred, x)
    torch.testing.assert_close(result.as_tensor(), expected, rtol=0, atol=1e-5)
    assert float((PER_AXIS.operator(result.as_tensor()) - x).abs().mean()) < 0.5 * float(x.std())


def test_the_projection_is_weighted_by_the_noise_and_can_be_left_out(network):
    x = with_record(image(1, 1, 16, 12), AssumedMeasurement.told(NOISY))
    plain = MeasuredInferer(TiledSRInferer(), consistency=False)(x, network)
    noisy = MeasuredInferer(TiledSRInferer(), prior_std=0.05)(x, network)
    weighted = ConsistencyProjection(NOISY.operator, noise_std=0.02, prior_std=0.05)
    torch.testing.assert_close(noisy, weighted(plain, x.as_tensor()), rtol=0, atol=1e-6)
    exact = ConsistencyProjection(NOISY.operator)(plain, x.as_tensor())
    assert (noisy - plain).abs().mean() < (exact - plain).abs().mean()


def test_a_declined_image_is_interpolated_without_the_network():
    def network(*_args, **_kwargs):
        raise AssertionError("the network must not run")

    declined = AssumedMeasurement.unknown("too small")
    x = image(1, 1, 8, 8, 2)
    result = MeasuredInferer(SimpleInferer())(with_record(x, declined), network)
    for k in range(2):
        assert torch.equal(result[..., k].as_tensor(), BicubicUpsample(4)(x[..., k]))


def test_each_image_of_a_batch_has_its_own_record(network):
    x = image(2, 1, 12, 12)
    records = [AssumedMeasurement.told(PER_AXIS), AssumedMeasurement.unknown("?")]
    both = MeasuredInferer(TiledSRInferer())(with_record(x, *records), network)
    for i, record in enumerate(records):
        alone = MeasuredInferer(TiledSRInferer())(x[i : i + 1], network, measurements=[record])
        torch.testing.assert_close(both[i : i + 1].as_tensor(), alone, rtol=0, atol=1e-5)
    with pytest.raises(ValueError, match="one record per image, got 1 for 2 images"):
        MeasuredInferer(TiledSRInferer())(x, network, measurements=records[:1])


def test_an_image_without_a_record_is_taken_for_the_default(network):
    x = image(1, 1, 12, 12)
    with torch.no_grad():
        torch.testing.assert_close(MeasuredInferer(TiledSRInferer())(x, network), network(x), rtol=0, atol=1e-5)
    assert assumed_measurements(x) == []


def test_volumes_are_projected_slice_by_slice(network):
    x = image(1, 1, 12, 8, 2)
    result = MeasuredInferer(TiledSRInferer())(x, network, measurements=[AssumedMeasurement.told(PER_AXIS)])
    for k in range(2):
        one = MeasuredInferer(TiledSRInferer())(x[..., k], network, measurements=[AssumedMeasurement.told(PER_AXIS)])
        torch.testing.assert_close(result[..., k], one, rtol=0, atol=1e-5)


def test_the_self_ensemble_turns_the_record_with_the_image(network):
    x = with_record(image(1, 1, 12, 8), AssumedMeasurement.told(PER_AXIS))
    ensemble = SelfEnsembleInferer(MeasuredInferer(TiledSRInferer()))
    mean = ensemble(x, network)[:, :1].as_tensor()
    expected = torch.zeros_like(mean)
    for swap in (False, True):
        operator = PER_AXIS.operator
        record = Measurement(PerAxisDownsample(operator.second, operator.first) if swap else operator)
        for flips in ([], [2], [3], [2, 3]):
            turned = (x.as_tensor().mT if swap else x.as_tensor()).flip(flips).contiguous()
            told = [AssumedMeasurement.told(record)]
            result = MeasuredInferer(TiledSRInferer())(turned, network, measurements=told).flip(flips)
            expected += (result.mT if swap else result) / 8
    torch.testing.assert_close(mean, expected, rtol=0, atol=1e-5)


def test_records_survive_the_metadata():
    record = AssumedMeasurement.told(PER_AXIS)
    (again,) = assumed_measurements(with_record(image(1, 1, 8, 8), record))
    torch.testing.assert_close(again.condition, record.condition, rtol=0, atol=1e-6)
    assert again.measurement == PER_AXIS
    assert (again.basis, again.summary, again.declined) == ("told", PER_AXIS.description, None)
    twice = record.transposed().transposed()
    torch.testing.assert_close(twice.condition, record.condition)
    assert twice.measurement == PER_AXIS


def test_bad_input_is_refused(network):
    with pytest.raises(TypeError, match=r"inferer must be a monai\.inferers\.Inferer"):
        MeasuredInferer(network)
    with pytest.raises(ValueError, match="inputs must have shape"):
        MeasuredInferer(TiledSRInferer())(image(1, 8, 8), network)
