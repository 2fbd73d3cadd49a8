# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The images that inference is asked to enlarge: one file, or the files of one folder."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from monai_srgan.data.natural_order import natural_key

__all__ = ["IMAGE_SUFFIXES", "check_inputs", "image_stem", "inference_datalist"]

IMAGE_SUFFIXES = (".mat", ".nii", ".nii.gz", ".png")
NOT_IMAGES = ("cvind.mat",)  # the figshare set's table of folds lies among its images

_MANY = 100  # files from which on reading them is worth a progress bar

logger = logging.getLogger(__name__)


def image_stem(path: str | Path) -> str:
    """The file's name without the image suffix: "7" for "slices/7.nii.gz", "a.b" for "a.b.png".

    Raises:
        ValueError: the suffix is not one of :data:`IMAGE_SUFFIXES`.
    """
    name = Path(path).name
    for suffix in sorted(IMAGE_SUFFIXES, key=len, reverse=True):
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    raise ValueError(f"{path}: the suffix must be one of {', '.join(IMAGE_SUFFIXES)}, got {Path(path).suffix!r}")


def inference_datalist(path: str | Path | None) -> list[dict[str, str]]:
    """List the images at ``path`` as MONAI data items ``{"image": file, "source": file}``.

    A folder is not searched below its first level. Its other files are skipped, and logged. Numbers in names count as
    numbers: 2.mat comes before 10.mat.

    Args:
        path: an image file or a folder of image files (.mat, .nii, .nii.gz, .png); None, for a workflow that is
            set up before its input is known, gives an empty list.

    Raises:
        FileNotFoundError: there is nothing at ``path``, or the folder holds no image.
        ValueError: ``path`` is a file of another kind.
    """
    if path is None:
        return []
    path = Path(path).expanduser()
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
            reason = _reason(error)
            problems.append(reason if str(item["source"]) in reason else f"{item['source']}: {reason}")
    if problems:
        listing = "\n  ".join(problems)
        raise ValueError(
            f"{len(problems)} of {len(datalist)} inputs cannot be used, and nothing was computed; "
            f"repair them or take them out:\n  {listing}"
        )


def _reason(error: BaseException) -> str:
    """The first line of what a reader or transform said: MONAI wraps it in RuntimeErrors of its own."""
    while type(error) is RuntimeError and error.__cause__ is not None:
        error = error.__cause__
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _images_of(folder: Path) -> list[Path]:
    visible = [f for f in folder.iterdir() if f.is_file() and not f.name.startswith(".")]
    files = sorted(visible, key=lambda f: (natural_key(f.name), f.name))
    images = [f for f in files if f.name.lower().endswith(IMAGE_SUFFIXES) and f.name not in NOT_IMAGES]
    skipped = [f.name for f in files if f not in set(images)]
    if not images:
        found = f"{len(skipped)} other files, such as {', '.join(skipped[:3])}" if skipped else "no files"
        raise FileNotFoundError(
            f"dataset_dir {folder} holds no image ({', '.join(IMAGE_SUFFIXES)}) (found: {found}); "
            "give the folder that holds the files, subfolders are not searched"
        )
    if skipped:
        logger.info("%s: %d files are no images and are skipped: %s", folder, len(skipped), ", ".join(skipped[:5]))
    return images
