# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Names of tumor types."""

from __future__ import annotations

import pytest
import torch

from monai_srgan.data import tumor_type_name


@pytest.mark.parametrize(
    ("label", "name"),
    [(2, "glioma"), ("3", "pituitary tumor"), (torch.tensor(1), "meningioma"), (9, "9"), ("glioma", "glioma")],
)
def test_a_type_is_named_by_its_number_or_keeps_its_own_name(label: object, name: str) -> None:
    assert tumor_type_name(label) == name


def test_an_unknown_type_has_no_name() -> None:
    assert tumor_type_name(None) == ""
