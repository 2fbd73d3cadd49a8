# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Mean, spread and half-width over eight flips and rotations of an image."""

from __future__ import annotations

import re
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.inferers import Inferer
from torch import nn
from torch.nn.functional import interpolate

from monai_srgan.estimation import AssumedMeasurement
from monai_srgan.inferers import ConsistentInferer, MeasuredInferer, SelfEnsembleInferer, TiledSRInferer
from monai_srgan.networks import SRResNet, weights_sha256
from monai_srgan.physics import ConsistencyProjection, GaussianDownsample, KSpaceDownsample, Measurement
from monai_srgan.transforms import ASSUMED_MEASUREMENT
from monai_srgan.uncertainty import (
    Calibration,
    CellIntervals,
    IntervalTable,
    MeasuredIntervals,
    MeasurementCell,
    QuantileTable,
    TrustMaps,
)

PLAIN = TiledSRInferer(precision=None)
HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "trust-maps.md"


def trained(**kwargs) -> SRResNet:
    torch.manual_seed(0)
    network = SRResNet(**{"num_blocks": 1, "channels": 8, "norm": None, "global_residual": "bicubic", **kwargs})
    nn.init.normal_(network.tail.weight, std=0.05)
    return network.eval()


def nearest(x: torch.Tensor) -> torch.Tensor:
    return interpolate(x, scale_factor=4.0, mode="nearest")


def by_hand(x: torch.Tensor, network) -> torch.Tensor:
    """The eight results, transformed back by numpy's rot90 and transpose, stacked along a new first axis."""
    results = []
    for quarter in range(4):
        for mirror in (False, True):
            turned = np.rot90(x.numpy(), quarter, axes=(2, 3))
            turned = turned.swapaxes(2, 3) if mirror else turned
            with torch.no_grad():
                result = network(torch.from_numpy(turned.copy())).numpy()
            result = result.swapaxes(2, 3) if mirror else result
            results.append(np.rot90(result, -quarter, axes=(2, 3)))
    return torch.from_numpy(np.stack(results))


def test_mean_and_spread_are_those_of_the_eight_results():
    network, x = trained(), torch.rand(2, 1, 13, 9)
    found = SelfEnsembleInferer(TiledSRInferer(tile=8, precision=None))(x, network)
    assert found.shape == (2, 2, 52, 36)
    assert found.dtype == torch.float32
    results = by_hand(x, network).double()
    torch.testing.assert_close(found[:, :1].double(), results.mean(dim=0), rtol=0, atol=1e-6)
    torch.testing.assert_close(found[:, 1:].double(), results.std(dim=0, correction=0), rtol=0, atol=1e-6)
    assert found[:, 1:].mean() > 1e-3


def test_where_the_eight_agree_there_is_no_spread():
    x = torch.rand(1, 3, 6, 5)
    found = SelfEnsembleInferer(PLAIN)(x, nearest)
    torch.testing.assert_close(found[:, :3], nearest(x), rtol=0, atol=1e-7)
    assert found[:, 3:].max() < 1e-7


def test_a_volume_is_turned_in_plane_slice_by_slice():
    network, x = trained(), torch.rand(1, 1, 8, 6, 3)
    ensemble = SelfEnsembleInferer()
    found = ensemble(x, network)
    assert found.shape == (1, 2, 32, 24, 3)
    torch.testing.assert_close(found[..., 1], ensemble(x[..., 1], network), rtol=0, atol=1e-5)


def test_metadata_are_kept_and_the_input_does_not_change():
    x = MetaTensor(torch.rand(1, 1, 8, 8), meta={"filename_or_obj": "a.nii"})
    before = x.clone()
    found = SelfEnsembleInferer(PLAIN)(x, nearest)
    assert isinstance(found, MetaTensor)
    assert found.meta["filename_or_obj"] == "a.nii"
    assert torch.equal(x, before)
    assert type(SelfEnsembleInferer(PLAIN)(x.as_tensor(), nearest)) is torch.Tensor


def test_a_network_that_returns_its_input_does_not_modify_it():
    x = torch.rand(1, 1, 4, 4)
    before = x.clone()
    SelfEnsembleInferer(PLAIN)(x, lambda image: image)
    assert torch.equal(x, before)


def test_the_results_are_not_kept():
    alive: list[weakref.ref] = []
    most = 0

    class Counting(Inferer):
        def __call__(self, inputs, network):
            nonlocal most
            most = max(most, sum(ref() is not None for ref in alive))
            result = network(inputs)
            alive.append(weakref.ref(result))
            return result

    SelfEnsembleInferer(Counting())(torch.rand(1, 1, 4, 4), nearest)
    assert len(alive) == 8
    assert most <= 1


@pytest.fixture
def intervals() -> IntervalTable:
    table = QuantileTable((np.array([1e-3, 1e-2]), np.array([0.05])), np.arange(1.0, 7.0).reshape(3, 2) / 100)
    return IntervalTable(0.9, 1.5, table, weights_sha256(trained()))


