# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The benchmarks' call of the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import upscaling
from PIL import Image


def test_pictures_are_enlarged_by_the_command_itself(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (24, 16), dtype=np.uint8)
    (tmp_path / "lr").mkdir()
    Image.fromarray(picture).save(tmp_path / "lr" / "a.b.png")
    found = upscaling.upscale(tmp_path / "lr", tmp_path / "sr", ["--ext", ".png", "--variant", "srresnet"])
    assert list(found) == ["a.b"]
    assert np.asarray(Image.open(found["a.b"])).shape == (96, 64)


def test_a_failure_is_told_in_the_command_s_words(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)upscale .*--variant none failed: .*invalid choice: 'none'"):
        upscaling.upscale(tmp_path, tmp_path / "sr", ["--variant", "none"])


def test_a_result_is_declined_if_its_record_says_so(tmp_path: Path) -> None:
    result = tmp_path / "7_sr.nii.gz"
    assert not upscaling.is_declined(result)
    for text, declined in (('{"declined": false}', False), ('{"declined": true}', True), ("{}", False)):
        (tmp_path / "7_sr.json").write_text(text)
        assert upscaling.is_declined(result) is declined
