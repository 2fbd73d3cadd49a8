# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The bundle's weights by name, and the SRResNet that belongs to a file of weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from monai_srgan.bundling import VARIANTS, calibrated_intervals, find_srresnet, pretrained_weights
from monai_srgan.errors import argument_of


def test_every_variant_has_weights_and_intervals() -> None:
    assert VARIANTS == ("srgan", "srresnet")
    root = Path(__file__).parents[2] / "bundle"
    for variant in VARIANTS:
        assert Path(pretrained_weights(str(root), variant)).is_file()
        assert calibrated_intervals(str(root), variant) is not None


def test_a_retired_variant_is_refused_with_its_successor() -> None:
    for read in (pretrained_weights, calibrated_intervals):
        with pytest.raises(ValueError, match="'srresnet_jitter' is retired: use srresnet, which now") as raised:
            read("bundle", "srresnet_jitter")
        assert argument_of(raised.value) == "variant"


def test_the_srresnet_of_a_run_or_of_the_bundle_is_found(tmp_path: Path) -> None:
    assert find_srresnet(tmp_path / "model.pt") is None
    (tmp_path / "srresnet").mkdir()
    shipped = tmp_path / "srresnet" / "srresnet.pt"
    shipped.touch()
    assert find_srresnet(tmp_path / "model.pt") == str(shipped)
    assert find_srresnet(shipped) is None  # it has none but itself
    (tmp_path / "srresnet.pt").touch()
    assert find_srresnet(tmp_path / "model.pt") == str(tmp_path / "srresnet.pt")
