# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Boolean options accept only booleans."""

from __future__ import annotations

from pathlib import Path

import pytest

from monai_srgan.files import writable_folder
from monai_srgan.flags import require_flags, require_path


def test_booleans_pass_and_other_types_are_named() -> None:
    require_flags(trust=True, report=False)
    for value in ("false", "False", 0, 1, None):
        with pytest.raises(ValueError, match=rf"report must be True or False.*got {value!r}"):
            require_flags(trust=True, report=value)


@pytest.mark.parametrize("value", [2.5, ("left", "right"), 1000.0, True, None, ["a"]])
def test_a_path_that_the_command_line_read_as_something_else_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"output_dir must be a path, got .* .*write them as --output_dir \./2\.50"):
        require_path("output_dir", value)
    with pytest.raises(ValueError, match="output_dir must be a path"):
        writable_folder(value)  # type: ignore[arg-type]
    assert require_path("output_dir", 123) == require_path("output_dir", "123") == Path("123")
