# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Our variants beside networks for photographs, by a published protocol on 8-bit slices (see published_protocol.py).

DATA are folders with the benchmark's HR pictures, or with .mat slices of which such pictures are made. Each picture is
reduced by Pillow, saved as an 8-bit PNG and enlarged by ``monai-srgan upscale`` with no option but the variant, to an
8-bit PNG. The published figures of other methods, a table with the columns ``id``, ``mat``, ``patient``, ``psnr_NAME``
and ``ssim_NAME``, stand beside ours for the same slices; other slices are left out.

The bundle's weights were trained on part of these patients. Folds follow from the patients (fold 0 of 5, seed 0): the
first table has the slices of validation and test patients only, the second one all slices.

    python benchmarks/brain_mri_sr.py DATA DATA2 --published published.csv
    python benchmarks/brain_mri_sr.py DATA --method blend "--blend 0.5"
"""

from __future__ import annotations

import argparse
import csv
import os
import shlex
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean

import numpy as np
import torch
from harness import machine
from PIL import Image
from published_protocol import Scores, cut_border, enlarged, head_of, high_resolution, mod_crop, reduced, scores
from tables import print_table, save_json
from upscaling import upscale

from monai_srgan.bundling import VARIANTS
from monai_srgan.data import patient_folds, patient_stem, read_cjdata
from monai_srgan.data.splits import DEALT_EVENLY, fold_rule
from monai_srgan.metrics import STLPIPS, st_lpips_is_installed

PICTURES = (".png", ".jpg", ".jpeg")
BICUBIC = "bicubic"
AGREEMENT = 1e-5
"""Largest difference from the published figures of bicubic enlargement that rounding explains."""


@dataclass(frozen=True, eq=False)
class Slice:
    """A slice of the benchmark.

    Attributes:
        name: the benchmark's name of it, else that of its file.
        patient: stem of the patient ID; None if unknown.
        hr: picture ``(rows, columns)`` uint8, cut to multiples of 32.
        published: scores by method, empty if there are none.
    """

    name: str
    patient: str | None
    hr: np.ndarray
    published: Mapping[str, Scores]


@dataclass(frozen=True)
class Result:
    """Scores of a slice by one method; `distance` is ST-LPIPS on the head, None if not measured."""

    scores: Scores
    distance: float | None = None


Results = dict[str, dict[str, Result]]  # by method and name of the slice


def main() -> None:
    args = _arguments()
    rows = read_rows(args.published) if args.published else {}
    slices = [item for folder in args.data for item in load(folder, rows)]
    names = {item.name for item in slices}
    if not slices or len(names) < len(slices):
        raise SystemExit(f"DATA must have slices of different names, got {len(slices)} slices with {len(names)} names")
    section = sections([item.patient for item in slices] + [row["patient"] for row in rows.values()])
    calls = {variant: ["--variant", variant] for variant in args.variants}
    calls |= {name: shlex.split(options) for name, options in args.method}
    results = measure(slices, calls)
    agreement = compare(slices, results[BICUBIC])
    outside = [item for item in slices if section.get(item.patient or "", "training") != "training"]
    if outside:
        table(f"Patients outside training ({_counts(outside, section)})", outside, results)
    if len(outside) < len(slices):
        title = "All slices, those of training patients included, for comparison only"
        table(f"{title} ({_counts(slices, section)})", slices, results)
    print(f"\n{agreement}")
    missing = {row["id"] for row in rows.values()} - names
    if missing:
        print(f"{len(missing)} slices with published figures are not in DATA.")
    for name, options in calls.items():
        print(f"{name}: monai-srgan upscale LR OUT --ext .png {shlex.join(options)}")
    if args.json:
        found = {method: {name: asdict(result) for name, result in of.items()} for method, of in results.items()}
        patients = {item.name: (item.patient, section.get(item.patient or "")) for item in slices}
        save_json(args.json, {"machine": machine(), "calls": calls, "patients": patients, "results": found})


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    folder = os.environ.get("MONAI_SRGAN_DATA")
    parser.add_argument(
        "data",
        metavar="DATA",
        nargs="*" if folder else "+",
        type=Path,
        default=[Path(folder)] if folder else None,
        help="folder with pictures or .mat slices (default: MONAI_SRGAN_DATA)",
    )
    parser.add_argument("--published", type=Path, metavar="CSV", help="published figures; other slices are left out")
    parser.add_argument("--variants", nargs="*", choices=VARIANTS, default=VARIANTS, help="default: all of the bundle")
    parser.add_argument(
        "--method",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "OPTIONS"),
        help="a further row: monai-srgan upscale with these options",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="file for every slice's scores")
    return parser.parse_args()


def read_rows(file: Path) -> dict[str, dict[str, str]]:
    """Rows of the published table, by the benchmark's name of the slice and by that of the .mat file."""
    with file.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    return {row["id"]: row for row in rows} | {Path(row["mat"]).stem: row for row in rows}


