# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Write super-resolved images: predictable names, true affine, no accidental overwriting, no partial files."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import SaveImaged, Transform

from monai_srgan.data.inputs import image_stem
from monai_srgan.errors import about
from monai_srgan.files import write_atomically
from monai_srgan.flags import require_flags, require_path
from monai_srgan.transforms.assumed_measurement import measurement_record
from monai_srgan.transforms.conversion import as_array
from monai_srgan.transforms.image_files import nifti_image, picture

__all__ = ["SaveSR", "SaveSRD", "SaveSRDict", "SaveSRd"]

OUTPUT_SUFFIXES = (".nii.gz", ".nii", ".png")
OUTPUT_DTYPES = ("uint8", "int16", "uint16", "int32", "float32", "float64")  # supported by NIfTI and its readers

logger = logging.getLogger(__name__)


class SaveSR(Transform):
    """Write an image as ``<output_dir>/<name>_<postfix><ext>``, where ``<name>`` is the source file without suffix.

    A NIfTI file holds the image in its own unit and the requested dtype, with its true affine. What a NIfTI source says
    about its place and its axes holds for it too, see :class:`LoadInput`. A PNG of an image that was read from a PNG
    keeps that file's unit, bit depth and orientation. A PNG of any other image has 8 bits, the 99.9th percentile is
    white, and the affine determines its orientation: superior (otherwise anterior) is up, the patient's right
    (otherwise anterior) is left.

    In contrast, MONAI's SaveImage overwrites silently, resamples the image to the coarse grid of its source with
    ``resample=True``, and leaves a partial file when interrupted.

    Args:
        output_dir: output folder; created if needed.
        output_postfix: text after the source's name.
        output_ext: ".nii.gz", ".nii" or ".png".
        overwrite: whether to replace existing files.
        outdated: postfixes of NIfTI files beside the output that belong to an earlier output, such as an error map that
            is not computed again. They are removed when the output is written, and like an existing output they are an
            error without ``overwrite``.
        sidecar: whether to write what the metadata says about the measurement to ``<name>_<postfix>.json`` beside the
            image, see :func:`~monai_srgan.transforms.measurement_record`.
        output_dtype: dtype of NIfTI files: "float32" or "float64"; "uint8", "int16", "uint16" or "int32", to which
            values are rounded and clipped (clipping is logged); "source" for the dtype of the input, or float32 if that
            is not one of these.

    Raises:
        ValueError: if ``output_ext`` or ``output_dtype`` is unknown, or ``output_dtype`` is set for PNG.
    """

    def __init__(
        self,
        output_dir: str | Path,
        output_postfix: str = "sr",
        output_ext: str = ".nii.gz",
        overwrite: bool = False,
        outdated: Sequence[str] = (),
        output_dtype: str = "float32",
        sidecar: bool = True,
    ) -> None:
        if output_ext not in OUTPUT_SUFFIXES:
            message = f"output_ext must be one of {', '.join(OUTPUT_SUFFIXES)}, got {output_ext!r}"
            raise about(ValueError(message), "output_ext")
        self.output_dir = require_path("output_dir", output_dir)
        self.output_postfix = str(output_postfix)
        if set(self.output_postfix) & set("/\\\0"):
            message = f"output_postfix must be part of a file name, without a folder, got {output_postfix!r}"
            raise about(ValueError(message), "output_postfix")
        self.output_ext = output_ext
        require_flags(overwrite=overwrite)
        self.overwrite = overwrite
        self.outdated = tuple(outdated)
        if output_dtype not in (*OUTPUT_DTYPES, "source"):
            message = f"output_dtype must be one of {', '.join(OUTPUT_DTYPES)} or 'source', got {output_dtype!r}"
            raise about(ValueError(message), "output_dtype")
        if output_ext == ".png" and output_dtype != "float32":
            message = (
                f"output_dtype applies to NIfTI only, a PNG has the bit depth of its source, got {output_dtype!r}: "
                "leave it out"
            )
            raise about(ValueError(message), "output_dtype")
        self.output_dtype = output_dtype
        self.sidecar = sidecar

    def _outdated(self, source: str | Path) -> list[Path]:
        if self.output_ext == ".png" and self.path_for(source).with_suffix(".nii.gz").exists():
            return []  # they belong to that NIfTI result, which stays
        paths = (self.output_dir / f"{image_stem(source)}_{postfix}.nii.gz" for postfix in self.outdated)
        return [path for path in paths if path.exists()]

    def path_for(self, source: str | Path) -> Path:
        """Output path of an image read from ``source``."""
        return self.output_dir / f"{image_stem(source)}_{self.output_postfix}{self.output_ext}"

    def sidecar_for(self, source: str | Path) -> Path:
        """Path of the file that says how an image read from ``source`` is assumed to have been measured."""
        return self.output_dir / f"{image_stem(source)}_{self.output_postfix}.json"

    def check(self, datalist: Sequence[Mapping[str, Any]]) -> list[Path]:
        """Check, before any computation, that every output can be written, and create the output folder.

        Args:
            datalist: items with the source path under ``"image"``.

        Returns:
            Paths of the outputs, in the same order.

        Raises:
            ValueError: if the list is empty, two sources have the same output, or a source is itself an output.
            FileExistsError: if an output or an outdated file exists and ``overwrite`` is False.
            OSError: if the folder cannot be created or written to.
        """
        if not datalist:
            raise about(
                ValueError("datalist is empty, there is nothing to enlarge: pass at least one image"), "datalist"
            )
        sources: dict[Path, Path] = {}
        for item in datalist:
            source = Path(item["image"])
            output = self.path_for(source)
            if output in sources:
                raise ValueError(
                    f"{sources[output]} and {source} would both be written to {output}: run them separately"
                )
            sources[output] = source
        read_and_written = {source.resolve() for source in sources.values()} & {out.resolve() for out in sources}
        if read_and_written:
            message = f"{min(read_and_written)} is both an input and an output of this run: choose another output_dir"
            raise about(ValueError(message), "output_dir")
        existing = [output for output in sources if output.exists()]
        self._check_existing(existing + [path for source in sources.values() for path in self._outdated(source)])
        self._make_folder()
        return list(sources)

    def _check_existing(self, paths: Sequence[Path]) -> None:
        if paths and not self.overwrite:
            more = f" (and {len(paths) - 1} more)" if len(paths) > 1 else ""
            message = f"{paths[0]}{more} exists: choose another output_dir, or set overwrite=True to replace it"
            raise about(FileExistsError(message), "overwrite")

    def check_image(self, img: torch.Tensor) -> None:
        """Check that the output of an input of this shape can be written.

        Args:
            img: input ``(1, X, Y)`` or ``(1, X, Y, D)``.

        Raises:
            ValueError: for a volume of several slices with ``output_ext=".png"``.
        """
        if self.output_ext == ".png" and img.ndim == 4 and img.shape[3] > 1:
            message = f"a volume of {img.shape[3]} slices cannot be written as a picture: set output_ext='.nii.gz'"
            raise about(ValueError(message), "output_ext")

    def __call__(self, img: torch.Tensor, meta_data: Mapping[str, Any] | None = None) -> torch.Tensor:
        """Write an image and return it unchanged.

        Args:
            img: ``(1, X, Y)`` or ``(1, X, Y, D)``.
            meta_data: metadata of a plain tensor; a MetaTensor has its own. ``filename_or_obj`` (the source's path) is
                required, ``affine`` defaults to the identity; ``source_ndim = 2`` drops an axis ``D = 1``.

        Raises:
            ValueError: for another shape, values that are not finite, or a volume as PNG.
            FileExistsError: if the file exists and ``overwrite`` is False.
        """
        meta = img.meta if isinstance(img, MetaTensor) else dict(meta_data or {})
        source = meta.get("filename_or_obj")
        if not source:
            raise ValueError("the image has no meta['filename_or_obj'], the source file that the output is named after")
        array = as_array(img).astype(np.float32)
        if array.ndim not in (3, 4) or array.shape[0] != 1:
            raise ValueError(f"{source}: expected an image of shape (1, X, Y) or (1, X, Y, D), got {array.shape}")
        if not np.isfinite(array).all():
            raise ValueError(f"{source}: the super-resolved image has NaN or infinite values: check the weights")
        array = array[0]
        if array.ndim == 3 and array.shape[2] == 1 and (meta.get("source_ndim") == 2 or self.output_ext == ".png"):
            array = array[..., 0]
        path = self.path_for(source)
        outdated = self._outdated(source)
        self._check_existing([path] * path.exists() + outdated)
        self._make_folder()
        for old in outdated:  # before writing, so that the output never lies beside maps of another one
            old.unlink()
        if self.output_ext == ".png":
            write_atomically(path, picture(array, meta).save)
            size = array.shape
        else:
            image = nifti_image(self._converted(array, meta), meta)
            write_atomically(path, image.to_filename)
            size = image.shape
        record = measurement_record(meta) if self.sidecar else {}
        if record:
            write_atomically(self.sidecar_for(source), lambda file: _write_json(file, record))
        logger.info("%s -> %s %s", Path(source).name, path, "x".join(map(str, size)))
        return img

    def _converted(self, array: np.ndarray, meta: Mapping[str, Any]) -> np.ndarray:
        """Convert the array to the dtype of the output."""
        name = meta.get("source_dtype", "float32") if self.output_dtype == "source" else self.output_dtype
        if name not in OUTPUT_DTYPES:
            logger.info("%s: cannot write dtype %s, writing float32", meta["filename_or_obj"], name)
            name = "float32"
        dtype = np.dtype(name)
        if dtype.kind == "f":
            return array.astype(dtype)
        limits, rounded = np.iinfo(dtype), np.rint(array.astype(np.float64))
        outside = int(np.count_nonzero((rounded < limits.min) | (rounded > limits.max)))
        if outside:
            logger.warning(
                "%s: %d of %d values are outside the range of %s and were clipped",
                meta["filename_or_obj"],
                outside,
                array.size,
                name,
            )
        return np.clip(rounded, limits.min, limits.max).astype(dtype)

    def _make_folder(self) -> None:
        try:
            self.output_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"output_dir {self.output_dir} cannot be created ({error}): choose another folder"
            raise about(OSError(message), "output_dir") from error
        if not os.access(self.output_dir, os.W_OK):
            message = f"output_dir {self.output_dir} is not writable: choose another folder"
            raise about(PermissionError(message), "output_dir")