@pytest.mark.parametrize("shape", [(2, 2, 9, 7), (1, 2, 9, 7, 2)])
def test_intervals_add_the_half_width_of_every_channel(shape, intervals, tmp_path):
    network, x = trained(in_channels=2, out_channels=2), torch.rand(shape)
    intervals.save(tmp_path / "intervals.json")
    for given in (intervals, tmp_path / "intervals.json", str(tmp_path / "intervals.json")):
        found = SelfEnsembleInferer(intervals=given, check_weights=False)(x, network)
        mean, spread, half_width = found.split(2, dim=1)
        torch.testing.assert_close(half_width, intervals.half_width(mean, spread), rtol=0, atol=0)
    torch.testing.assert_close(found[:, :4], SelfEnsembleInferer()(x, network), rtol=0, atol=0)
    assert len(half_width.unique()) > 1


def test_intervals_for_other_weights_are_refused_unless_allowed(intervals):
    network, x = trained(), torch.rand(1, 1, 8, 8)
    assert SelfEnsembleInferer(intervals=intervals)(x, network).shape[1] == 3
    with torch.no_grad():
        network.tail.bias += 0.1
    with pytest.raises(ValueError, match="the intervals were calibrated for weights with sha256"):
        SelfEnsembleInferer(intervals=intervals)(x, network)
    assert SelfEnsembleInferer(intervals=intervals, check_weights=False)(x, network).shape[1] == 3


def test_the_mean_of_consistent_images_is_consistent():
    operator, network, x = GaussianDownsample(4), trained(), torch.rand(1, 1, 16, 12)
    inferer = ConsistentInferer(TiledSRInferer(), ConsistencyProjection(operator))
    mean, spread = SelfEnsembleInferer(inferer)(x, network).split(1, dim=1)
    assert (operator(mean) - x).abs().max() < 1e-4
    assert (operator(SelfEnsembleInferer()(x, network)[:, :1]) - x).abs().max() > 1e-2
    assert spread.mean() > 1e-4


def test_intervals_for_another_kind_of_result_are_refused(intervals):
    consistent = ConsistentInferer(TiledSRInferer(), ConsistencyProjection(GaussianDownsample(4)))
    with pytest.raises(ValueError, match="calibrated for results without the projection"):
        SelfEnsembleInferer(consistent, intervals)
    projected = replace(intervals, consistent=True)
    SelfEnsembleInferer(consistent, projected)
    with pytest.raises(ValueError, match=r"calibrated for results with the projection.*intervals=None"):
        SelfEnsembleInferer(TiledSRInferer(), projected)


def test_each_image_of_a_batch_has_the_half_width_of_its_own_record_or_none(intervals):
    network = trained(condition=36)
    cells = [
        CellIntervals(MeasurementCell(noise, (0.0, 1.0)), intervals.table, Calibration(factor, 2, 2, 0.2, 0, {}, None))
        for noise, factor in (((0.0, 0.01), 1.5), ((0.01, 0.03), 2.5))
    ]
    measured = MeasuredIntervals(0.9, tuple(cells), "told", weights_sha256(network), consistent=True)
    operators = ((GaussianDownsample(4), 0.0), (KSpaceDownsample(4), 0.02), (GaussianDownsample(4), 0.04))
    told = [Measurement(*pair) for pair in operators]
    records = [*map(AssumedMeasurement.told, told), AssumedMeasurement.unknown("constant")]
    meta = {ASSUMED_MEASUREMENT: [record.to_json() for record in records]}
    x = MetaTensor(torch.rand(4, 1, 12, 16), meta=meta)
    found = SelfEnsembleInferer(MeasuredInferer(PLAIN), measured)(x, network)
    maps = TrustMaps.split(found.as_tensor(), 1)
    for i, factor in enumerate((1.5, 2.5)):
        expected = factor * intervals.table(maps.mean, maps.spread)[i]
        torch.testing.assert_close(maps.half_width[i], expected, rtol=0, atol=0)
    assert maps.half_width[2:].isnan().all()
    assert not maps.mean.isnan().any()
    without = SelfEnsembleInferer(MeasuredInferer(PLAIN), measured)(x.as_tensor(), network)
    assert TrustMaps.split(without, 1).half_width.isnan().all()


def test_a_measured_inferer_projects_or_does_not(intervals):
    assert SelfEnsembleInferer(MeasuredInferer(PLAIN)).consistent
    assert not SelfEnsembleInferer(MeasuredInferer(PLAIN, consistency=False), intervals).consistent
    with pytest.raises(ValueError, match="calibrated for results without the projection"):
        SelfEnsembleInferer(MeasuredInferer(PLAIN), intervals)


def test_the_precision_inside_a_measured_inferer_is_compared(intervals, caplog):
    with caplog.at_level("INFO"):
        SelfEnsembleInferer(MeasuredInferer(TiledSRInferer()), replace(intervals, consistent=True, precision="bf16"))
    assert "calibrated with the network in bf16, and it runs in fp32" in caplog.text


def test_invalid_inferers_and_images_are_refused():
    with pytest.raises(TypeError, match=r"inferer must be a monai.inferers.Inferer or None, got function"):
        SelfEnsembleInferer(nearest)
    with pytest.raises(ValueError, match=r"inputs must have shape \(B, C, X, Y\)"):
        SelfEnsembleInferer(PLAIN)(torch.zeros(1, 8, 8), nearest)


def test_the_blocks_of_the_how_to_run():
    code = "\n".join(re.findall(r"^```python\n(.*?)^```$", HOW_TO.read_text(encoding="utf-8"), re.M | re.S))
    namespace: dict = {}
    exec(compile(code, str(HOW_TO), "exec"), namespace)
    assert namespace["maps"].mean.shape == namespace["maps"].spread.shape == (1, 1, 256, 192)
