# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Write super-resolved images: predictable names, true affine, nothing overwritten unasked, nothing half-written."""

from __future__ import annotations

import logging
import os
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import SaveImaged, Transform
from PIL import Image

from monai_srgan.data.inputs import image_stem
from monai_srgan.files import write_atomically
from monai_srgan.flags import require_flags
from monai_srgan.transforms.conversion import as_array

__all__ = ["SaveSR", "SaveSRD", "SaveSRDict", "SaveSRd"]

OUTPUT_SUFFIXES = (".nii.gz", ".nii", ".png")
OUTPUT_DTYPES = ("uint8", "int16", "uint16", "int32", "float32", "float64")  # that NIfTI and its readers know
WHITE_PERCENTILE = 99.9  # of a picture's intensities, as in the normalisation: the maximum is often one bright vessel

logger = logging.getLogger(__name__)


class SaveSR(Transform):
    """Write one image as ``<output_dir>/<name>_<postfix><ext>``, ``<name>`` being the source file's without suffix.

    NIfTI holds the image's own units, in the type that is asked for, and its true affine. PNG holds what a picture can:
    an image that came from a PNG keeps that file's units, bit depth and orientation; any other is shown in 8 bits, its
    99.9th percentile white, and turned upright by its affine: superior or else anterior up, the patient's right or else
    anterior left.

    MONAI's SaveImage overwrites silently, puts the image on its source's coarse grid when ``resample=True``, and leaves
    half a file behind when it is interrupted.

    Args:
        output_dir: folder, made when needed.
        output_postfix: text behind the source's name.
        output_ext: ".nii.gz", ".nii" or ".png".
        overwrite: whether an existing file may be replaced.
        outdated: postfixes of NIfTI files beside the output that belong to an earlier output, such as a map of its
            errors that is not made again. They are removed when the output is written, and like an existing output they
            stop a run without ``overwrite``.
        output_dtype: type of the numbers in NIfTI: "float32", "float64", or "uint8", "int16", "uint16", "int32", to
            which values are rounded and, where they lie outside, clipped, which is logged; "source" is the input's
            type, or float32 where the input's is none of these.

    Raises:
        ValueError: ``output_ext`` or ``output_dtype`` is another one, or a type is asked for of PNG.
    """

    def __init__(
        self,
        output_dir: str | Path,
        output_postfix: str = "sr",
        output_ext: str = ".nii.gz",
        overwrite: bool = False,
        outdated: Sequence[str] = (),
        output_dtype: str = "float32",
    ) -> None:
        if output_ext not in OUTPUT_SUFFIXES:
            raise ValueError(f"output_ext must be one of {', '.join(OUTPUT_SUFFIXES)}, got {output_ext!r}")
        self.output_dir = Path(str(output_dir)).expanduser()  # str: a config reads the name 123 as a number
        self.output_postfix = str(output_postfix)
        if set(self.output_postfix) & set("/\\\0"):
            raise ValueError(f"output_postfix is a part of a file's name, without a folder, got {output_postfix!r}")
        self.output_ext = output_ext
        require_flags(overwrite=overwrite)
        self.overwrite = overwrite
        self.outdated = tuple(outdated)
        if output_dtype not in (*OUTPUT_DTYPES, "source"):
            raise ValueError(
                f"output_dtype must be one of {', '.join(OUTPUT_DTYPES)} or 'source', got {output_dtype!r}"
            )
        if output_ext == ".png" and output_dtype != "float32":
            raise ValueError(
                f"output_dtype is NIfTI's, a PNG has the depth of its source, got {output_dtype!r}: leave it out"
            )
        self.output_dtype = output_dtype

    def _outdated(self, source: str | Path) -> list[Path]:
        if self.output_ext == ".png" and self.path_for(source).with_suffix(".nii.gz").exists():
            return []  # they belong to that result, which stays
        paths = (self.output_dir / f"{image_stem(source)}_{postfix}.nii.gz" for postfix in self.outdated)
        return [path for path in paths if path.exists()]

    def path_for(self, source: str | Path) -> Path:
        """The file that an image read from ``source`` is written to."""
        return self.output_dir / f"{image_stem(source)}_{self.output_postfix}{self.output_ext}"

    def check(self, datalist: Sequence[Mapping[str, Any]]) -> list[Path]:
        """See before any computing that every output can be written, and make the output folder.

        Args:
            datalist: items with the source path under ``"image"``.

        Returns:
            the outputs' paths, in the same order.

        Raises:
            ValueError: nothing to do, two sources of one output, or a source that is itself an output.
            FileExistsError: an output or what is outdated beside it exists, and ``overwrite`` is False.
            OSError: the folder cannot be made or written to.
        """
        if not datalist:
            raise ValueError("there is nothing to enlarge: pass --dataset_dir FILE_OR_FOLDER")
        sources: dict[Path, Path] = {}
        for item in datalist:
            source = Path(item["image"])
            output = self.path_for(source)
            if output in sources:
                raise ValueError(f"{sources[output]} and {source} would both be written to {output}: run them apart")
            sources[output] = source
        read_and_written = {source.resolve() for source in sources.values()} & {out.resolve() for out in sources}
        if read_and_written:
            raise ValueError(
                f"{min(read_and_written)} is an output of this run as well as an input: choose another output_dir"
            )
        existing = [output for output in sources if output.exists()]
        existing += [path for source in sources.values() for path in self._outdated(source)]
        if existing and not self.overwrite:
            more = f" (and {len(existing) - 1} more)" if len(existing) > 1 else ""
            raise FileExistsError(
                f"{existing[0]}{more} exists: choose another output_dir, or pass --overwrite True to replace it"
            )
        self._make_folder()
        return list(sources)

    def check_image(self, img: torch.Tensor) -> None:
        """See whether an input is of a shape that can be written when it is enlarged.

        Args:
            img: input ``(1, X, Y)`` or ``(1, X, Y, D)``.

        Raises:
            ValueError: a volume of several slices, where pictures are to be written.
        """
        if self.output_ext == ".png" and img.ndim == 4 and img.shape[3] > 1:
            raise ValueError(f"a volume of {img.shape[3]} slices is no picture: write it with --output_ext .nii.gz")

    def __call__(self, img: torch.Tensor, meta_data: Mapping[str, Any] | None = None) -> torch.Tensor:
        """Write one image and return it unchanged.

        Args:
            img: ``(1, X, Y)`` or ``(1, X, Y, D)``.
            meta_data: for a plain tensor, its meta data; a MetaTensor has its own. ``filename_or_obj`` (the source's
                path) is needed, ``affine`` defaults to the identity; ``source_ndim = 2`` drops an axis ``D = 1``.

        Raises:
            ValueError: not such a shape, values that are not finite, or a volume as PNG.
            FileExistsError: the file exists, and ``overwrite`` is False.
        """
        meta = img.meta if isinstance(img, MetaTensor) else dict(meta_data or {})
        source = meta.get("filename_or_obj")
        if not source:
            raise ValueError("the image has no meta['filename_or_obj']: the output takes its name from the source file")
        array = as_array(img).astype(np.float32)
        if array.ndim not in (3, 4) or array.shape[0] != 1:
            raise ValueError(f"{source}: expected an image of shape (1, X, Y) or (1, X, Y, D), got {array.shape}")
        if not np.isfinite(array).all():
            raise ValueError(f"{source}: the super-resolved image holds NaN or infinity: check the weights")
        array = array[0]
        if array.ndim == 3 and array.shape[2] == 1 and (meta.get("source_ndim") == 2 or self.output_ext == ".png"):
            array = array[..., 0]
        path = self.path_for(source)
        outdated = self._outdated(source)
        existing = [path] * path.exists() + outdated
        if existing and not self.overwrite:
            raise FileExistsError(
                f"{existing[0]} exists: choose another output_dir, or pass --overwrite True to replace it"
            )
        self._make_folder()
        for old in outdated:  # before the output, so that it never lies beside maps of another one
            old.unlink()
        if self.output_ext == ".png":
            write_atomically(path, _picture(array, meta).save)
        else:
            image = _nifti(self._typed(array, meta), meta)
            write_atomically(path, image.to_filename)
        logger.info("%s -> %s %s", Path(source).name, path, "x".join(map(str, array.shape)))
        return img

    def _typed(self, array: np.ndarray, meta: Mapping[str, Any]) -> np.ndarray:
        """The array in the type of the output."""
        name = meta.get("source_dtype", "float32") if self.output_dtype == "source" else self.output_dtype
        if name not in OUTPUT_DTYPES:
            logger.info("%s: %s is no type of the output, float32 is", meta["filename_or_obj"], name)
            name = "float32"
        dtype = np.dtype(name)
        if dtype.kind == "f":
            return array.astype(dtype)
        limits, rounded = np.iinfo(dtype), np.rint(array.astype(np.float64))
        outside = int(np.count_nonzero((rounded < limits.min) | (rounded > limits.max)))
        if outside:
            logger.warning(
                "%s: %d of %d values lie outside %s and are clipped", meta["filename_or_obj"], outside, array.size, name
            )
        return np.clip(rounded, limits.min, limits.max).astype(dtype)

    def _make_folder(self) -> None:
        try:
            self.output_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OSError(f"output_dir {self.output_dir} cannot be made ({error}): pass --output_dir FOLDER") from error
        if not os.access(self.output_dir, os.W_OK):
            raise PermissionError(f"output_dir {self.output_dir} is not writable: pass --output_dir FOLDER")


