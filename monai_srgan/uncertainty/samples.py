# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Pixels drawn from slices that were measured and enlarged: all that a calibration of intervals needs."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from monai_srgan.files import write_atomically
from monai_srgan.physics import RandomMeasurements
from monai_srgan.uncertainty.cells import MeasurementNumbers
from monai_srgan.uncertainty.features import WINDOW, pixel_features
from monai_srgan.uncertainty.quantiles import QuantileTable, fit_quantile_table

__all__ = ["PixelErrors", "SampleFolder", "SliceSample", "draw_pixels", "fit_samples"]

_REGIONS = ("inside", "outside")


@dataclass(frozen=True, eq=False)
class PixelErrors:
    """Features and errors of N pixels.

    Args:
        features: ``(2, N)`` of :func:`~monai_srgan.uncertainty.pixel_features`.
        errors: ``(N,)``, absolute errors in units of the image.
    """

    features: np.ndarray
    errors: np.ndarray


@dataclass(frozen=True, eq=False)
class SliceSample:
    """Pixels of one slice that was measured in one way.

    Args:
        patient: name of the patient.
        measurement: JSON of :meth:`Measurement.to_dict <monai_srgan.physics.Measurement.to_dict>`: how it was measured.
        condition: ``(36,)`` of the record that the result rests on, usually an estimate; None where it was declined.
        regions: pixels "inside" the tumor, if there is one, and "outside"; none of a declined slice.
    """

    patient: str
    measurement: str
    condition: torch.Tensor | None
    regions: Mapping[str, PixelErrors]

    @property
    def numbers(self) -> MeasurementNumbers | None:
        """Numbers of the record; None where it was declined."""
        return None if self.condition is None else MeasurementNumbers.of_condition(self.condition)

    def every(self, step: int) -> SliceSample:
        """The sample with every n-th of its pixels."""
        return self._with_regions(lambda p: PixelErrors(p.features[:, ::step], p.errors[::step]))

    def scaled(self, factor: float) -> SliceSample:
        """The sample with its errors divided by a factor."""
        return self._with_regions(lambda p: PixelErrors(p.features, p.errors / factor))

    def _with_regions(self, change: Callable[[PixelErrors], PixelErrors]) -> SliceSample:
        return replace(self, regions={name: change(pixels) for name, pixels in self.regions.items()})

    def save(self, path: Path) -> None:
        """Write an .npz file atomically."""
        arrays: dict[str, Any] = {"patient": self.patient, "measurement": self.measurement}
        if self.condition is not None:
            arrays["condition"] = self.condition.numpy()
        for name, pixels in self.regions.items():
            arrays[f"{name}_features"] = pixels.features.astype(np.float32)
            arrays[f"{name}_errors"] = pixels.errors.astype(np.float32)
        write_atomically(path, lambda part: np.savez(part, **arrays))

    @classmethod
    def load(cls, path: Path) -> SliceSample:
        """Read a file of :meth:`save`."""
        with np.load(path) as file:
            content = dict(file)
        condition = content.get("condition")
        return cls(
            patient=str(content["patient"]),
            measurement=str(content["measurement"]),
            condition=None if condition is None else torch.from_numpy(condition),
            regions={
                name: PixelErrors(content[f"{name}_features"], content[f"{name}_errors"])
                for name in _REGIONS
                if f"{name}_errors" in content
            },
        )


def draw_pixels(
    mean: torch.Tensor,
    spread: torch.Tensor,
    target: torch.Tensor,
    mask: torch.Tensor,
    *,
    pixels: int = 2048,
    seed: int = 0,
    window: int = WINDOW,
) -> dict[str, PixelErrors]:
    """Draw the same number of pixels inside the tumor and outside.

    A tumor is a fiftieth of a slice, but the intervals must hold in it too.

    Args:
        mean: mean of the self-ensemble, ``(1, C, H, W)``.
        spread: its spread, of the same shape.
        target: HR image of the same shape.
        mask: tumor ``(1, 1, H, W)``, bool.
        pixels: largest number drawn from each region, at least 1; all are taken if there are fewer.
        seed: of the draws.
        window: side of the window of the features, in HR pixels.

    Returns:
        "inside" and "outside", without an empty region.

    Raises:
        ValueError: if `pixels` is below 1, or shapes do not match.
    """
    if pixels < 1:
        raise ValueError(f"pixels must be at least 1, got {pixels}")
    rng = np.random.default_rng(seed)
    features = pixel_features(mean, spread, window).reshape(2, -1).cpu().numpy()
    errors = (mean.float() - target.float()).abs().flatten().cpu().numpy()
    inside = mask.bool().expand(mean.shape).flatten().cpu().numpy()
    found = {}
    for name, region in zip(_REGIONS, (inside, ~inside), strict=True):
        places = np.flatnonzero(region)
        if places.size:
            drawn = rng.choice(places, min(pixels, places.size), replace=False)
            found[name] = PixelErrors(features[:, drawn], errors[drawn])
    return found


