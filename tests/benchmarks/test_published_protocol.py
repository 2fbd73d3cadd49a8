# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The published protocol: pictures, mask and masked scores."""

from __future__ import annotations

import io

import numpy as np
import published_protocol as protocol
import pytest
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

RNG = np.random.default_rng(3)


def disk(rows: int = 96, columns: int = 128, radius: float = 30.0) -> np.ndarray:
    """A textured disk on black, off the center."""
    y, x = np.mgrid[:rows, :columns]
    texture = 120 + 60 * np.sin(x / 3.0) * np.cos(y / 5.0)
    return np.where((y - 44) ** 2 + (x - 70) ** 2 < radius**2, texture, 0).astype(np.uint8)


def test_a_slice_becomes_a_mirrored_picture_with_rows_first():
    image = np.full((64, 32), -100, dtype=np.int16)
    image[8:16, 24:32] = 30_000  # x 8..15, y 24..31; the range does not fit into int16
    picture = protocol.high_resolution(image)
    assert picture.shape == (32, 64)
    assert picture.dtype == np.uint8
    expected = np.zeros((32, 64))
    expected[24:32, 64 - 16 : 64 - 8] = 255
    assert np.abs(picture - expected).max() <= 2


def test_gray_levels_are_truncated_and_compressed_at_quality_75():
    image = np.linspace(0, 10, 64 * 48).reshape(64, 48) ** 2
    plain = np.floor(image / 100 * 255).astype(np.uint8).T[:, ::-1]
    file = io.BytesIO()
    Image.fromarray(plain.copy()).save(file, "JPEG", quality=75)
    assert np.array_equal(protocol.high_resolution(image), np.asarray(Image.open(file)))


def test_a_constant_slice_and_a_small_picture_are_refused():
    with pytest.raises(ValueError, match="image must not be constant, every pixel is 7"):
        protocol.high_resolution(np.full((32, 32), 7))
    with pytest.raises(ValueError, match=r"picture must be 32 x 32 pixels or larger, got \(31, 70\)"):
        protocol.mod_crop(np.zeros((31, 70), np.uint8))


def test_sizes_become_multiples_of_32_by_cutting_at_the_end():
    picture = RNG.integers(0, 255, (70, 130), dtype=np.uint8)
    assert np.array_equal(protocol.mod_crop(picture), picture[:64, :128])


def test_reduction_is_antialiased_and_both_ways_keep_the_axes():
    stripes = np.tile(np.array([0, 0, 0, 200], np.uint8), (64, 24))
    assert protocol.reduced(stripes).shape == (16, 24)
    assert np.abs(protocol.reduced(stripes)[:, 4:-4].astype(int) - 50).max() <= 1
    assert protocol.enlarged(protocol.reduced(stripes)).shape == stripes.shape


def closed(mask: np.ndarray, size: int) -> np.ndarray:
    """Closing with a square, where pixels beyond the border are neutral in both steps."""
    r, shape = size // 2, (size, size)
    wide = np.lib.stride_tricks.sliding_window_view(np.pad(mask, r), shape).any(axis=(2, 3))
    return np.lib.stride_tricks.sliding_window_view(np.pad(wide, r, constant_values=True), shape).all(axis=(2, 3))


def test_the_mask_is_closed_without_an_effect_of_the_border():
    dots = (RNG.random((60, 83)) < 0.02) * np.uint8(11)
    dots[0, 0] = dots[59, 40] = dots[30, 82] = 11
    parts = closed(dots > 10, 15)
    head = protocol.head_of(dots)
    assert head[30, 82]
    assert parts[head].all()
    assert head.sum() > 0.9 * parts.sum()


def test_the_mask_is_the_largest_part_above_ten_gray_levels():
    picture = np.zeros((80, 100), np.uint8)
    picture[10:40, 10:30] = 11
    picture[10:40, 44:60] = 200  # a gap of 14 pixels is closed
    picture[60:70, 85:95] = 255  # too far away
    picture[50:80, 0:60] = 10
    expected = np.zeros((80, 100), bool)
    expected[10:40, 10:60] = True
    assert np.array_equal(protocol.head_of(picture), expected)
    with pytest.raises(ValueError, match="picture must have a pixel above 10, got at most 10"):
        protocol.head_of(np.full((40, 40), 10, np.uint8))


def similarity(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """SSIM of all 7 x 7 windows that lie in the picture, with sample variances (Wang et al. 2004, eq. 13)."""
    a, b = (np.lib.stride_tricks.sliding_window_view(p.astype(float), (7, 7)).reshape(-1, 49) for p in (x, y))
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    ma, mb = a.mean(1), b.mean(1)
    covariance = ((a - ma[:, None]) * (b - mb[:, None])).sum(1) / 48
    value = (
        (2 * ma * mb + c1) * (2 * covariance + c2) / ((ma**2 + mb**2 + c1) * (a.var(1, ddof=1) + b.var(1, ddof=1) + c2))
    )
    return value.reshape(x.shape[0] - 6, x.shape[1] - 6)


def test_scores_are_those_of_the_head_without_the_border():
    hr = disk()
    sr = np.clip(hr + RNG.normal(3, 6, hr.shape), 0, 255).astype(np.uint8)
    found = protocol.scores(sr, hr)
    inner_hr, inner_sr = hr[4:-4, 4:-4], sr[4:-4, 4:-4]
    head = protocol.head_of(inner_hr)
    assert found.psnr == pytest.approx(
        peak_signal_noise_ratio(inner_hr[head], inner_sr[head], data_range=255), abs=1e-9
    )
    assert not head[:3].any()
    assert not head[:, :3].any()  # every window below lies in the picture
    assert found.ssim == pytest.approx(similarity(inner_hr, inner_sr)[head[3:-3, 3:-3]].mean(), abs=1e-9)


def test_air_and_border_do_not_count():
    hr = disk()
    sr = np.clip(hr.astype(int) + 9, 0, 255).astype(np.uint8)
    other = sr.copy()
    other[:12] = 255  # farther than a window from the head
    other[:, -4:] = 0
    assert protocol.scores(other, hr) == protocol.scores(sr, hr)
    assert protocol.scores(sr, hr).psnr == pytest.approx(20 * np.log10(255 / 9), abs=1e-9)


def test_the_same_picture_scores_infinity_and_one_and_another_shape_is_refused():
    assert protocol.scores(disk(), disk()) == protocol.Scores(psnr=float("inf"), ssim=pytest.approx(1))
    with pytest.raises(ValueError, match=r"sr must have the shape of hr \(96, 128\), got \(96, 96\)"):
        protocol.scores(disk(columns=96), disk())
