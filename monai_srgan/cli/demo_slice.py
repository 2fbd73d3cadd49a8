# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The synthetic slice of the demo: its ground truth, the input made from it, and what the network makes of that."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import torch

from monai_srgan.bundling.pretrained import SCALE
from monai_srgan.data.mat_reader import PIXEL_SPACING, slice_affine
from monai_srgan.data.tumor_types import tumor_type_name
from monai_srgan.metrics import head_mask, masked_psnr
from monai_srgan.phantoms import draw_phantom_slice
from monai_srgan.physics import BicubicUpsample, GaussianDownsample, Measurement
from monai_srgan.transforms.affine import scaled_affine
from monai_srgan.transforms.intensity import WHITE_PERCENTILE

__all__ = ["DemoResult", "DemoSlice", "Fidelity", "draw_demo_slice", "read_demo_result"]

_PATIENT = 7  # of the phantoms: an axial slice with a glioma, whose enhancing rim is a hard detail
_NAME = "phantom"


@dataclass(frozen=True)
class DemoSlice:
    """A synthetic slice and the input made from it. Images are ``(1, 1, X, Y)``; 1 is the slice's 99.9th percentile."""

    truth: torch.Tensor  #: 512 x 512 pixels, clipped to [0, 1]
    low: torch.Tensor  #: 128 x 128 pixels
    measurement: Measurement  #: how `low` was made
    tumor: torch.Tensor  #: 512 x 512, bool
    tumor_type: str
    units: float  #: the 99.9th percentile in scanner units
    spacing: float  #: of the ground truth, in mm
    seed: int

    @property
    def head(self) -> torch.Tensor:
        """Foreground of the ground truth, bool."""
        return head_mask(self.truth)

    def save(self, folder: Path) -> Path:
        """Write the input and the ground truth in scanner units, and return the input's path."""
        fine = slice_affine()
        coarse = scaled_affine(fine, SCALE).numpy()
        for name, image, affine in ((_NAME, self.low, coarse), (f"{_NAME}_truth", self.truth, fine)):
            values = (self.units * image[0, 0]).numpy().astype(np.float32)
            nib.save(nib.Nifti1Image(values, affine), folder / f"{name}.nii.gz")
        return folder / f"{_NAME}.nii.gz"


@dataclass(frozen=True)
class Fidelity:
    """PSNR of an image against the ground truth, in dB."""

    head: float
    tumor: float


@dataclass(frozen=True)
class DemoResult:
    """What the network makes of the input, on the scale of the ground truth, ``(1, 1, X, Y)``."""

    bicubic: torch.Tensor
    enlarged: torch.Tensor  #: mean of eight flips and rotations
    half_width: torch.Tensor  #: of the 90 % intervals
    bicubic_psnr: Fidelity
    enlarged_psnr: Fidelity
    coverage: float  #: share of the head's pixels whose ground truth lies in the interval


def draw_demo_slice(seed: int = 0) -> DemoSlice:
    """Draw a phantom and degrade it by the default degradation.

    Args:
        seed: >= 0.
    """
    phantom = draw_phantom_slice(_PATIENT, seed=seed)
    image = torch.from_numpy(phantom.image.T.astype(np.float32))[None, None]  # rows are y
    units = float(np.percentile(phantom.image, WHITE_PERCENTILE))
    truth = (image / units).clamp(0, 1)
    measurement = Measurement(GaussianDownsample(SCALE))
    return DemoSlice(
        truth=truth,
        low=measurement.operator(truth),
        measurement=measurement,
        tumor=torch.from_numpy(np.ascontiguousarray(phantom.mask.T.astype(bool)))[None, None],
        tumor_type=tumor_type_name(phantom.tumor_type),
        units=units,
        spacing=float(PIXEL_SPACING[0]),
        seed=seed,
    )


def read_demo_result(demo: DemoSlice, folder: Path) -> DemoResult:
    """Read the images that inference wrote, and compare them with the ground truth.

    Args:
        demo: the slice.
        folder: output folder of inference.
    """
    enlarged, half_width = (
        torch.from_numpy(nib.load(folder / f"{_NAME}_{kind}.nii.gz").get_fdata(dtype=np.float32))[None, None]
        / demo.units
        for kind in ("sr", "sr_halfwidth")
    )
    bicubic = BicubicUpsample(SCALE)(demo.low)
    covered = (enlarged - demo.truth).abs() <= half_width
    return DemoResult(
        bicubic=bicubic,
        enlarged=enlarged,
        half_width=half_width,
        bicubic_psnr=_fidelity(bicubic, demo),
        enlarged_psnr=_fidelity(enlarged, demo),
        coverage=float(covered[demo.head].float().mean()),
    )


def _fidelity(image: torch.Tensor, demo: DemoSlice) -> Fidelity:
    head, tumor = (float(masked_psnr(image, demo.truth, mask)) for mask in (demo.head, demo.tumor))
    return Fidelity(head, tumor)