def load(folder: Path, rows: Mapping[str, Mapping[str, str]]) -> list[Slice]:
    """The pictures or .mat slices at any depth of a folder; where there are published rows, only the slices in them."""
    found = []
    for file in sorted(folder.rglob("*")):
        row = rows.get(file.stem)
        if file.suffix.lower() not in (".mat", *PICTURES) or file.stem == "cvind" or (rows and row is None):
            continue
        if file.suffix.lower() == ".mat":
            data = read_cjdata(file)
            hr, patient = high_resolution(data.image), data.patient
        else:
            hr, patient = np.asarray(Image.open(file).convert("L")), patient_stem(row["patient"]) if row else None
        name = row["id"] if row else file.stem
        found.append(Slice(name, patient, mod_crop(hr), _published(row or {})))
    return found


def _published(row: Mapping[str, str]) -> dict[str, Scores]:
    names = [column.removeprefix("psnr_") for column in row if column.startswith("psnr_")]
    return {n: Scores(float(row[f"psnr_{n}"]), float(row[f"ssim_{n}"])) for n in names if f"ssim_{n}" in row}


def sections(patients: Sequence[str | None]) -> dict[str, str]:
    """Patient to its section in the split of the bundle's weights: fold 0 is test, fold 1 validation."""
    known = {patient_stem(patient) for patient in patients if patient}
    if not known:
        return {}
    if len(known) < 5 or fold_rule(known) == DEALT_EVENLY:
        raise SystemExit(f"{len(known)} patients are too few to know their folds: add slices of others, or the CSV")
    return {
        patient: {0: "test", 1: "validation"}.get(fold, "training") for patient, fold in patient_folds(known).items()
    }


def measure(slices: Sequence[Slice], calls: Mapping[str, Sequence[str]]) -> Results:
    """Reduce all slices, enlarge them by every method, and score the results."""
    metric = STLPIPS() if st_lpips_is_installed() else None
    results: Results = {BICUBIC: {}}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "lr"
        folder.mkdir()
        for item in slices:
            lr = reduced(item.hr)
            Image.fromarray(lr).save(folder / f"{item.name}.png")
            results[BICUBIC][item.name] = _result(enlarged(lr), item.hr, metric)
        for number, (method, options) in enumerate(calls.items()):
            files = upscale(folder, Path(temporary) / str(number), ["--ext", ".png", *options])
            results[method] = {s.name: _result(np.asarray(Image.open(files[s.name])), s.hr, metric) for s in slices}
    return results


def _result(sr: np.ndarray, hr: np.ndarray, metric: STLPIPS | None) -> Result:
    found = Result(scores(sr, hr))
    if metric is None:
        return found
    sr, hr = cut_border(sr), cut_border(hr)
    pred, target, head = (torch.from_numpy(np.ascontiguousarray(a))[None, None] for a in (sr, hr, head_of(hr)))
    value = metric(pred.float() / 255, target.float() / 255, {"head": head})["head", "st_lpips"]
    return replace(found, distance=float(value))


def compare(slices: Sequence[Slice], ours: Mapping[str, Result]) -> str:
    """How far our figures of bicubic enlargement are from the published ones."""
    pairs = [
        (ours[item.name].scores, scores_)
        for item in slices
        for method, scores_ in item.published.items()
        if method.lower() == BICUBIC
    ]
    if not pairs:
        return (
            "Without published figures of bicubic enlargement, nothing tells whether the pictures are the benchmark's."
        )
    gaps = [max(abs(our.psnr - their.psnr), abs(our.ssim - their.ssim)) for our, their in pairs]
    text = f"Bicubic enlargement differs from its published figures by at most {max(gaps):.1e} in PSNR and SSIM"
    return text + ("." if max(gaps) <= AGREEMENT else ": NOT THE SAME PICTURES, the rows must not be compared.")


def table(title: str, slices: Sequence[Slice], results: Results) -> None:
    """Print the means over slices of all methods, those of published figures first."""
    published = [name for name in slices[0].published if name.lower() != BICUBIC]
    found: Results = {
        f"{name} (published)": {item.name: Result(item.published[name]) for item in slices} for name in published
    }
    bicubic = results[BICUBIC]
    rows = []
    for method, of in {BICUBIC: bicubic, **found, **results}.items():
        own = [of[item.name] for item in slices]
        gains = [of[item.name].scores.psnr - bicubic[item.name].scores.psnr for item in slices]
        rows.append(
            (
                method,
                f"{mean(r.scores.psnr for r in own):.2f}",
                f"{mean(gains):+.2f}",
                f"{min(gains):+.2f}",
                f"{mean(r.scores.ssim for r in own):.4f}",
                _distance(own),
            )
        )
    print_table(title, ("", "PSNR", "gain", "worst slice", "SSIM", "ST-LPIPS"), rows)


def _distance(results: Sequence[Result]) -> str:
    values = [result.distance for result in results if result.distance is not None]
    return f"{mean(values):.4f}" if values else "-"


def _counts(slices: Sequence[Slice], section: Mapping[str, str]) -> str:
    """Numbers of slices, of patients, and of slices in each section."""
    counted = Counter(section.get(item.patient or "", "of unknown patients") for item in slices)
    patients = len({item.patient for item in slices if item.patient})
    return f"{len(slices)} slices of {patients} patients: " + ", ".join(f"{n} {key}" for key, n in counted.items())


if __name__ == "__main__":
    main()
