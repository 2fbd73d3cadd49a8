# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Transfer functions against closed forms and the response to complex exponentials; the condition vector."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from monai_srgan.physics import (
    CONDITION_SIZE,
    TRANSFER_FREQUENCIES,
    BicubicDownsample,
    GaussianDownsample,
    KSpaceDownsample,
    Measurement,
    PerAxisDownsample,
    WindowedKSpaceDownsample,
    condition_vector,
    swap_condition_axes,
    transfer_functions,
)

PER_AXIS = PerAxisDownsample(GaussianDownsample(4, 0.8), GaussianDownsample(4, 2.1))


class Opaque:
    """An operator that does not know its transfer functions."""

    scale = 4

    def __init__(self, operator):
        self.operator = operator

    def __call__(self, x):
        return self.operator(x)


def test_a_gaussian_times_the_cubic_kernel_has_the_product_of_their_transforms():
    found = transfer_functions(GaussianDownsample(4, 1.5))
    f = TRANSFER_FREQUENCIES / 4  # cycles per HR pixel
    # the decimation weighs four pixels by (-3, 19, 19, -3) / 32
    decimation = (2 * 19 * np.cos(np.pi * f) - 2 * 3 * np.cos(3 * np.pi * f)) / 32
    expected = np.exp(-2 * (np.pi * 1.5 * f) ** 2) * decimation
    np.testing.assert_allclose(found, [expected, expected], rtol=0, atol=2e-4)  # the blur is cut off at 4 sigma


def test_a_k_space_crop_is_one_up_to_nyquist():
    found = transfer_functions(KSpaceDownsample(4, support=0.75))
    expected = np.where(TRANSFER_FREQUENCIES <= 0.375, 1.0, 0.0)
    np.testing.assert_allclose(found, [expected, expected], rtol=0, atol=1e-12)
    full = transfer_functions(KSpaceDownsample(4))[0]
    assert full[7] == pytest.approx(0.5)  # the two Nyquist lines share the weight


@pytest.mark.parametrize(
    "operator",
    [
        GaussianDownsample(4, 0.7),
        BicubicDownsample(4),
        PER_AXIS,
        WindowedKSpaceDownsample(4, support=(0.8, 1.0), taper=0.5),
        WindowedKSpaceDownsample(4, exponent=None),
    ],
)
def test_operators_know_what_complex_exponentials_measure(operator):
    known = transfer_functions(operator)
    assert known.shape == (2, 16)
    np.testing.assert_allclose(transfer_functions(Opaque(operator)), known, rtol=0, atol=1e-4)


def test_the_default_measurement_is_the_zero_condition():
    assert torch.equal(Measurement(GaussianDownsample(4)).condition(), torch.zeros(CONDITION_SIZE))


def test_the_condition_tells_transfer_noise_and_uncertainty():
    transfer = transfer_functions(PER_AXIS)
    vector = condition_vector(transfer, 0.0125, transfer_std=(0.1, 0.2), noise_uncertainty=0.3)
    default = transfer_functions(GaussianDownsample(4))
    np.testing.assert_allclose(vector[:32], (transfer - default).ravel(), rtol=0, atol=1e-6)
    torch.testing.assert_close(vector[32:], torch.tensor([0.5, 0.1, 0.2, 0.3]))


def test_swapping_the_axes_is_the_condition_of_the_transposed_image():
    vector = condition_vector(transfer_functions(PER_AXIS), 0.01, transfer_std=(0.1, 0.2), noise_uncertainty=0.3)
    swapped = PerAxisDownsample(PER_AXIS.second, PER_AXIS.first)
    expected = condition_vector(transfer_functions(swapped), 0.01, transfer_std=(0.2, 0.1), noise_uncertainty=0.3)
    assert torch.equal(swap_condition_axes(vector), expected)
    assert torch.equal(swap_condition_axes(vector[None])[0], expected)