class SaveSRd(SaveImaged):
    """Dictionary version of :class:`SaveSR`, and a SaveImaged, so that MONAI Label leaves it out as MONAI's own.

    Args:
        keys: keys of the images to write.
        output_dir: as for :class:`SaveSR`.
        output_postfix: as for :class:`SaveSR`.
        output_ext: as for :class:`SaveSR`.
        overwrite: as for :class:`SaveSR`.
        outdated: as for :class:`SaveSR`.
        output_dtype: as for :class:`SaveSR`.
        allow_missing_keys: skip keys that the data lacks.
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
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, output_dir=output_dir, resample=False, allow_missing_keys=allow_missing_keys)
        self.saver = SaveSR(output_dir, output_postfix, output_ext, overwrite, outdated, output_dtype)

    def check(self, datalist: Sequence[Mapping[str, Any]]) -> list[Path]:
        """See :meth:`SaveSR.check`."""
        return self.saver.check(datalist)

    def check_loaded(self, data: Mapping[Hashable, Any], image_key: str = "image") -> None:
        """See :meth:`SaveSR.check_image`, of a loaded item."""
        self.saver.check_image(data[image_key])


def _nifti(array: np.ndarray, meta: Mapping[str, Any]) -> nib.Nifti1Image:
    affine = np.asarray(meta.get("affine", np.eye(4)), dtype=np.float64)
    image = nib.Nifti1Image(array, affine)
    # a viewer picks sform or qform by their codes; the source's meaning (scanner, standard space) stays the image's
    code = int(meta.get("sform_code", 0)) or int(meta.get("qform_code", 0)) or 1
    image.set_sform(affine, code)
    image.set_qform(affine, code)
    if not np.allclose(image.get_qform(), affine, atol=1e-3):  # a qform holds no shear: better none than a false one
        image.set_qform(None, 0)
    image.header.set_xyzt_units(int(meta.get("xyzt_units", 2)) % 8 or 2)  # 2: millimetres; the low 3 bits are space
    return image


def _picture(array: np.ndarray, meta: Mapping[str, Any]) -> Image.Image:
    source = str(meta["filename_or_obj"])
    if array.ndim != 2:
        raise ValueError(f"{source}: a volume of {array.shape[2]} slices is no picture: use output_ext .nii.gz")
    mode = meta.get("mode")  # Pillow's, of a source that is a picture
    if mode is None:
        array = _upright(array, np.asarray(meta.get("affine", np.diag((-1, -1, 1, 1)))))
        white = float(np.percentile(array, WHITE_PERCENTILE))
        if not white > 0:
            raise ValueError(f"{source}: a PNG shows intensities above 0, their percentile is {white}: use .nii.gz")
        array, dtype = array * (255.0 / white), np.uint8
    else:
        dtype = np.uint8 if mode == "L" else np.uint16
    array = np.clip(np.rint(array), 0, np.iinfo(dtype).max).astype(dtype)
    return Image.fromarray(np.ascontiguousarray(array.T))  # x first in memory, rows first in a picture


def _upright(array: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Turn a slice of scanner axes so that, transposed, it shows in radiological view."""
    codes = nib.aff2axcodes(affine)[:2]
    vertical = next((axis for pair in ("SI", "AP") for axis, code in enumerate(codes) if code and code in pair), 1)
    if vertical == 0:
        array, codes = array.T, codes[::-1]
    if codes[0] in ("R", "A"):
        array = array[::-1]
    if codes[1] in ("S", "A"):
        array = array[:, ::-1]
    return array


SaveSRD = SaveSRDict = SaveSRd
