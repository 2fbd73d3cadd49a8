# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A MONAI image reader for PNG files alone, whole and undamaged."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from monai.config import PathLike
from monai.data import PILReader
from monai.data.utils import is_supported_format
from monai.utils import ensure_tuple
from PIL import Image

from monai_srgan.data.png_file import read_png_bytes

__all__ = ["PngReader"]


class PngReader(PILReader):
    """MONAI image reader for PNG files alone.

    MONAI's PILReader opens whatever Pillow knows, whatever the file is called: PostScript, say, which Pillow passes to
    Ghostscript. Damaged pixels and missing rows are read as other values, and of an animation the first frame.

    Raises:
        FileNotFoundError: (in ``read``) the file does not exist.
        ValueError: (in ``read``) it is no regular file, no PNG, damaged, animated, or larger than 2^26 pixels.
    """

    def verify_suffix(self, filename: Sequence[PathLike] | PathLike) -> bool:
        """Whether all file names end in ``.png``."""
        return bool(is_supported_format(filename, ["png"]))

    def read(self, data: Sequence[PathLike] | PathLike, **_: Any) -> Image.Image | list[Image.Image]:
        """Read one or more files.

        Args:
            data: file name or sequence of file names.

        Returns:
            a picture, or a list of pictures for several files.
        """
        pictures = [_decoded(name) for name in ensure_tuple(data)]
        return pictures if len(pictures) > 1 else pictures[0]


def _decoded(path: PathLike) -> Image.Image:
    content = read_png_bytes(path)
    try:
        picture = Image.open(io.BytesIO(content), formats=("PNG",))
        picture.load()
    except (OSError, SyntaxError, EOFError, ValueError) as error:  # as Pillow's decoder of PNG raises
        raise ValueError(f"{path}: the PNG file cannot be decoded ({error}): save it again") from error
    return picture
