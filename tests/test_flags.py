# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Boolean options accept only booleans."""

from __future__ import annotations

import pytest

from monai_srgan.flags import require_flags


def test_booleans_pass_and_other_types_are_named() -> None:
    require_flags(trust=True, report=False)
    for value in ("false", "False", 0, 1, None):
        with pytest.raises(ValueError, match=rf"report must be True or False.*got {value!r}"):
            require_flags(trust=True, report=value)
