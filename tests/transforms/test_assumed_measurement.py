# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What is assumed about an image goes to its metadata, and to the log unless it is told not to."""

from __future__ import annotations

import json
import logging

import pytest
import torch
from monai.data import MetaTensor

from monai_srgan.transforms import AssumeMeasurementd


@pytest.mark.parametrize("log", [True, False])
def test_the_log_can_be_left_out(log: bool, caplog: pytest.LogCaptureFixture) -> None:
    image = MetaTensor(torch.rand(1, 8, 8), meta={"filename_or_obj": "scan.nii.gz"})
    with caplog.at_level(logging.INFO, logger="monai_srgan"):
        found = AssumeMeasurementd("image", {"kernel": "gaussian", "sigma": 1.0}, log=log)({"image": image})["image"]
        small = AssumeMeasurementd("image", log=log)({"image": image})["image"]
    assert json.loads(found.meta["assumed_measurement"])["basis"] == "told"
    assert "64 pixels" in json.loads(small.meta["assumed_measurement"])["declined"]
    assert ("scan.nii.gz: measurement told" in caplog.text) is log
    assert ("scan.nii.gz: the network is not used" in caplog.text) is log
