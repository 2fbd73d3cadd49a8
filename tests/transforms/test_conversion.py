# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Arrays that only one of numpy and torch knows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from monai_srgan.transforms.conversion import as_array, as_tensor

ARRAY = np.arange(24, dtype=np.float32).reshape(1, 4, 6)
READ_ONLY = ARRAY.copy()
READ_ONLY.flags.writeable = False
VIEWS = {
    "flipped": ARRAY[:, ::-1],
    "flipped along one element": ARRAY[::-1],
    "transposed": ARRAY.transpose(0, 2, 1),
    "every other": ARRAY[..., ::2],
    "byte order": ARRAY.astype(ARRAY.dtype.newbyteorder()),
    "read-only": READ_ONLY,
    "repeated": np.broadcast_to(ARRAY[:, :1], ARRAY.shape),
    "a field": np.zeros((3, 2), dtype=[("a", "u1"), ("b", "f4")])["b"],
    "empty": ARRAY[:, :0],
    "no axes": np.array(3.0),
}


@pytest.mark.parametrize("kind", VIEWS)
def test_every_numpy_array_becomes_a_tensor_of_the_same_values_and_dtype(kind):
    array = VIEWS[kind]
    tensor = as_tensor(array)
    assert tensor.shape == array.shape
    assert tensor.numpy().dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(tensor.numpy(), array)
    np.testing.assert_array_equal(as_array(array), array)


def test_ordinary_arrays_and_tensors_are_not_copied():
    array = ARRAY.copy()
    assert as_tensor(array).data_ptr() == array.ctypes.data
    tensor = torch.rand(2, 3)
    assert as_tensor(tensor) is tensor
    assert as_array(tensor).ctypes.data == tensor.data_ptr()


def test_meta_tensors_stay_what_they_are():
    image = MetaTensor(torch.rand(1, 2, 2), meta={"filename_or_obj": "7.mat"})
    assert as_tensor(image) is image


def test_bfloat16_and_gradients_reach_numpy():
    image = torch.rand(1, 2, 2, dtype=torch.bfloat16, requires_grad=True)
    for kind in (image, MetaTensor(image)):
        array = as_array(kind)
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, image.detach().float().numpy())
