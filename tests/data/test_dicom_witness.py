# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What DICOM tags say about the acquisition, and whether the image agrees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from dicom_files import write_series, write_slice
from monai.data import DataLoader, Dataset, decollate_batch

from monai_srgan.data import AcquisitionTags, compare_acquisition, read_acquisition
from monai_srgan.physics import AxisSupport, SupportEstimate
from monai_srgan.transforms import LoadInputd

ROWS = np.arange(40, dtype=np.uint16).reshape(5, 8)
PHASE_X = {"AcquisitionMatrix": [0, 320, 237, 0], "InPlanePhaseEncodingDirection": "ROW"}
PHASE_Y = {"AcquisitionMatrix": [320, 0, 0, 237], "InPlanePhaseEncodingDirection": "COL"}


def tags_of(folder: Path, **tags: Any) -> AcquisitionTags:
    return read_acquisition(write_slice(folder / "a.dcm", ROWS, **tags))


def test_the_matrix_is_told_along_x_and_y(tmp_path: Path) -> None:
    tags = tags_of(tmp_path, **PHASE_X)
    assert (tags.matrix, tags.phase_axis, tags.columns, tags.rows) == ((237, 320), "x", 8, 5)
    tags = tags_of(tmp_path, **PHASE_Y)
    assert (tags.matrix, tags.phase_axis, tags.notes) == ((320, 237), "y", ())
    tags = tags_of(tmp_path, AcquisitionMatrix=[320, 0, 0, 237])  # without the direction
    assert (tags.matrix, tags.phase_axis) == ((320, 237), "y")


def test_further_tags_are_read_and_kept_in_the_metadata(tmp_path: Path) -> None:
    more = {"ScanOptions": ["PFP", "SAT"], "PercentSampling": "75", "PercentPhaseFieldOfView": "81.25"}
    path = write_slice(tmp_path / "a.dcm", ROWS, **PHASE_X, **more)
    tags = read_acquisition(path)
    assert (tags.scan_options, tags.percent_sampling, tags.percent_phase_fov) == (("PFP", "SAT"), 75.0, 81.25)
    image = LoadInputd(keys="image")({"image": str(path)})["image"]
    assert AcquisitionTags.from_dict(image.meta["acquisition"]) == tags
    batch = next(iter(DataLoader(Dataset([{"image": image}]), batch_size=1)))
    assert decollate_batch(batch)[0]["image"].meta["acquisition"]["phase_axis"] == "x"


def test_a_series_has_the_tags_of_its_files(tmp_path: Path) -> None:
    folder = write_series(tmp_path / "t1c", np.stack([ROWS, ROWS + 1]), **PHASE_Y)
    image = LoadInputd(keys="image")({"image": str(folder)})["image"]
    assert image.meta["acquisition"]["matrix"] == [320, 237]
    assert read_acquisition(folder).matrix == (320, 237)


@pytest.mark.parametrize(
    ("tags", "note"),
    [
        ({"AcquisitionMatrix": [0, 0, 0, 0]}, "not one frequency and one phase number: ignored"),
        ({"AcquisitionMatrix": [320, 0, 237, 0]}, "not one frequency and one phase number: ignored"),
        ({"AcquisitionMatrix": [320, 240]}, "AcquisitionMatrix is (320, 240), not four numbers: ignored"),
        (
            {**PHASE_X, "InPlanePhaseEncodingDirection": "COL"},
            "with the phase along x, but InPlanePhaseEncodingDirection is along y",
        ),
        ({"InPlanePhaseEncodingDirection": "OTHER"}, "InPlanePhaseEncodingDirection is 'OTHER', neither ROW nor COL"),
        ({"PercentSampling": "0"}, "PercentSampling is '0', not a positive number: ignored"),
    ],
)
def test_malformed_tags_are_noted_and_silent(tmp_path: Path, tags: dict[str, Any], note: str) -> None:
    found = tags_of(tmp_path, **tags)
    assert note in found.notes[0]
    assert found.matrix is None
    acquisition_check = compare_acquisition(found, estimate())
    assert acquisition_check.verdict == "silent"
    assert note in acquisition_check.text


def test_empty_tags_are_silent(tmp_path: Path) -> None:
    path = write_slice(tmp_path / "a.dcm", ROWS)
    data = pydicom.dcmread(path)
    data.AcquisitionMatrix = data.InPlanePhaseEncodingDirection = data.PercentSampling = None
    data.save_as(path)
    tags = read_acquisition(path)
    assert (tags.matrix, tags.phase_axis, tags.percent_sampling) == (None, None, None)
    assert compare_acquisition(tags, estimate()).verdict == "silent"


def estimate(width: tuple[float, float] = (237, 318), size: tuple[int, int] = (512, 512)) -> SupportEstimate:
    first, second = (
        AxisSupport(n, "zero-filled", w, 2.0) if w < n else AxisSupport(n, "full", float(n))
        for n, w in zip(size, width, strict=True)
    )
    return SupportEstimate((first, second))


@pytest.mark.parametrize(
    ("matrix", "more", "size", "width", "verdict"),
    [
        ((237, 320), {}, (512, 512), (237, 318), "agree"),
        ((320, 237), {}, (512, 512), (237, 318), "contradict"),
        ((237, 320), {}, (512, 512), (512, 512), "contradict"),  # told, but not seen
        ((512, 512), {}, (512, 512), (237, 318), "contradict"),  # seen, but not told
        ((512, 512), {}, (512, 512), (512, 512), "agree"),
        ((640, 512), {}, (512, 512), (512, 512), "agree"),  # more samples than pixels: nothing was interpolated
        ((180, 320), {"phase_axis": "x", "percent_phase_fov": 75.0}, (512, 512), (240, 320), "agree"),
        ((180, 320), {"phase_axis": "y", "percent_phase_fov": 75.0}, (512, 512), (240, 320), "contradict"),
        ((320, 320), {"phase_axis": "x", "percent_sampling": 75.0}, (512, 512), (240, 320), "agree"),
    ],
)
def test_the_image_is_compared_with_the_tags(matrix, more, size, width, verdict) -> None:
    acquisition_check = compare_acquisition(AcquisitionTags(matrix=matrix, **more), estimate(width, size))
    assert acquisition_check.verdict == verdict
    assert f"AcquisitionMatrix is {matrix[0]} x {matrix[1]}" in acquisition_check.text


def test_an_image_that_tells_nothing_contradicts_nothing() -> None:
    unknown = SupportEstimate((AxisSupport(16, "unknown"), AxisSupport(16, "unknown")), reason="too small")
    acquisition_check = compare_acquisition(AcquisitionTags(matrix=(8, 16)), unknown)
    assert (acquisition_check.verdict, acquisition_check.text) == (
        "silent",
        "DICOM tells 8 x 16 acquired samples; the image tells nothing",
    )


def test_a_file_that_is_not_dicom_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match=r"a\.dcm: cannot be read as a DICOM image"):
        read_acquisition(tmp_path / "a.dcm")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="contains no DICOM file"):
        read_acquisition(tmp_path / "empty")
