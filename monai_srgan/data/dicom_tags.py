# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Tags of a DICOM file as text and numbers that were checked, or an error that names tag, value, rule and remedy."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pydicom.tag import BaseTag, Tag
from pydicom.uid import DeflatedExplicitVRLittleEndian, MediaStorageDirectoryStorage

__all__ = ["DicomTags", "read_tags"]

# Where enhanced files keep what classic ones have at the top (PS3.3, C.7.6.16.2).
_GROUPS = {
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "PixelSpacing": "PixelMeasuresSequence",
    "SliceThickness": "PixelMeasuresSequence",
    "SpacingBetweenSlices": "PixelMeasuresSequence",
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
}
_BINARY = {"US": "u2", "SS": "i2", "US or SS": "u2", "UL": "u4", "SL": "i4", "FL": "f4", "FD": "f8"}
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")  # float() takes nan, inf and 1_0 too
_SHOWN = 60  # characters of a value in a message


@dataclass(frozen=True, eq=False)
class DicomTags:
    """The tags of a DICOM file.

    Values are taken from the bytes of the file: pydicom's own conversion warns of some malformed values, repairs
    others, and differs between its versions. Of a file with functional groups, those of its first frame come before
    tags at the top.

    Attributes:
        file: the file, named in every message.
        dataset: as pydicom reads it.
    """

    file: Path
    dataset: pydicom.Dataset

    def element(self, keyword: str | int) -> Any:
        """The element of a tag (its keyword, or its number), as raw as it was read; None if the file has none."""
        tag = Tag(keyword)
        if keyword in _GROUPS:
            for root in ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"):
                for frame in self._items(self.dataset, root)[:1]:
                    for group in self._items(frame, _GROUPS[str(keyword)])[:1]:
                        if tag in group:
                            return self._raw(group, tag)
        return self._raw(self.dataset, tag)

    def text(self, keyword: str | int) -> str | None:
        """The value of a tag (keyword or number) as text, several with backslashes between; None if it is missing."""
        element = self.element(keyword)
        if element is None:
            return None
        if element.VR == "SQ":
            return "a sequence"
        value = element.value
        if isinstance(value, bytes):
            known = element.VR not in (None, "UN") or not dictionary_has_tag(element.tag)
            dtype = _BINARY.get(element.VR if known else dictionary_VR(element.tag))
            if dtype is None:
                return "\\".join(part.strip(" \0") for part in value.decode("latin-1").split("\\"))
            if len(value) % np.dtype(dtype).itemsize:
                return repr(value)
            value = np.frombuffer(value, dtype if element.is_little_endian else f">{dtype}").tolist()
        if value is None:
            return ""
        is_list = isinstance(value, Sequence) and not isinstance(value, str)
        return "\\".join(str(part) for part in value) if is_list else str(value)

    def numbers(self, keyword: str, count: int, rule: str, remedy: str) -> tuple[float, ...] | None:
        """The finite numbers of a tag; None if it is missing.

        Args:
            keyword: name of the tag.
            count: how many numbers it must have.
            rule: for the message: what the value must be.
            remedy: for the message: what to do.

        Raises:
            ValueError: the value is empty, or not that many finite numbers.
        """
        text = self.text(keyword)
        if text is None:
            return None
        parts = text.split("\\")
        if len(parts) != count or not all(_NUMBER.fullmatch(p) and math.isfinite(float(p)) for p in parts):
            raise self.refusal(keyword, rule, remedy)
        return tuple(float(p) for p in parts)

    def integer(self, keyword: str, allowed: Sequence[int], rule: str, remedy: str) -> int:
        """The whole number of a tag that a file must have.

        Raises:
            ValueError: the tag is missing, or its value is not one of ``allowed``.
        """
        number = self.numbers(keyword, 1, rule, remedy)
        # a range is searched for an int at once, but for a float one by one
        if number is None or not number[0].is_integer() or int(number[0]) not in allowed:
            raise self.refusal(keyword, rule, remedy)
        return int(number[0])

    def refusal(self, keyword: str, rule: str, remedy: str) -> ValueError:
        """An error that names the file, the tag and its value."""
        tag = Tag(keyword)
        text = self.text(keyword)
        quoted = repr((text or "")[:_SHOWN]).replace(r"\\", "\\")  # one backslash between values, as in the file
        shown = "but is missing" if text is None else f"got {quoted}" if text else "but is empty"
        return ValueError(
            f"{self.file}: {keyword} ({tag.group:04X},{tag.element:04X}) must be {rule}, {shown}: {remedy}"
        )

    def _raw(self, dataset: pydicom.Dataset, tag: BaseTag) -> Any:
        try:
            return dataset.get_item(tag) if tag in dataset else None
        except Exception as error:  # pydicom converts elements without a value, and raises anything at damaged ones
            raise ValueError(f"{self.file}: {tag} is damaged ({error!r}): export the file again") from error

    def _items(self, dataset: pydicom.Dataset, keyword: str) -> list[pydicom.Dataset]:
        """The items of a sequence; none if it is missing."""
        if keyword not in dataset:
            return []
        try:
            return list(dataset[keyword].value or [])
        except Exception as error:  # pydicom parses sequences on access, and raises anything at damaged ones
            raise ValueError(f"{self.file}: {keyword} is damaged ({error!r}): export the file again") from error


def read_tags(file: Path, *, pixels: bool = False) -> DicomTags:
    """Read the tags of a DICOM file.

    Args:
        file: the file; the preamble and the file meta information may be missing.
        pixels: read the pixel data and what follows too.

    Raises:
        ValueError: the file is not DICOM, is damaged, contains no image, or is deflated.
        OSError: the file cannot be opened.
    """
    try:
        try:
            syntax = read_file_meta_info(str(file)).get("TransferSyntaxUID")
        except InvalidDicomError:  # without a preamble
            syntax = None
        deflated = syntax == DeflatedExplicitVRLittleEndian
        dataset = None if deflated else pydicom.dcmread(file, stop_before_pixels=not pixels, force=True)
    except OSError:
        raise
    except Exception as error:  # damaged files make pydicom raise anything: EOFError, struct.error, KeyError ...
        raise ValueError(f"{file}: cannot be read as a DICOM image ({error!r}): repair or remove it") from error
    if dataset is None:  # inflating takes as much memory as the file wants
        raise ValueError(f"{file}: the whole file is deflated: inflate it first, as with dcmconv +te")
    tags = DicomTags(file, dataset)
    if tags.text("Rows") is None:
        if DicomTags(file, dataset.file_meta).text("MediaStorageSOPClassUID") == MediaStorageDirectoryStorage:
            raise ValueError(f"{file}: is a DICOMDIR, a table of contents, and not an image: remove it")
        modality = tags.text("Modality")
        found = f", its Modality is {modality!r}" if modality else ""
        raise ValueError(f"{file}: cannot be read as a DICOM image (it has no Rows (0028,0010){found}): remove it")
    return tags
