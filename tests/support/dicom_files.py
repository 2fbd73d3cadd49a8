# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""DICOM files as scanners write them, made by pydicom, and where their voxels lie by the standard's own formula."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

ROW, COLUMN = np.array([0.96, 0.28, 0.0]), np.array([-0.28 * 0.8, 0.96 * 0.8, -0.6])  # oblique, orthonormal
NORMAL = np.cross(ROW, COLUMN)
ORIGIN = np.array([-40.0, -55.5, 12.25])
SPACING = (0.75, 0.5)  # PixelSpacing: between rows, between columns


def write_slice(
    path: Path, rows: np.ndarray, position: np.ndarray = ORIGIN, drop: Sequence[str] = (), **tags: Any
) -> Path:
    """One MR image of ``rows`` (row, column), at ``position`` (mm, LPS); ``tags`` replace others, ``drop`` removes."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
    data.Modality, data.PatientID, data.PatientName = "MR", "P1", "Phantom"
    data.StudyInstanceUID, data.FrameOfReferenceUID = "1.2.3", "1.2.3.1"
    data.SeriesInstanceUID, data.SeriesNumber, data.InstanceNumber = "1.2.3.4", 1, 1
    data.ImagePositionPatient = [f"{v:.6f}" for v in position]
    data.ImageOrientationPatient = [f"{v:.6f}" for v in (*ROW, *COLUMN)]
    data.PixelSpacing = list(SPACING)
    data.SliceThickness = 3.0
    data.SpacingBetweenSlices = 4.0
    data.Rows, data.Columns = rows.shape[:2]
    data.SamplesPerPixel = 1 if rows.ndim == 2 else rows.shape[2]
    data.PhotometricInterpretation = "MONOCHROME2" if rows.ndim == 2 else "RGB"
    if rows.ndim == 3:
        data.PlanarConfiguration = 0
    data.BitsAllocated = data.BitsStored = 8 * rows.dtype.itemsize
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = int(rows.dtype.kind == "i")
    data.PixelData = rows.tobytes()
    for name, value in tags.items():
        setattr(data, name, value)
    for name in drop:
        delattr(data, name)
    data.save_as(path, enforce_file_format=True)
    return path


def write_series(folder: Path, volume: np.ndarray, distance: float = 4.0, **tags: Any) -> Path:
    """``volume`` (slice, row, column) as files whose names tell the opposite order."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, rows in enumerate(volume):
        name = f"{len(volume) - 1 - number:03d}.dcm"
        write_slice(folder / name, rows, ORIGIN + number * distance * NORMAL, InstanceNumber=number + 1, **tags)
    return folder


def replace_bytes(path: Path, old: bytes, new: bytes) -> Path:
    """Change a value of a file to one of the same length that pydicom would refuse to write."""
    content = path.read_bytes()
    assert content.count(old) == 1
    assert len(old) == len(new)
    path.write_bytes(content.replace(old, new))
    return path


def world(column: float, row: float, number: float, distance: float = 4.0) -> np.ndarray:
    """Position in RAS of a voxel, by PS3.3, C.7.6.2.1.1."""
    lps = ORIGIN + SPACING[1] * column * ROW + SPACING[0] * row * COLUMN + number * distance * NORMAL
    return lps * (-1, -1, 1)