def _write_json(file: str | Path, content: Mapping[str, Any]) -> None:
    Path(file).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


class SaveSRd(SaveImaged):
    """Dictionary version of :class:`SaveSR`. It subclasses SaveImaged because MONAI Label skips savers by that class.

    Args:
        keys: keys of the images to write.
        output_dir: see :class:`SaveSR`.
        output_postfix: see :class:`SaveSR`.
        output_ext: see :class:`SaveSR`.
        overwrite: see :class:`SaveSR`.
        outdated: see :class:`SaveSR`.
        output_dtype: see :class:`SaveSR`.
        sidecar: see :class:`SaveSR`.
        allow_missing_keys: whether to skip missing keys.
    """

    saver: SaveSR

    def __init__(
        self,
        keys: KeysCollection,
        output_dir: str | Path,
        output_postfix: str = "sr",
        output_ext: str = ".nii.gz",
        overwrite: bool = False,
        outdated: Sequence[str] = (),
        output_dtype: str = "float32",
        sidecar: bool = True,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, output_dir=output_dir, resample=False, allow_missing_keys=allow_missing_keys)
        self.saver = SaveSR(output_dir, output_postfix, output_ext, overwrite, outdated, output_dtype, sidecar)

    def check(self, datalist: Sequence[Mapping[str, Any]]) -> list[Path]:
        """See :meth:`SaveSR.check`."""
        return self.saver.check(datalist)

    def check_loaded(self, data: Mapping[Hashable, Any], image_key: str = "image") -> None:
        """Call :meth:`SaveSR.check_image` on the image of a loaded item."""
        self.saver.check_image(data[image_key])


SaveSRD = SaveSRDict = SaveSRd
