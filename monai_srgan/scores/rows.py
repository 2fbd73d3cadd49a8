# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The long table that every figure of a report is made from: one row for each value."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["ScoreRow"]


class ScoreRow(NamedTuple):
    """One value, with the columns of the table of slices.

    Attributes:
        file: name of the slice's file, without folder.
        patient: stem of the patient, "" where unknown: slices of one patient are not independent.
        tumor_type: name of the type, "" where unknown.
        degradation: "" for the one that the networks were trained for, else its name, such as "sigma 1.0".
        method: name of the method, such as "bicubic" or "srgan + consistency".
        region: name out of :data:`monai_srgan.metrics.REGIONS`.
        metric: name out of :data:`monai_srgan.scores.METRIC_FACTS`.
        value: NaN is *not measured*, ``inf`` the PSNR of an identical image.
        pixels: the region's size.
    """

    file: str
    patient: str
    tumor_type: str
    degradation: str
    method: str
    region: str
    metric: str
    value: float
    pixels: int
