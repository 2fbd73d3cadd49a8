# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The images that inference is asked to enlarge: one file, one DICOM series, or the images of one folder."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from monai_srgan.data.dicom import DICOM_SUFFIXES, dicom_files, is_dicom
from monai_srgan.data.natural_order import natural_key
from monai_srgan.root_cause import reason

__all__ = ["IMAGE_SUFFIXES", "check_inputs", "image_stem", "inference_datalist"]

IMAGE_SUFFIXES = (".mat", ".nii", ".nii.gz", ".png")
NOT_IMAGES = ("cvind.mat",)  # the figshare set's table of folds lies among its images

_MANY = 100  # files from which on reading them is worth a progress bar

logger = logging.getLogger(__name__)


def image_stem(path: str | Path) -> str:
    """The name without the image suffix: "7" for "slices/7.nii.gz", "a.b" for "a.b.png".

    The name of a folder, which is a DICOM series, and of a DICOM file without suffix is taken whole.

    Raises:
        ValueError: the suffix is neither one of :data:`IMAGE_SUFFIXES` nor DICOM's, and the file is not DICOM.
    """
    path = Path(path)
    if path.is_dir():
        return path.resolve().name or "series"
    name = path.name
    for suffix in sorted((*IMAGE_SUFFIXES, *DICOM_SUFFIXES), key=len, reverse=True):
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    if is_dicom(path):
        return name
    raise ValueError(
        f"{path}: the suffix must be one of {', '.join(IMAGE_SUFFIXES)} or DICOM's ({', '.join(DICOM_SUFFIXES)}), "
        f"got {path.suffix!r}"
    )


def inference_datalist(path: str | Path | None) -> list[dict[str, str]]:
    """List the images at ``path`` as MONAI data items ``{"image": file, "source": file}``.

    A folder's DICOM files are one image, a series, whose path is the folder itself; so are those of a folder in it.
    Otherwise a folder is not searched below its first level. Its other files are skipped, and logged. Numbers in names
    count as numbers: 2.mat comes before 10.mat.

    Args:
        path: an image file (.mat, .nii, .nii.gz, .png, DICOM), or a folder of image files or DICOM series; None, for a
            workflow that is set up before its input is known, gives an empty list.

    Raises:
        FileNotFoundError: there is nothing at ``path``, or the folder holds no image.
        ValueError: ``path`` is a file of another kind.
    """
    if path is None:
        return []
    path = Path(str(path)).expanduser()  # str: a config reads the name 123 as a number
    if path.is_dir():
        files = _images_of(path)
    elif path.exists():
        image_stem(path)
        files = [path]
    else:
        raise FileNotFoundError(f"dataset_dir {path} does not exist: give an image file or a folder of image files")
    return [{"image": str(file), "source": str(file)} for file in files]


def check_inputs(
    datalist: Sequence[Mapping[str, Any]], load: Callable[[dict[str, Any]], Any], *, progress: bool = True
) -> None:
    """Read every input once before the first is enlarged, so that a run does not stop half way at a bad file.

    Args:
        datalist: items as of :func:`inference_datalist`.
        load: what a run does with an item before the network, its preprocessing, and further checks.
        progress: show a bar while many files are read.

    Raises:
        ValueError: lists all inputs that cannot be used, and why.
    """
    problems = []
    for item in tqdm(datalist, desc="checking inputs", unit="file", disable=not progress or len(datalist) < _MANY):
        try:
            load(dict(item))
        except Exception as error:  # whatever a reader of MONAI may raise: each becomes a line of the one error below
            problems.append(reason(error, item["source"]))
    if problems:
        listing = "\n  ".join(problems)
        raise ValueError(
            f"{len(problems)} of {len(datalist)} inputs cannot be used, and nothing was computed; "
            f"repair them or take them out:\n  {listing}"
        )


def _images_of(folder: Path) -> list[Path]:
    visible = [f for f in folder.iterdir() if not f.name.startswith(".")]
    entries = sorted(visible, key=lambda f: (natural_key(f.name), f.name))
    slices = set(dicom_files(folder))
    files = [f for f in entries if f.is_file()]
    images = [
        f
        for f in entries
        if (f.is_dir() and dicom_files(f))
        or (f.is_file() and f.name.lower().endswith(IMAGE_SUFFIXES) and f.name not in NOT_IMAGES)
    ]
    if slices:
        images.append(folder)
    skipped = [f.name for f in files if f not in slices.union(images)]
    if not images:
        found = f"{len(skipped)} other files, such as {', '.join(skipped[:3])}" if skipped else "no files"
        raise FileNotFoundError(
            f"dataset_dir {folder} holds no image ({', '.join(IMAGE_SUFFIXES)}, DICOM) (found: {found}); "
            "give the folder that holds the files; of folders in it only DICOM series are taken, one level down"
        )
    if skipped:
        logger.info("%s: %d files are no images and are skipped: %s", folder, len(skipped), ", ".join(skipped[:5]))
    return images
