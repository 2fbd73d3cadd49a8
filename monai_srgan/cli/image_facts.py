# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What an image file holds, and the grid of its enlarged version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import nibabel as nib
import numpy as np
from monai.data import MetaTensor
from nibabel.affines import voxel_sizes

from monai_srgan.bundling.pretrained import SCALE
from monai_srgan.data import (
    AcquisitionCheck,
    AcquisitionTags,
    MatFileError,
    SpatialForms,
    compare_acquisition,
    image_stem,
    read_cjdata,
)
from monai_srgan.data.tumor_types import tumor_type_name
from monai_srgan.errors import about
from monai_srgan.estimation import AssumedMeasurement, assume_measurement
from monai_srgan.physics import SupportEstimate, estimate_support, native_size
from monai_srgan.root_cause import reason
from monai_srgan.transforms import LoadInputd, ToNativeGrid
from monai_srgan.transforms.affine import scaled_affine
from monai_srgan.transforms.image_files import LAST_AXIS, SLICE_AXIS
from monai_srgan.transforms.intensity import WHITE_PERCENTILE
from monai_srgan.transforms.native_grid import resized_affine

__all__ = ["ImageFacts", "Intensities", "Tumor", "describe", "load_image"]

T = TypeVar("T")


@dataclass(frozen=True)
class Intensities:
    """Range of an image's values in its own units; None for what is not finite."""

    minimum: float | None
    maximum: float | None
    percentile_99_9: float | None  #: the scale that images are divided by for the network


@dataclass(frozen=True)
class Tumor:
    """The tumor of a slice of the figshare layout."""

    type: str
    patient: str
    pixels: int


@dataclass(frozen=True)
class ImageFacts:
    """What an image file holds, and the grid of its enlarged version. Axes are those of the file, x first."""

    file: str
    size: tuple[int, ...]  #: in pixels
    spacing: tuple[float, ...]  #: in mm
    orientation: str  #: axis codes in RAS, such as "LPS"; "unknown" if a NIfTI file does not place its image
    dtype: str
    intensities: Intensities
    enlarged_size: tuple[int, ...]
    enlarged_spacing: tuple[float, ...]
    support: SupportEstimate | None  #: how much of k-space the image fills; None if a value is not finite
    native_size: tuple[int, ...]  #: pixels of the grid that was acquired; `size` where it was not interpolated
    native_spacing: tuple[float, ...]
    measurement: AssumedMeasurement | None = None  #: estimated on the native grid; None if a value is not finite
    acquisition: AcquisitionTags | None = None  #: of a DICOM file
    acquisition_check: AcquisitionCheck | None = None  #: how the tags compare with the image
    tumor: Tumor | None = None

    def to_dict(self) -> dict[str, Any]:
        """The facts as JSON takes them."""
        measurement = None if self.measurement is None else self.measurement.to_dict()
        return {**asdict(replace(self, measurement=None)), "measurement": measurement}

    def lines(self) -> dict[str, str]:
        """The facts as text, by title."""
        shown = {
            "file": self.file,
            "size": f"{_times(self.size)} pixels",
            "spacing": f"{_times(self.spacing)} mm",
            "orientation": self.orientation,
            "type": self.dtype,
            "intensities": f"{_number(self.intensities.minimum)} to {_number(self.intensities.maximum)}, "
            f"99.9th percentile {_number(self.intensities.percentile_99_9)}",
        }
        if self.tumor is not None:
            shown["tumor"] = f"{self.tumor.type}, {self.tumor.pixels} pixels"
            shown["patient"] = self.tumor.patient
        if self.support is not None:
            shown["k-space"] = self.support.summary
        if self.native_size != self.size:
            shown["native grid"] = f"{_times(self.native_size)} pixels of {_times(self.native_spacing)} mm"
        if self.measurement is not None:
            declined = self.measurement.declined
            shown["measured by"] = self.measurement.summary + (f"; not relied on: {declined}" if declined else "")
        if self.acquisition_check is not None:
            shown["DICOM"] = self.acquisition_check.text
        shown["enlarged to"] = f"{_times(self.enlarged_size)} pixels of {_times(self.enlarged_spacing)} mm"
        return shown


