# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor

from monai_srgan.precision import autocast, autocast_dtype, has_fast_autocast, plain

CPU = torch.device("cpu")


def test_autocast_on_a_cpu_is_bfloat16_and_off_where_it_is_disabled():
    x = torch.rand(4, 4)
    with autocast(CPU, enabled=True):
        assert (x @ x).dtype == torch.bfloat16
    with autocast(CPU, enabled=False):
        assert (x @ x).dtype == torch.float32


@pytest.mark.parametrize(("native", "expected"), [(True, torch.bfloat16), (False, torch.float16)])
def test_a_gpu_that_only_emulates_bfloat16_takes_float16(monkeypatch, native, expected):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation=True: native or including_emulation)
    assert autocast_dtype(torch.device("cuda"), {}) == expected


def test_a_requested_dtype_is_used():
    assert autocast_dtype(CPU, {"dtype": torch.float16}) == torch.float16
    with autocast(CPU, enabled=True, amp_kwargs={"dtype": torch.float16}):
        assert (torch.rand(4, 4) @ torch.rand(4, 4)).dtype == torch.float16


@pytest.mark.parametrize(("bfloat16", "tiles"), [(True, False), (False, True), (False, False)])
def test_a_cpu_without_bfloat16_instructions_trains_in_float32(monkeypatch, bfloat16, tiles):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: bfloat16)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: tiles)
    assert has_fast_autocast(CPU) == (bfloat16 or tiles)


def test_plain_tensors_have_no_metadata_and_the_requested_layout():
    image = MetaTensor(torch.rand(2, 3, 4, 5))
    result = plain(image, channels_last=True)
    assert type(result) is torch.Tensor
    assert result.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(result, image.as_tensor(), rtol=0, atol=0)
    assert plain(torch.rand(3), channels_last=True).shape == (3,)
