# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Boolean options accept only booleans."""

from __future__ import annotations

import pytest

from monai_srgan.bundling.requirements import require_with
from monai_srgan.flags import require_flags


def test_booleans_pass_and_other_types_are_named() -> None:
    require_flags(trust=True, report=False)
    for value in ("false", "False", 0, 1, None):
        with pytest.raises(ValueError, match=rf"report must be True or False.*got {value!r}"):
            require_flags(trust=True, report=value)


def test_options_that_need_another_option_raise_an_error() -> None:
    require_with("trust", True, intervals=True, trust_consistency=False)
    require_with("trust", False, intervals=False, trust_consistency=None)
    with pytest.raises(ValueError, match="intervals and trust_consistency need trust: pass --trust True"):
        require_with("trust", False, intervals="a.json", trust_consistency=True)