def fit_samples(samples: Sequence[SliceSample], level: float = 0.9, *, bins: int = 8) -> QuantileTable:
    """Fit a table in which every patient counts alike, and the tumor of a slice like the rest of it.

    Args:
        samples: slices with pixels.
        level: of the quantile, in (0, 1).
        bins: largest number of bins along each feature.

    Raises:
        ValueError: see :func:`~monai_srgan.uncertainty.fit_quantile_table`.
    """
    slices = Counter(sample.patient for sample in samples)
    parts = [(s.patient, pixels) for s in samples for pixels in s.regions.values()]
    if not parts:
        raise ValueError("there are no pixels to fit a table to: add slices first")
    weights = [np.full(p.errors.size, 1 / (p.errors.size * slices[patient])) for patient, p in parts]
    return fit_quantile_table(
        np.concatenate([pixels.features for _, pixels in parts], axis=1),
        np.concatenate([pixels.errors for _, pixels in parts]),
        np.concatenate(weights),
        level,
        bins=bins,
    )


class SampleFolder:
    """The measured slices of a calibration and the files of their samples.

    Every slice has a file, so that an interrupted run goes on where it stopped, and a calibration with other cells or
    another level takes no new enlargements. The name of a file depends on the image's path, the measurement, the seed
    and `identity`: files of other weights or settings are not used.

    Args:
        folder: of the files; created when the first is written.
        slices: items with ``image``, the path, and ``patient``.
        measurements: what the measurements are drawn from.
        draws: number of measurements of each slice, at least 1.
        seed: of the measurements and of the pixels.
        identity: settings on which the samples depend, such as the weights' fingerprint.

    Raises:
        ValueError: if `draws` is below 1.
    """

    def __init__(
        self,
        folder: str | Path,
        slices: Iterable[Mapping[str, Any]],
        measurements: RandomMeasurements,
        *,
        draws: int = 10,
        seed: int = 0,
        identity: Mapping[str, Any] | None = None,
    ) -> None:
        if isinstance(draws, bool) or draws < 1:
            raise ValueError(f"draws must be at least 1, got {draws}")
        self.folder = Path(folder)
        self.seed = seed
        given = list(slices)
        # All slices once, then all once more: what is there after an interruption has every patient.
        self.items = [
            self._item(item, draw, measurements, dict(identity or {})) for draw in range(draws) for item in given
        ]

    def _item(
        self, item: Mapping[str, Any], draw: int, measurements: RandomMeasurements, identity: Mapping[str, Any]
    ) -> dict[str, Any]:
        name = re.sub(r"\W", "_", Path(item["image"]).stem)
        digest = hashlib.sha256(f"{self.seed}:{draw}:{name}".encode()).digest()
        rng = np.random.RandomState(np.frombuffer(digest, np.uint32))
        measurement = json.dumps(measurements.draw(rng).to_dict(), sort_keys=True)
        source = str(Path(item["image"]).resolve())
        content = json.dumps([identity, source, self.seed, measurement], sort_keys=True, default=str)
        sample = f"{name}-{draw}-{hashlib.sha256(content.encode()).hexdigest()[:16]}.npz"
        return {**item, "measurement": measurement, "sample": sample}

    @property
    def missing(self) -> list[dict[str, Any]]:
        """Items whose sample is not there: those given, with ``measurement`` (JSON) and ``sample`` (file name)."""
        return [item for item in self.items if not (self.folder / item["sample"]).is_file()]

    def add(self, name: str, sample: SliceSample) -> None:
        """Write the sample of one item."""
        self.folder.mkdir(parents=True, exist_ok=True)
        sample.save(self.folder / name)

    def load(self) -> list[SliceSample]:
        """All samples.

        Raises:
            FileNotFoundError: if one is missing.
        """
        missing = self.missing
        if missing:
            raise FileNotFoundError(
                f"{len(missing)} of {len(self.items)} samples are not in {self.folder}: run the evaluator first"
            )
        return [SliceSample.load(self.folder / item["sample"]) for item in self.items]
