# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Input images of inference: one file, one DICOM series, or the images of one folder."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from monai_srgan.data.dicom import DICOM_SUFFIXES, dicom_files, is_dicom
from monai_srgan.data.mat_errors import listed
from monai_srgan.data.natural_order import natural_key
from monai_srgan.data.regular_file import require_regular_file
from monai_srgan.errors import about, argument_of
from monai_srgan.flags import require_path
from monai_srgan.root_cause import reason

__all__ = ["IMAGE_SUFFIXES", "check_inputs", "image_stem", "inference_datalist"]

IMAGE_SUFFIXES = (".mat", ".nii", ".nii.gz", ".png")
_NOT_IMAGES = ("cvind.mat",)  # the table of folds among the slices of the figshare set

_MANY = 100  # number of files from which a progress bar is shown

logger = logging.getLogger(__name__)


def image_stem(path: str | Path) -> str:
    """The file name without the image suffix: "7" for "slices/7.nii.gz", "a.b" for "a.b.png".

    A folder (a DICOM series) and a DICOM file without suffix keep their full name.

    Args:
        path: image file or folder with a DICOM series.

    Raises:
        ValueError: the suffix is neither among :data:`IMAGE_SUFFIXES` nor a DICOM suffix, and the file is not DICOM.
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
        f"{path}: the suffix must be one of {', '.join(IMAGE_SUFFIXES)} or DICOM ({', '.join(DICOM_SUFFIXES)}), "
        f"got {path.suffix!r}"
    )


def inference_datalist(path: str | Path | None) -> list[dict[str, str]]:
    """List the images at ``path`` as MONAI data items ``{"image": file, "source": file}``.

    The DICOM files in a folder form one image, a series, whose path is the folder. The same holds for each subfolder
    with DICOM files; subfolders are not searched otherwise. Other files are skipped and logged. Names are sorted with
    digits as numbers: 2.mat comes before 10.mat.

    Args:
        path: an image file (.mat, .nii, .nii.gz, .png, DICOM), or a folder with image files or DICOM series; None
            returns an empty list, for workflows that are set up before their input is known.

    Raises:
        FileNotFoundError: ``path`` does not exist, or the folder contains no image.
        ValueError: ``path`` is a file of another type, or a named pipe or device; or the name of an image has control
            characters, which would reach terminals and logs.
    """
    if path is None:
        return []
    path = require_path("dataset_dir", path)
    if path.is_dir():
        files = _images_of(path)
    elif path.exists():
        require_regular_file(path)
        image_stem(path)
        files = [path]
    else:
        raise about(
            FileNotFoundError(f"path={path} does not exist: give an image file or a folder with image files"),
            "dataset_dir",
        )
    for file in files:
        if any(unicodedata.category(character) == "Cc" for character in file.name):
            raise about(
                ValueError(f"the name of an image must not have control characters, got {str(file)!a}: rename it"),
                "dataset_dir",
            )
    return [{"image": str(file), "source": str(file)} for file in files]


def check_inputs(
    datalist: Sequence[Mapping[str, Any]], load: Callable[[dict[str, Any]], Any], *, progress: bool = True
) -> None:
    """Read every input once before the first is enlarged, so that a run does not stop halfway at a bad file.

    Args:
        datalist: items as returned by :func:`inference_datalist`.
        load: the preprocessing of an item, and further checks.
        progress: show a progress bar on a terminal if there are many files.

    Raises:
        ValueError: inputs cannot be used; the message lists all of them with the reasons. It is about an argument (see
            :func:`monai_srgan.errors.about`) if all reasons are about the same one.
    """
    problems, arguments = [], set()
    hidden = None if progress and len(datalist) >= _MANY else True  # None hides the bar without a terminal
    for item in tqdm(datalist, desc="checking inputs", unit="file", disable=hidden):
        try:
            load(dict(item))
        except Exception as error:  # MONAI's readers raise anything; each becomes a line of the error below
            problems.append(reason(error, item["source"]))
            arguments.add(argument_of(error))
    if problems:
        listing = "\n  ".join(problems)
        refusal = ValueError(
            f"{len(problems)} of {len(datalist)} inputs cannot be used, and nothing was computed. "
            f"Repair or remove them:\n  {listing}"
        )
        common = arguments.pop() if len(arguments) == 1 else None
        raise refusal if common is None else about(refusal, common)


def _images_of(folder: Path) -> list[Path]:
    visible = [f for f in folder.iterdir() if not f.name.startswith(".")]
    entries = sorted(visible, key=lambda f: (natural_key(f.name), f.name))
    slices = set(dicom_files(folder))
    files = [f for f in entries if not f.is_dir()]  # also pipes, devices and broken links, to name what is skipped
    images = [
        f
        for f in entries
        if (f.is_dir() and dicom_files(f))
        or (f.is_file() and f.name.lower().endswith(IMAGE_SUFFIXES) and f.name not in _NOT_IMAGES)
    ]
    if slices:
        images.append(folder)
    skipped = [f.name for f in files if f not in slices.union(images)]
    if not images:
        found = f"{len(skipped)} other files, such as {listed(skipped[:3])}" if skipped else "no files"
        raise about(
            FileNotFoundError(
                f"path={folder} contains no image ({', '.join(IMAGE_SUFFIXES)}, DICOM; found {found}): give the folder "
                "with the image files (subfolders are searched only for DICOM series, one level down)"
            ),
            "dataset_dir",
        )
    if skipped:
        logger.info("%s: skipped %d files that are not images: %s", folder, len(skipped), listed(skipped[:5]))
    return images
