# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Gain over bicubic interpolation where no one tells how the slice was made, and the bars that it has to meet.

Slices of patients outside training are reduced in many ways, written as NIfTI files in the slices' own units, and
enlarged by ``monai-srgan upscale`` with no option but the variant. HR is divided by its 99.9th percentile and clipped
to [0, 1]; PSNR is that of the head with data range 1, and the gain is over bicubic interpolation of the same file.

A variant passes a degradation with a bar if its mean gain, rounded to the bar's one decimal, reaches the bar, and no
slice is worse than bicubic interpolation by more than 0.1 dB. Only the latter is required of the other degradations.
Slices that the command declines count in the mean, and not as worse. Noise is seeded by the slice's number.

    python benchmarks/unknown_measurement.py DIR --slices 20
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean

import nibabel as nib
import numpy as np
import torch
from degradations import BARRED, OTHERS, SCALE, Degradation
from harness import machine
from tables import print_table, save_json
from upscaling import is_declined, upscale

from monai_srgan.apps import figshare_datalist
from monai_srgan.bundling import VARIANTS
from monai_srgan.data import read_cjdata, slice_affine
from monai_srgan.metrics import STLPIPS, head_mask, masked_psnr, st_lpips_is_installed
from monai_srgan.physics import BicubicUpsample
from monai_srgan.transforms import ScaleIntensityByPercentile, scaled_affine

BARS: Mapping[str, Sequence[float]] = {
    "srresnet": (3.6, 2.6, 4.8, 3.3, 2.2, 1.2, 1.5),
    "srgan": (2.6, 1.4, 3.6, 2.2, 1.0, 0.0, 0.0),
}
"""Mean gain in dB that a variant must reach, for each degradation in BARRED."""

TOLERANCE = 0.1
"""How much worse than bicubic interpolation a slice may be, in dB."""

PERCEPTUAL_BAR = 0.30
"""Highest ST-LPIPS of srgan at the default, relative to that of bicubic interpolation."""


@dataclass(frozen=True, eq=False)
class Slice:
    """A slice to be degraded.

    Attributes:
        name: stem of its file, a number, which seeds the noise.
        hr: ``(1, 1, X, Y)`` float64 in [0, 1].
        white: the intensity in scanner units that is 1 in `hr`.
    """

    name: str
    hr: torch.Tensor
    white: float


@dataclass(frozen=True)
class Result:
    """Scores of an enlarged slice.

    Attributes:
        name: name of the slice.
        psnr: dB on the head.
        bicubic: dB of bicubic interpolation.
        declined: whether the command declined to sharpen the slice.
        distance: ST-LPIPS of the whole slice; None if not measured.
        bicubic_distance: the same of bicubic interpolation.
    """

    name: str
    psnr: float
    bicubic: float
    declined: bool
    distance: float | None
    bicubic_distance: float | None

    @property
    def gain(self) -> float:
        """Gain over bicubic interpolation in dB."""
        return self.psnr - self.bicubic

    @property
    def is_worse(self) -> bool:
        """Whether the slice is worse than bicubic interpolation beyond the tolerance, though not declined."""
        return not self.declined and self.gain < -TOLERANCE


