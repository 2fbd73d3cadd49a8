# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Accuracy of the estimated measurement on slices of patients outside training, beside what one would use otherwise.

LR images are made from slices of the test section by Gaussian blurs, antialiased bicubic reduction and k-space
truncation, with Rician noise of 0 to 5 % of the 99.9th percentile. Images of 512x512 are made from slices that are
repeated four times along each axis, mirrored, so that their content reaches LR's Nyquist limit as that of 128x128 does.
The noise is also estimated by scikit-image's estimate_sigma, the usual tool. Needs a folder of real slices.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from skimage.restoration import estimate_sigma
from tables import print_table, save_json

from monai_srgan.apps import figshare_datalist
from monai_srgan.data import read_cjdata
from monai_srgan.estimation import estimate_measurement
from monai_srgan.physics import BicubicDownsample, GaussianDownsample, KSpaceDownsample, SeparableDownsample
from monai_srgan.transforms import MaskAwareDegrade, ScaleIntensityByPercentile

SIGMAS = (0.75, 1.0, 1.5, 2.0, 2.5)
NOISES = (0.0, 0.01, 0.02, 0.05)
_REPEATS = {128: 1, 512: 4}
_NOISE_BAR, _WIDTH_BAR = 0.15, 0.10


def operators() -> dict[str, tuple[str, SeparableDownsample, float | None]]:
    """Name to kernel family, operator, and sigma of a Gaussian."""
    found: dict[str, tuple[str, SeparableDownsample, float | None]] = {
        f"Gaussian, sigma {sigma:g}": ("gaussian", GaussianDownsample(4, sigma), sigma) for sigma in SIGMAS
    }
    found["antialiased bicubic"] = ("bicubic", BicubicDownsample(4), None)
    found["k-space truncation"] = ("kspace", KSpaceDownsample(4), None)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir", nargs="?", default=os.environ.get("MONAI_SRGAN_DATA"), help="folder of .mat slices")
    parser.add_argument("--section", default="test", choices=("validation", "test"))
    parser.add_argument("--slices", type=int, default=20, help="evenly spread over the section (default: %(default)s)")
    parser.add_argument("--sizes", type=int, nargs="+", choices=tuple(_REPEATS), default=list(_REPEATS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="file for all figures")
    args = parser.parse_args()
    if not args.dir:
        parser.error("give a folder of figshare slices, or set MONAI_SRGAN_DATA")
    items = figshare_datalist(args.dir, args.section, fold=0, num_folds=5, seed=0)
    chosen = [items[int(i)] for i in np.linspace(0, len(items) - 1, min(args.slices, len(items)))]
    results = {}
    for size in args.sizes:
        records = measure([item["image"] for item in chosen], size)
        results[size] = records
        show(size, records, len(chosen))
    if args.json:
        save_json(args.json, {"section": args.section, "slices": len(chosen), "results": results})


def measure(files: list[str], size: int) -> list[dict[str, float | str]]:
    """One record for every slice, operator and noise."""
    scale, repeats = ScaleIntensityByPercentile(), _REPEATS[size]
    records: list[dict[str, float | str]] = []
    for number, file in enumerate(files):
        hr = scale(np.asarray(read_cjdata(file).image, dtype=np.float32)[None])
        hr = np.pad(hr, [(0, 0)] + [(0, (repeats - 1) * n) for n in hr.shape[1:]], mode="symmetric")
        for name, (family, operator, sigma) in operators().items():
            for noise in NOISES:
                rng = np.random.RandomState(number)
                lr = MaskAwareDegrade(operator, noise_std=noise)(torch.from_numpy(hr), None, rng)[0].numpy()
                white = float(np.percentile(lr, 99.9))
                start = time.perf_counter()
                estimate = estimate_measurement(lr)
                seconds = time.perf_counter() - start
                record: dict[str, float | str] = {
                    "operator": name,
                    "noise": noise,
                    "noise_error": estimate.noise_std * white / noise - 1 if noise else estimate.noise_std,
                    "skimage_error": float(estimate_sigma(lr)) / noise - 1 if noise else float(estimate_sigma(lr)),
                    "family": float(max(estimate.families, key=estimate.families.__getitem__) == family),
                    "declined": float(not estimate.certain),
                    "seconds": seconds,
                }
                if sigma is not None and estimate.fit.sigma is not None:
                    record["width_error"] = float(np.mean(estimate.fit.sigma)) / sigma - 1
                records.append(record)
    return records


def show(size: int, records: list[dict[str, float | str]], slices: int) -> None:
    """Print the table of one image size."""
    rows = []
    groups: dict[tuple[str, float], list[dict[str, float | str]]] = defaultdict(list)
    for record in records:
        groups[str(record["operator"]), float(record["noise"])].append(record)
    for (name, noise), group in groups.items():
        errors = np.abs([float(r["noise_error"]) for r in group])
        rival = np.abs([float(r["skimage_error"]) for r in group])
        widths = np.abs([float(r["width_error"]) for r in group if "width_error" in r])
        percent = noise > 0
        rows.append(
            [
                name,
                f"{100 * noise:g} %",
                f"{100 * np.median(errors):.1f} %" if percent else f"({100 * np.median(errors):.2f} %)",
                f"{100 * np.mean(errors <= _NOISE_BAR):.0f} %" if percent else "",
                f"{100 * np.median(rival):.0f} %" if percent else f"({100 * np.median(rival):.2f} %)",
                f"{100 * np.median(widths):.1f} %" if len(widths) else "",
                f"{100 * np.mean(widths <= _WIDTH_BAR):.0f} %" if len(widths) else "",
                f"{100 * np.mean([float(r['family']) for r in group]):.0f} %",
                f"{100 * np.mean([float(r['declined']) for r in group]):.0f} %",
            ]
        )
    columns = (
        "LR made by",
        "noise",
        "noise: median error",
        "within 15 %",
        "estimate_sigma",
        "width: median error",
        "within 10 %",
        "family found",
        "declined",
    )
    print_table(f"{size} x {size}, {slices} slices. In parentheses: the noise found where there is none", columns, rows)
    seconds = [float(record["seconds"]) for record in records]
    print(f"\none estimate: {1000 * np.median(seconds):.1f} ms (median), {1000 * np.max(seconds):.0f} ms at most")


if __name__ == "__main__":
    main()
