# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""``monai-srgan inspect``: what a file holds, and what enlarging it would give."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from monai_srgan.data import MatFileError, image_stem, read_cjdata
from monai_srgan.data.inputs import IMAGE_SUFFIXES
from monai_srgan.transforms import LoadInputd
from monai_srgan.transforms.geometry import scaled_affine

__all__ = ["add_parser", "image_facts"]

_SCALE = 4
_TYPES = {1: "meningioma", 2: "glioma", 3: "pituitary tumour"}


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "inspect",
        help="show what a file holds and what enlarging it would give",
        description=f"Show size, spacing, orientation and intensities of an image ({', '.join(IMAGE_SUFFIXES)}, a "
        "DICOM file or the folder of a DICOM series), the tumour of a slice of the figshare dataset, and the grid that "
        "enlarging it would give. Only reads.",
    )
    parser.add_argument("file", metavar="FILE", help="image file, or folder of a DICOM series")
    parser.add_argument(
        "--mat-variable", default="cjdata/image", metavar="PATH", help="image in a .mat file (default: cjdata/image)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> None:
    facts = image_facts(args.file, mat_variable=args.mat_variable)
    if args.json:
        text = json.dumps(facts, indent=1)
    else:
        width = max(map(len, facts))
        text = "\n".join(f"{name:<{width}}  {_text(value)}" for name, value in facts.items())
    print(text)


def image_facts(path: str | Path, *, mat_variable: str = "cjdata/image") -> dict[str, Any]:
    """What there is to know of an image before it is enlarged.

    Args:
        path: image file, or folder of a DICOM series.
        mat_variable: path of the image in a .mat file.

    Returns:
        names and values, ready for JSON: "file", "size" (pixels along x, y and slices), "spacing" (mm), "orientation"
        (axis codes in RAS), "type", "intensities" (least, largest, 99.9th percentile), "enlarged size" and "enlarged
        spacing"; of a slice of the figshare layout also "tumour", "patient" and "tumour pixels".

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no image that can be enlarged.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: give an image file or the folder of a DICOM series")
    image_stem(path)  # refuses other kinds by name
    image = LoadInputd(keys="image", mat_variable=mat_variable)({"image": str(path)})["image"]
    values, affine = image[0].numpy(), image.affine.numpy()
    finer = scaled_affine(affine, 1 / _SCALE).numpy()
    ndim = int(image.meta["source_ndim"])
    size = values.shape[:ndim]
    facts: dict[str, Any] = {
        "file": str(path),
        "size": list(size),
        "spacing": _spacing(affine, ndim),
        "orientation": "".join(code or "?" for code in nib.aff2axcodes(affine)[:ndim]),
        "type": image.meta["source_dtype"],
        "intensities": {
            "least": float(values.min()),
            "largest": float(values.max()),
            "99.9th percentile": float(np.percentile(values, 99.9)),
        },
        "enlarged size": [_SCALE * size[0], _SCALE * size[1], *size[2:]],
        "enlarged spacing": _spacing(finer, ndim),
    }
    if path.suffix.lower() == ".mat":
        try:
            slice_ = read_cjdata(path)
        except MatFileError:  # a MATLAB file of another layout
            return facts
        facts |= {
            "tumour": _TYPES[slice_.label],
            "patient": slice_.patient,
            "tumour pixels": int(slice_.mask.sum()),
        }
    return facts


def _spacing(affine: np.ndarray, ndim: int) -> list[float]:
    return [round(float(s), 6) for s in nib.affines.voxel_sizes(affine)[:ndim]]


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " x ".join(f"{v:g}" for v in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {v:g}" for name, v in value.items())
    return str(value)