def load_image(path: str | Path, *, mat_variable: str = "cjdata/image") -> MetaTensor:
    """Read an image as ``(1, X, Y, D)``.

    Args:
        path: image file, or folder of a DICOM series.
        mat_variable: path of the image in a .mat file.

    Raises:
        FileNotFoundError: the file does not exist.
        ValueError: it is not an image that can be enlarged.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise about(FileNotFoundError(f"{path} does not exist"), "dataset_dir")
    image_stem(path)  # refuses other kinds by name
    try:
        image: MetaTensor = LoadInputd(keys="image", mat_variable=mat_variable)({"image": str(path)})["image"]
    except Exception as error:  # the readers of MONAI raise errors of many kinds
        raise ValueError(reason(error, str(path))) from error
    return image


def describe(image: MetaTensor, path: str | Path) -> ImageFacts:
    """Describe an image as returned by :func:`load_image` for `path`."""
    path = Path(path).expanduser()
    values, affine = image[0].numpy(), image.affine.numpy()
    ndim = int(image.meta["source_ndim"])
    size = values.shape[:ndim]
    support = estimate_support(values) if np.isfinite(values).all() else None
    in_plane = size[:2] if support is None else native_size(support)
    native = image if support is None else ToNativeGrid()(image, support)
    tags = image.meta.get("acquisition")
    acquisition = None if tags is None else AcquisitionTags.from_dict(tags)
    forms = SpatialForms.from_meta(image.meta)
    codes = [code or "?" for code in nib.aff2axcodes(affine)[:ndim]]
    axis = int(image.meta.get(SLICE_AXIS, LAST_AXIS))
    return ImageFacts(
        file=str(path),
        size=_in_file(size, axis),
        spacing=_in_file(_spacing(affine, ndim), axis),
        orientation="".join(_in_file(codes, axis)) if forms is None or forms.placed else "unknown",
        dtype=image.meta["source_dtype"],
        intensities=Intensities(
            minimum=_finite(values.min()),
            maximum=_finite(values.max()),
            percentile_99_9=_finite(np.percentile(values, WHITE_PERCENTILE)),
        ),
        enlarged_size=_in_file((SCALE * size[0], SCALE * size[1], *size[2:]), axis),
        enlarged_spacing=_in_file(_spacing(scaled_affine(affine, 1 / SCALE).numpy(), ndim), axis),
        support=support,
        native_size=_in_file((*in_plane, *size[2:]), axis),
        native_spacing=_in_file(_spacing(resized_affine(affine, size[:2], in_plane).numpy(), ndim), axis),
        measurement=None if support is None else assume_measurement(native[0]),
        acquisition=acquisition,
        acquisition_check=None if acquisition is None or support is None else compare_acquisition(acquisition, support),
        tumor=_tumor(path),
    )


def _tumor(path: Path) -> Tumor | None:
    if path.suffix.lower() != ".mat":
        return None
    try:
        slice_ = read_cjdata(path)
    except MatFileError:  # a MATLAB file of another layout
        return None
    return Tumor(type=tumor_type_name(slice_.label), patient=slice_.patient, pixels=int(slice_.mask.sum()))


def _in_file(values: Sequence[T], slice_axis: int) -> tuple[T, ...]:
    """Entries for x, y and slices in the order of the file's axes."""
    if len(values) <= LAST_AXIS:
        return tuple(values)
    x, y, slices = values
    return ((slices, x, y), (x, slices, y), (x, y, slices))[slice_axis]


def _spacing(affine: np.ndarray, ndim: int) -> tuple[float, ...]:
    return tuple(round(float(s), 6) for s in voxel_sizes(affine)[:ndim])


def _finite(value: Any) -> float | None:
    """The number, or None for NaN and infinity, which JSON does not have."""
    return float(value) if np.isfinite(value) else None


def _times(values: tuple[float, ...]) -> str:
    return " x ".join(f"{value:g}" for value in values)


def _number(value: float | None) -> str:
    return "not finite" if value is None else f"{value:g}"
