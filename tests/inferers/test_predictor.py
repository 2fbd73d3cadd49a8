# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A network with weights and inferer as a method of a comparison."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from monai_srgan.errors import argument_of
from monai_srgan.inferers import Predictor, TiledSRInferer
from monai_srgan.networks import SRResNet


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
