# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A network with weights and inferer as a method of a comparison."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from monai_srgan.errors import argument_of
from monai_srgan.estimation import AssumedMeasurement
from monai_srgan.inferers import MeasuredInferer, Predictor, TiledSRInferer
from monai_srgan.networks import SRResNet
from monai_srgan.physics import BicubicUpsample, KSpaceDownsample, Measurement


def small(seed: int) -> SRResNet:
    torch.manual_seed(seed)
    return SRResNet(num_blocks=1, channels=4, norm="batch").eval()


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "model.pt"
    torch.save(small(0).state_dict(), path)
    return path


def test_a_predictor_is_its_network_with_the_files_weights(weights: Path) -> None:
    image = torch.rand(2, 1, 9, 8)
    predictor = Predictor(small(5).train(), weights, inferer=TiledSRInferer(precision=None))
    with torch.no_grad():
        torch.testing.assert_close(predictor(image), small(0)(image))
    assert not predictor(image).requires_grad


def test_a_predictor_without_weights_raises_an_error() -> None:
    predictor = Predictor(small(5), None)
    for _ in range(2):
        with pytest.raises(ValueError, match="path must be a file of weights, got None") as caught:
            predictor(torch.rand(1, 1, 8, 8))
        assert argument_of(caught.value) == "srresnet_path"


def test_a_predictors_file_is_read_when_first_needed_and_once(weights: Path, tmp_path: Path) -> None:
    Predictor(small(5), tmp_path / "none.pt")
    with pytest.raises(FileNotFoundError, match=r"none\.pt"):
        Predictor(small(5), tmp_path / "none.pt")(torch.rand(1, 1, 8, 8))
    predictor = Predictor(small(5), weights)
    first = predictor(torch.ones(1, 1, 8, 8))
    weights.unlink()
    assert torch.equal(predictor(torch.ones(1, 1, 8, 8)), first)


@pytest.fixture
def conditioned(tmp_path: Path) -> Predictor:
    """A predictor whose network answers to its condition."""
    torch.manual_seed(2)
    network = SRResNet(num_blocks=1, channels=4, norm=None, global_residual="bicubic", condition=36)
    torch.nn.init.normal_(network.film.out.weight)
    torch.nn.init.normal_(network.tail.weight, std=0.05)
    torch.save(network.state_dict(), tmp_path / "conditioned.pt")
    return Predictor(network, tmp_path / "conditioned.pt", inferer=TiledSRInferer(precision=None))


def test_a_predictor_tells_its_network_the_condition(conditioned: Predictor) -> None:
    image, condition = torch.rand(2, 1, 9, 8), torch.rand(2, 36)
    assert conditioned.takes_condition
    with torch.no_grad():
        torch.testing.assert_close(conditioned(image, condition=condition), conditioned.network(image, condition))
    assert not torch.allclose(conditioned(image), conditioned(image, condition=condition))


def test_a_predictor_enlarges_by_what_is_assumed_of_each_image(conditioned: Predictor) -> None:
    image = torch.rand(2, 1, 9, 8)
    records = [AssumedMeasurement.told(Measurement(KSpaceDownsample(4), 0.02)), AssumedMeasurement.unknown("too small")]
    found = conditioned(image, measurements=records)
    expected = MeasuredInferer(TiledSRInferer(precision=None))(image, conditioned.network, measurements=records)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(found[1:], BicubicUpsample(4)(image[1:]))


def test_a_predictor_takes_one_word_on_the_measurement(conditioned: Predictor, weights: Path) -> None:
    image, condition = torch.rand(1, 1, 9, 8), torch.zeros(1, 36)
    with pytest.raises(ValueError, match="condition and measurements both say"):
        conditioned(image, condition=condition, measurements=[AssumedMeasurement.unknown("too small")])
    plain = Predictor(small(5), weights)
    assert not plain.takes_condition
    with pytest.raises(ValueError, match="this network takes no condition"):
        plain(image, condition=condition)
