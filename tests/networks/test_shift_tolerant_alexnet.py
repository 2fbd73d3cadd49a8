# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The backbone of ST-LPIPS compared with scipy and with a step-by-step implementation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch.nn import functional as F

from monai_srgan.networks import ShiftTolerantAlexNet, blur_pool


def network() -> ShiftTolerantAlexNet:
    torch.manual_seed(2)
    return ShiftTolerantAlexNet()


@pytest.mark.parametrize("size", [(8, 9), (9, 8), (3, 12), (4, 3)])
def test_blur_pooling_equals_scipys_filter_at_every_second_pixel(size: tuple[int, int]) -> None:
    x = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    got = blur_pool(x)
    expected = np.pad(x.numpy(), ((0, 0), (0, 0), (2, 2), (2, 2)), mode="reflect")
    for axis in (2, 3):
        expected = ndimage.correlate1d(expected, [0.25, 0.5, 0.25], axis=axis)
    np.testing.assert_allclose(got.numpy(), expected[:, :, 1 : size[0] + 3 : 2, 1 : size[1] + 3 : 2], atol=1e-6)


def test_blur_pooling_keeps_a_flat_map_and_removes_the_finest_stripes() -> None:
    assert torch.equal(blur_pool(torch.full((1, 1, 9, 9), 0.7)), torch.full((1, 1, 6, 6), 0.7))
    stripes = torch.tensor([1.0, -1.0]).repeat(8).expand(1, 1, 16, 16)
    assert torch.equal(blur_pool(stripes), torch.zeros(1, 1, 9, 9))


@pytest.mark.parametrize("size", [(40, 33), (33, 40), (21, 22), (50, 50), (35, 35)])
def test_the_fast_passes_equal_plain_convolution_pooling_and_blurring(size: tuple[int, int]) -> None:
    net = network()
    x = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(1))
    y = (x - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    expected = [blur_pool(net.conv1(y)).relu()]
    for convolution in (net.conv2, net.conv3):
        expected.append(convolution(blur_pool(F.max_pool2d(expected[-1], 3, 1))).relu())
    for convolution in (net.conv4, net.conv5):
        expected.append(convolution(expected[-1]).relu())
    got = net(x)
    assert len(got) == 5
    for g, e in zip(got, expected, strict=True):
        torch.testing.assert_close(g, e, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("size", "halves"), [(64, (30, 15, 8)), (100, (48, 24, 12)), (512, (254, 127, 64))])
def test_maps_have_the_authors_sizes(size: int, halves: tuple[int, int, int]) -> None:
    a, b, c = halves
    expected = [(64, a, 24), (192, b, 12), (384, c, 6), (256, c, 6), (256, c, 6)]
    got = network()(torch.zeros(1, 1, size, 52))
    assert [tuple(x.shape[1:]) for x in got] == expected


def test_a_gray_image_is_three_equal_channels() -> None:
    x = torch.rand(1, 1, 24, 24, generator=torch.Generator().manual_seed(1))
    net = network()
    for gray, color in zip(net(x), net(x.repeat(1, 3, 1, 1)), strict=True):
        assert torch.equal(gray, color)


def test_the_network_is_frozen() -> None:
    net = network()
    assert not net.training
    assert not any(p.requires_grad for p in net.parameters())


def test_images_that_do_not_fit_are_refused() -> None:
    for shape in ((1, 1, 20, 64), (1, 2, 64, 64), (1, 64, 64)):
        with pytest.raises(ValueError, match=r"x must be \(B, 1, H, W\) or \(B, 3, H, W\) with H and W at least 21"):
            network()(torch.zeros(shape))
