# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Weights by how well a measurement is known, and their effect on the generator's gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from monai_srgan.losses import MeasurementCertainty
from monai_srgan.physics import (
    TRANSFER_FREQUENCIES,
    GaussianDownsample,
    Measurement,
    condition_sharpness,
    condition_vector,
    transfer_functions,
)

FLAT = np.zeros((2, len(TRANSFER_FREQUENCIES)))


def test_the_weight_is_one_where_all_is_known_and_halves_at_both_scales():
    certainty = MeasurementCertainty(noise_std=0.02, transfer_std=0.1)
    conditions = torch.stack(
        [
            Measurement(GaussianDownsample(4, 2.0)).condition(),
            Measurement(GaussianDownsample(4, 2.0), 0.02).condition(),
            condition_vector(FLAT, 0.0, transfer_std=(0.1, 0.1)),
            condition_vector(FLAT, 0.02, transfer_std=(0.1 * 2**0.5, 0.0)),
        ]
    )
    torch.testing.assert_close(certainty(conditions), torch.tensor([1.0, 0.5, 0.5, 1 / 3]), rtol=1e-5, atol=0)


def test_a_measurement_sharper_than_the_default_has_a_smaller_weight():
    transfer = transfer_functions(GaussianDownsample(4)) + np.array([[0.1], [-0.3]])
    condition = condition_vector(transfer, 0.0)
    assert float(condition_sharpness(condition)) == pytest.approx(0.1 / 2**0.5, rel=1e-5)
    certainty = MeasurementCertainty(sharpness=0.1 / 2**0.5)
    assert float(certainty(condition[None])) == pytest.approx(0.5, rel=1e-5)
    assert certainty.settings == {"noise_std": 0.004, "transfer_std": 0.07, "sharpness": 0.1 / 2**0.5}
    assert float(MeasurementCertainty(sharpness=0.2 / 2**0.5)(condition[None])) == pytest.approx(16 / 17, rel=1e-5)
    assert float(condition_sharpness(Measurement(GaussianDownsample(4, 2.0)).condition())) == 0


@pytest.mark.parametrize(
    "arguments", [{"noise_std": 0.0}, {"transfer_std": -1.0}, {"sharpness": 0.0}, {"noise_std": float("nan")}]
)
def test_bad_scales_are_refused(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"{name} must be positive"):
        MeasurementCertainty(**arguments)
