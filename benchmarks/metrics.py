# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Time to score five regions of 512x512 slices with PSNR, SSIM, MSE and bias: monai_srgan and scikit-image.

Each call scores every slice, enlarged by bicubic interpolation, on the regions whole, inside, outside, head and rim.
The first part times the scores with precomputed masks; the second times masks and scores, for scikit-image both with
our masks and with masks by the usual calls to scipy. With --json FILE the second part is saved under FILE's name with
the suffix "_masks".
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from harness import alternate, arguments, report
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity
from slices import slice_files

from monai_srgan.data import read_cjdata
from monai_srgan.metrics import METRICS, region_masks, region_scores
from monai_srgan.physics import BicubicUpsample, GaussianDownsample

Masks = dict[str, np.ndarray]
Scores = dict[tuple[str, str], Any]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--slices", type=int, default=4, help="slices per call (default: %(default)s)")
    args = parser.parse_args()
    with slice_files(args.slices) as (files, source):
        samples = [sample(file) for file in files]
    masks = [region_masks(mask, image) for _, image, mask in samples]
    tensors = [(pred, image, regions) for (pred, image, _), regions in zip(samples, masks, strict=True)]
    singles = [(array(pred), array(image), arrays(regions)) for pred, image, regions in tensors]
    doubles = [(pred.astype(np.float64), image.astype(np.float64), regions) for pred, image, regions in singles]
    by_scipy = [(pred, image, array(mask)) for (pred, image, _), (_, _, mask) in zip(singles, samples, strict=True)]

    timings = alternate(
        {
            "monai_srgan": lambda: [region_scores(*item) for item in tensors],
            "scikit-image, one map, float32": lambda: [peer(*item) for item in singles],
            "scikit-image, one map, float64": lambda: [peer(*item) for item in doubles],
            "scikit-image, one map per region, float32": lambda: [peer(*item, one_map=False) for item in singles],
        },
        rounds=args.rounds,
    )
    facts: dict[str, Any] = {"data": source, "ms per slice": 1e3 * timings["monai_srgan"].median_s / len(samples)}
    ours = [region_scores(*item) for item in tensors]
    for dtype, items in (("float64", doubles), ("float32", singles)):
        theirs = [peer(*item) for item in items]
        for metric in METRICS:
            facts[f"largest difference of {metric} from scikit-image in {dtype}"] = largest(ours, theirs, metric)
    report("Scores of five regions, masks precomputed", timings, ours="monai_srgan", facts=facts, json_path=args.json)

    timings = alternate(
        {
            "monai_srgan": lambda: [region_scores(p, t, region_masks(m, t)) for p, t, m in samples],
            "scikit-image, our masks": lambda: [
                peer(p, t, arrays(region_masks(m, image)))
                for (p, t, _), (_, image, m) in zip(singles, samples, strict=True)
            ],
            "scikit-image, masks by scipy": lambda: [peer(p, t, usual_masks(t, m)) for p, t, m in by_scipy],
        },
        rounds=args.rounds,
    )
    usual = [usual_masks(image, mask) for _, image, mask in by_scipy]
    facts = {"data": source, "ms per slice": 1e3 * timings["monai_srgan"].median_s / len(samples)}
    for region in ("head", "rim"):
        pairs = zip(usual, singles, strict=True)
        facts[f"pixels of {region} that differ from scipy's"] = sum(
            int(np.count_nonzero(theirs[region] != mine[region])) for theirs, (_, _, mine) in pairs
        )
    path = args.json and args.json.with_name(f"{args.json.stem}_masks{args.json.suffix}")
    report("Masks of five regions and their scores", timings, ours="monai_srgan", facts=facts, json_path=path)


def sample(file: Path) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Bicubic prediction, target in [0, 1] and tumor of a slice, ``(1, 1, H, W)``."""
    data = read_cjdata(file)
    image = torch.from_numpy(data.image.astype(np.float32))[None, None]
    image = (image / torch.quantile(image[..., ::2, ::2], 0.999)).clamp(0, 1)
    return BicubicUpsample(4)(GaussianDownsample(4)(image)), image, torch.from_numpy(data.mask)[None, None].bool()


def array(tensor: torch.Tensor) -> np.ndarray:
    return tensor[0, 0].numpy()


def arrays(masks: dict[str, torch.Tensor]) -> Masks:
    return {name: array(mask) for name, mask in masks.items()}


def peer(pred: np.ndarray, target: np.ndarray, masks: Masks, *, one_map: bool = True) -> Scores:
    """The same scores with scikit-image."""
    similarity = similarity_map(pred, target) if one_map else None
    scores: Scores = {}
    for name, region in masks.items():
        p, t = pred[region], target[region]
        values = (similarity_map(pred, target) if similarity is None else similarity)[region]
        scores[name, "psnr"] = peak_signal_noise_ratio(t, p, data_range=1)
        scores[name, "ssim"] = values.mean(dtype=np.float64)
        scores[name, "mse"] = mean_squared_error(t, p)
        scores[name, "bias"] = (p - t).mean(dtype=np.float64)
    return scores


def similarity_map(pred: np.ndarray, target: np.ndarray) -> np.ndarray:
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1}
    return structural_similarity(target, pred, full=True, **settings)[1]


def usual_masks(target: np.ndarray, inside: np.ndarray, rim_width: float = 10.0) -> Masks:
    """The regions of :mod:`monai_srgan.metrics.regions`, with one call to scipy or scikit-image per step."""
    smooth = ndimage.gaussian_filter(target, max(target.shape) / 256, mode="nearest")
    parts, _ = ndimage.label(smooth > 0.5 * threshold_otsu(smooth))
    areas = np.bincount(parts.ravel())
    areas[0] = 0
    head = ndimage.binary_fill_holes(np.isin(parts, np.flatnonzero(areas >= 0.1 * areas.max())))
    depth = np.where(inside, ndimage.distance_transform_edt(inside), ndimage.distance_transform_edt(~inside))
    rim = depth - 0.5 < rim_width / 2
    return {"whole": np.ones_like(inside), "inside": inside, "outside": ~inside, "head": head, "rim": rim}


def largest(ours: list[Scores], theirs: list[Scores], metric: str) -> float:
    """Largest difference over slices and regions."""
    return max(
        abs(float(mine[key]) - float(value))
        for mine, their in zip(ours, theirs, strict=True)
        for key, value in their.items()
        if key[1] == metric
    )


if __name__ == "__main__":
    main()