def main() -> None:
    args = _arguments()
    chosen = {**(BARRED if args.degradations != "others" else {}), **(OTHERS if args.degradations != "bars" else {})}
    files = [Path(item["image"]) for item in figshare_datalist(args.dataset_dir, args.section)]
    if args.slices:
        files = [files[i] for i in np.linspace(0, len(files) - 1, min(args.slices, len(files)), dtype=int)]
    slices = [load(file) for file in files]
    distance = st_lpips() if st_lpips_is_installed() else None
    results: dict[str, dict[str, list[Result]]] = {variant: {} for variant in args.variants}
    for name, degrade in chosen.items():
        with tempfile.TemporaryDirectory() as temporary:
            inputs = write(slices, degrade, Path(temporary) / "lr")
            for variant in args.variants:
                outputs = upscale(inputs, Path(temporary) / variant, ["--variant", variant])
                measured = distance if name == "default" else None
                results[variant][name] = [score(item, inputs, outputs[item.name], measured) for item in slices]
        print(f"{name}: done", flush=True)
    data = f"{len(slices)} slices, {args.section} patients"
    for variant, by_name in results.items():
        report(variant, by_name, data)
    if args.json:
        rows = {v: {name: [asdict(r) for r in found] for name, found in all_.items()} for v, all_ in results.items()}
        save_json(args.json, {"machine": machine(), "data": data, "results": rows})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    folder = os.environ.get("MONAI_SRGAN_DATA")
    parser.add_argument(
        "dataset_dir",
        metavar="DIR",
        nargs="?" if folder else None,
        default=folder,
        help="folder with .mat slices (default: MONAI_SRGAN_DATA)",
    )
    parser.add_argument("--section", choices=("validation", "test"), default="test", help="default: %(default)s")
    parser.add_argument("--slices", type=int, help="number of slices, evenly spread (default: all of the section)")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=list(BARS), help="default: %(default)s")
    parser.add_argument("--degradations", choices=("all", "bars", "others"), default="all", help="default: all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="file for every slice's scores")
    return parser.parse_args()


def load(file: Path) -> Slice:
    image = read_cjdata(file).image
    scaler = ScaleIntensityByPercentile()
    hr = torch.from_numpy(scaler(image)).double()[None, None]
    return Slice(file.stem, hr, scaler.scale_of(image))


def write(slices: Sequence[Slice], degrade: Degradation, folder: Path) -> Path:
    """Write the degraded slices as float32 NIfTI files, each named after its slice."""
    folder.mkdir()
    affine = scaled_affine(slice_affine(), SCALE).numpy()
    for item in slices:
        lr = degrade(item.hr, np.random.default_rng(int(item.name))) * item.white
        nib.save(nib.Nifti1Image(lr[0, 0].float().numpy(), affine), folder / f"{item.name}.nii.gz")
    return folder


def score(
    item: Slice, inputs: Path, output: Path, distance: Callable[[torch.Tensor, torch.Tensor], float] | None
) -> Result:
    """Compare a result, and bicubic interpolation of its input, with HR."""
    sr = _read(output, item.white)
    bicubic = BicubicUpsample(SCALE)(_read(inputs / f"{item.name}.nii.gz", item.white))
    head = head_mask(item.hr)
    return Result(
        name=item.name,
        psnr=float(masked_psnr(sr, item.hr, head)),
        bicubic=float(masked_psnr(bicubic, item.hr, head)),
        declined=is_declined(output),
        distance=distance and distance(sr, item.hr),
        bicubic_distance=distance and distance(bicubic, item.hr),
    )


def _read(file: Path, white: float) -> torch.Tensor:
    return torch.from_numpy(nib.load(file).get_fdata() / white)[None, None]


def st_lpips() -> Callable[[torch.Tensor, torch.Tensor], float]:
    """ST-LPIPS of the whole slice as a function of result and HR."""
    metric = STLPIPS()
    return lambda sr, hr: float(metric(sr, hr, {"whole": torch.ones_like(hr, dtype=torch.bool)})["whole", "st_lpips"])


def report(variant: str, results: Mapping[str, Sequence[Result]], data: str) -> None:
    """Print the table of a variant."""
    bars = dict(zip(BARRED, BARS.get(variant, ()), strict=False))
    rows = []
    for name, found in results.items():
        gain, bar = mean(r.gain for r in found), bars.get(name)
        problems = ["mean"] * (bar is not None and round(gain, 1) < bar) + ["slices"] * any(r.is_worse for r in found)
        rows.append(
            (
                name,
                f"{mean(r.bicubic for r in found):.2f}",
                f"{mean(r.psnr for r in found):.2f}",
                f"{gain:+.2f}",
                "" if bar is None else f"{bar:+.1f}",
                f"{min(r.gain for r in found):+.2f}",
                f"{mean(r.is_worse for r in found):.0%}",
                f"{sum(r.declined for r in found)}",
                f"FAILS: {', '.join(problems)}" if problems else "passes",
            )
        )
    columns = ("LR made by", "bicubic", variant, "gain", "bar", "worst slice", "worse", "declined", "")
    print_table(f"{variant}: PSNR on the head in dB, {data}", columns, rows)
    measured = [(r.distance, r.bicubic_distance) for r in results.get("default", ()) if r.distance is not None]
    if measured:
        ours, theirs = map(mean, zip(*measured, strict=True))
        bar = f", at most {PERCEPTUAL_BAR:.2f} wanted" if variant == "srgan" else ""
        print(f"\nST-LPIPS at the default: {ours:.4f}, {ours / theirs:.3f} of bicubic interpolation's{bar}")


if __name__ == "__main__":
    main()
