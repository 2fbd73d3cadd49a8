# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The SRResNet that belongs to a file of weights."""

from __future__ import annotations

from pathlib import Path

from monai_srgan.bundling import find_srresnet


def test_the_srresnet_of_a_run_or_of_the_bundle_is_found(tmp_path: Path) -> None:
    assert find_srresnet(tmp_path / "model.pt") is None
    (tmp_path / "srresnet").mkdir()
    shipped = tmp_path / "srresnet" / "srresnet.pt"
    shipped.touch()
    assert find_srresnet(tmp_path / "model.pt") == str(shipped)
    assert find_srresnet(shipped) is None  # it has none but itself
    (tmp_path / "srresnet.pt").touch()
    assert find_srresnet(tmp_path / "model.pt") == str(tmp_path / "srresnet.pt")
