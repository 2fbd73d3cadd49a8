# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Checks of a config's options."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from monai_srgan.bundling import require_checkpoint, require_crop_size, require_enabled
from monai_srgan.errors import argument_of


def test_an_option_without_its_switch_is_not_ignored() -> None:
    require_enabled("trust", True, intervals=True, panels=False)
    require_enabled("trust", False, intervals=False, panels=None)
    with pytest.raises(ValueError, match="intervals and panels need trust: set trust=True") as raised:
        require_enabled("trust", False, intervals="a.json", panels=True)
    assert argument_of(raised.value) == "trust"


@pytest.mark.parametrize("size", [30, 0, -4])
def test_a_crop_that_is_not_a_whole_number_of_lr_pixels_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"patch_size must be a positive multiple of the scale 4, got {size}"):
        require_crop_size(size, 4)
    require_crop_size(32, 4)


def test_a_missing_checkpoint_is_an_error_that_lists_those_of_its_folder(tmp_path: Path) -> None:
    torch.save({"trainer": {}, "generator": {}}, tmp_path / "checkpoint_epoch=3.pt")
    require_checkpoint(tmp_path / "checkpoint_epoch=3.pt", ["trainer", "generator"])
    with pytest.raises(FileNotFoundError, match=r"does not exist; .* holds checkpoint_epoch=3\.pt") as raised:
        require_checkpoint(tmp_path / "checkpoint_epoch=4.pt", ["trainer"])
    assert argument_of(raised.value) == "ckpt"


def test_files_that_are_not_checkpoints_are_refused(tmp_path: Path) -> None:
    torch.save({"head.weight": torch.zeros(1)}, tmp_path / "model.pt")
    with pytest.raises(ValueError, match="not a checkpoint of a training run, it lacks generator, trainer"):
        require_checkpoint(tmp_path / "model.pt", ["trainer", "generator"])
    (tmp_path / "half.pt").write_bytes((tmp_path / "model.pt").read_bytes()[:100])
    with pytest.raises(ValueError, match=re.escape(f"ckpt {tmp_path / 'half.pt'} cannot be read")):
        require_checkpoint(tmp_path / "half.pt", ["trainer"])
