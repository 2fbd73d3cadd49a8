# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from monai_srgan.bundling.bundle_root import find_bundle_root
from monai_srgan.errors import argument_of


@pytest.mark.parametrize("inside", [True, False])
def test_the_bundle_is_found_from_inside_and_from_beside_it(tmp_path, monkeypatch, inside):
    bundle = tmp_path / "bundle"
    (bundle / "configs").mkdir(parents=True)
    (bundle / "configs" / "metadata.json").write_text("{}")
    monkeypatch.chdir(bundle if inside else tmp_path)
    assert find_bundle_root() == str(bundle.resolve())


def test_elsewhere_the_error_names_the_argument_that_helps(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="set bundle_root to the bundle's folder") as raised:
        find_bundle_root()
    assert argument_of(raised.value) == "bundle_root"
