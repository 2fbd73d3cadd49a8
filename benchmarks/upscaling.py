# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Enlarge a folder as a user does, by the command ``monai-srgan upscale`` in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from monai_srgan.data import image_stem, inference_datalist

__all__ = ["is_declined", "upscale"]


def upscale(folder: Path, output: Path, options: Sequence[str] = ()) -> dict[str, Path]:
    """Enlarge all images of a folder.

    Args:
        folder: images, see ``monai-srgan upscale``.
        output: folder of the results.
        options: further arguments of the command, such as ``["--variant", "srresnet"]``.

    Returns:
        name of an image without suffix to the file of its result.

    Raises:
        RuntimeError: the command failed; the message is its own.
    """
    command = [sys.executable, "-m", "monai_srgan", "upscale", str(folder), str(output), *options]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr[-2000:]}")
    suffix = ".png" if ".png" in options else ".nii.gz"
    names = [image_stem(item["image"]) for item in inference_datalist(folder)]
    return {name: output / f"{name}_sr{suffix}" for name in names}


def is_declined(result: Path) -> bool:
    """Whether the record beside a result, a JSON file of its name, says that the command declined to sharpen it."""
    record = result.with_name(f"{image_stem(result)}.json")
    return record.is_file() and bool(json.loads(record.read_text(encoding="utf-8")).get("declined", False))
