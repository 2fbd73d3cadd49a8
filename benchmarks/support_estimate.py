# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Accuracy of the estimated support of k-space on slices of patients outside training.

A slice is brought to 128 x 128 by cutting its k-space, so that its content reaches the Nyquist limit. 4 x 4 such slices
side by side make an image of 512 x 512. Then complex noise is added, k-space is cut once more, to a random width along
each axis, by a rectangle, an ellipse or a rectangle with cut corners, filled with zeros, and the magnitude is taken, as
scanners do it. In a second set only the second axis is cut: there the first one must not be called zero-filled. Needs a
folder of real slices.

    python benchmarks/support_estimate.py DIR --slices 24
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
import torch
from tables import print_table, save_json

from monai_srgan.apps import figshare_datalist
from monai_srgan.data import read_cjdata
from monai_srgan.physics import KSpaceDownsample, estimate_support
from monai_srgan.transforms import ScaleIntensityByPercentile

NOISES = (0.0, 0.01, 0.02, 0.05)
SHAPES = ("rectangle", "ellipse", "cut corners")
BAR = 0.03
"""Largest relative error that counts as right."""

_REPEATS = {128: 1, 512: 4}
_WIDTHS = {128: (0.6, 0.95), 512: (0.39, 0.68)}  # of the axis
_CORNERS = 1.5  # sum of both relative frequencies beyond which corners are cut


def scan(
    image: np.ndarray, widths: tuple[int, int], shape: str, noise: float, random: np.random.Generator
) -> np.ndarray:
    """The magnitude of an image of whose k-space `widths` samples were measured, with complex noise."""
    first, second = (np.abs(np.fft.fftfreq(n) * n) / (w / 2) for n, w in zip(image.shape, widths, strict=True))
    u, v = first[:, None], second[None]
    inside = {"rectangle": np.full(image.shape, True), "ellipse": u**2 + v**2 <= 1, "cut corners": u + v <= _CORNERS}
    measured = inside[shape] & (u <= 1) & (v <= 1)
    noisy = image + noise * (random.standard_normal(image.shape) + 1j * random.standard_normal(image.shape))
    return np.abs(np.fft.ifft2(np.fft.fft2(noisy) * measured))


def sources(files: list[str]) -> list[np.ndarray]:
    """Slices of 128 x 128 whose k-space is full, 1 being the 99.9th percentile; those of another size are left out."""
    scale, reduce = ScaleIntensityByPercentile(), KSpaceDownsample(4)
    slices = (scale(np.asarray(read_cjdata(file).image, dtype=np.float32)[None]) for file in files)
    return [reduce(torch.from_numpy(hr)[None])[0, 0].numpy() for hr in slices if hr.shape[1:] == (512, 512)]


def side_by_side(images: list[np.ndarray], repeats: int) -> list[np.ndarray]:
    """For each image, one of `repeats` x `repeats` images that starts with it."""
    count = repeats**2
    groups = [[images[(i + k) % len(images)] for k in range(count)] for i in range(len(images))]
    return [np.block([group[k : k + repeats] for k in range(0, count, repeats)]) for group in groups]


def measure(images: list[np.ndarray], noise: float) -> tuple[list[float | None], int]:
    """Relative errors of the widths, None for an edge that was not found, and full axes called zero-filled."""
    errors: list[float | None] = []
    false = 0
    for number, image in enumerate(images):
        size = len(image)
        random = np.random.default_rng([number, size, round(1000 * noise)])
        for shape in SHAPES:
            first, second = (2 * round(size * part / 2) for part in random.uniform(*_WIDTHS[size], 2))
            found = estimate_support(scan(image, (first, second), shape, noise, random)).axes
            for axis, width in zip(found, (first, second), strict=True):
                errors.append(axis.width / width - 1 if axis.zero_filled and axis.width is not None else None)
        false += estimate_support(scan(image, (size, second), "rectangle", noise, random)).axes[0].zero_filled
    return errors, false


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir", nargs="?", default=os.environ.get("MONAI_SRGAN_DATA"), help="folder of .mat slices")
    parser.add_argument("--section", default="test", choices=("validation", "test"))
    parser.add_argument("--slices", type=int, default=24, help="evenly spread over the section (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="file for all figures")
    args = parser.parse_args()
    if not args.dir:
        parser.error("name a folder of real slices, or set MONAI_SRGAN_DATA: phantoms say nothing about heads")
    items = figshare_datalist(args.dir, args.section, fold=0, num_folds=5, seed=0)
    chosen = items[:: max(1, len(items) // args.slices)][: args.slices]
    rows, content = [], dict[str, object]()
    slices = sources([item["image"] for item in chosen])
    for size, repeats in _REPEATS.items():
        images = side_by_side(slices, repeats)
        for noise in NOISES:
            errors, false = measure(images, noise)
            found = np.abs([error for error in errors if error is not None])
            content[f"{size}, noise {noise:g}"] = {"errors": errors, "full axes called zero-filled": false}
            rows.append(
                [
                    f"{size} x {size}",
                    f"{100 * noise:g} %",
                    str(len(errors)),
                    f"{100 * len(found) / len(errors):.0f} %",
                    f"{100 * np.sum(found <= BAR) / len(errors):.0f} %",
                    f"{100 * np.median(found):.1f} %" if len(found) else "",
                    f"{100 * np.max(found):.1f} %" if len(found) else "",
                    f"{false} of {len(images)}",
                ]
            )
    columns = (
        "image",
        "noise",
        "cut axes",
        "found",
        f"within {100 * BAR:g} %",
        "median error",
        "largest",
        "false edges",
    )
    print_table(f"Support of k-space, {len(chosen)} slices of {args.section} patients", columns, rows)
    if args.json:
        save_json(args.json, {"section": args.section, "slices": len(chosen), "results": content})


if __name__ == "__main__":
    main()
