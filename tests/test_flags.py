# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Switches are truth values."""

from __future__ import annotations

import pytest

from monai_srgan.flags import require_flags


def test_truth_values_pass_and_all_else_is_named() -> None:
    require_flags(trust=True, report=False)
    for value in ("false", "False", 0, 1, None):
        with pytest.raises(ValueError, match=rf"report must be True or False.*got {value!r}"):
            require_flags(trust=True, report=value)
