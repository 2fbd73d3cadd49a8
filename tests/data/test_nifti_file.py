# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A NIfTI file is read to its last byte, and a header that cannot be true is refused."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from monai_srgan.data import read_nifti

VALUES = np.random.default_rng(0).integers(-900, 900, (11, 9, 3)).astype(np.int16)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def nifti(path: Path, values: np.ndarray = VALUES, **fields: float) -> bytes:
    """The bytes of a .nii file; `fields` of the header are overwritten, sense or not."""
    nib.save(nib.Nifti1Image(values, np.diag([2.0, 3.0, 4.0, 1.0])), path)
    content = path.read_bytes()
    header = nib.Nifti1Header(content[:348], check=False)
    for name, value in fields.items():
        header[name] = value
    return header.binaryblock + content[348:]


def test_no_flipped_bit_of_a_compressed_file_becomes_a_value(tmp_path: Path) -> None:
    content = gzip.compress(nifti(tmp_path / "a.nii"), 6)
    rng, refused = np.random.default_rng(1), 0
    for _ in range(100):
        flipped = bytearray(content)
        flipped[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
        try:
            array = read_nifti(write(tmp_path / "t.nii.gz", bytes(flipped))).array
        except ValueError:
            refused += 1
        else:  # the date and the system's name in the header of gzip
            np.testing.assert_array_equal(array, VALUES)
    assert refused > 70


@pytest.mark.parametrize("missing", [1, 4, 8, 60])
def test_a_compressed_file_without_its_checksum_is_refused(tmp_path: Path, missing: int) -> None:
    content = gzip.compress(nifti(tmp_path / "a.nii"))
    with pytest.raises(ValueError, match=r"t\.nii\.gz: the compressed data are damaged .*copy the file again"):
        read_nifti(write(tmp_path / "t.nii.gz", content[:-missing]))


def test_several_members_and_padding_are_read(tmp_path: Path) -> None:
    content = nifti(tmp_path / "a.nii")
    for stored in (
        gzip.compress(content[:500]) + gzip.compress(content[500:]),
        gzip.compress(content) + bytes(512),
        gzip.compress(content + bytes(100)),
        content,  # not compressed, whatever its name says
    ):
        np.testing.assert_array_equal(read_nifti(write(tmp_path / "t.nii.gz", stored)).array, VALUES)
    np.testing.assert_array_equal(read_nifti(write(tmp_path / "t.nii", gzip.compress(content))).array, VALUES)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: gzip.compress(b) + b"abc", "compressed data are damaged"),
        (lambda b: gzip.compress(b + b"abc"), "goes on after the image"),
        (lambda b: gzip.compress(b + bytes(1 << 22)), "goes on after the image"),
        (lambda b: b + b"abc", "goes on after the image"),
        (lambda b: b[:-5], "truncated, 5 bytes are missing"),
        (lambda b: b[:200], "truncated"),
        (lambda _: b"", "is not a NIfTI file"),
        (lambda _: b"\x1f\x8b", "compressed data are damaged"),
        (lambda _: b"hello" * 100, r"is not a NIfTI file, it starts with b'hell'"),
        (lambda b: b[:344] + b"ni1\0" + b[348:], "half of a pair"),
        (lambda b: b[:344] + bytes(4) + b[348:], "its magic is b''"),
    ],
)
def test_bytes_that_the_header_does_not_describe_are_refused(tmp_path: Path, change, message: str) -> None:
    path = write(tmp_path / "t.nii", change(nifti(tmp_path / "a.nii")))
    with pytest.raises(ValueError, match=rf"t\.nii: .*{message}"):
        read_nifti(path)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"dim": [3, 30000, 30000, 30000, 1, 1, 1, 1]}, r"shape \(30000, 30000, 30000\) cannot be in 946 bytes"),
        ({"dim": [3, 11, -9, 3, 1, 1, 1, 1]}, "must not be negative"),
        ({"dim": [3, 11, 0, 3, 1, 1, 1, 1]}, "is empty"),
        ({"dim": [0, 11, 9, 3, 1, 1, 1, 1]}, "must be 1 to 7, got 0"),
        ({"dim": [9, 11, 9, 3, 1, 1, 1, 1]}, "must be 1 to 7, got 9"),
        ({"dim": [1, 297, 1, 1, 1, 1, 1, 1]}, r"a slice .* got shape \(297,\)"),
        ({"dim": [4, 11, 9, 1, 3, 1, 1, 1]}, r"a slice .* got shape \(11, 9, 1, 3\): split it"),
        ({"datatype": 16}, "bitpix must be 32"),
        ({"datatype": 3}, r"\(datatype\) 3 is not one of NIfTI"),
        ({"datatype": 1, "bitpix": 1}, "one number of up to 64 bits"),
        ({"datatype": 128, "bitpix": 24}, "one number of up to 64 bits"),
        ({"datatype": 2304, "bitpix": 32}, "one number of up to 64 bits"),
        ({"datatype": 1536, "bitpix": 128}, "one number of up to 64 bits"),
        ({"datatype": 32, "bitpix": 64}, "must be real, got complex64"),
        ({"vox_offset": 0}, "must start at byte 352 or later"),
        ({"vox_offset": 352.5}, "must start at byte 352 or later"),
        ({"vox_offset": np.nan}, "must start at byte 352 or later"),
        ({"vox_offset": 1e30}, "cannot be in 946 bytes"),
        ({"scl_slope": np.nan}, "must be finite"),
        ({"scl_slope": np.inf}, "must be finite"),
        ({"scl_slope": 2, "scl_inter": np.nan}, "must be finite"),
        ({"xyzt_units": 5}, r"unit of length \(xyzt_units\) must have the code 0, 1, 2, 3, got 5"),
    ],
)
def test_headers_that_make_no_sense_are_refused(tmp_path: Path, fields: dict[str, float], message: str) -> None:
    path = write(tmp_path / "t.nii", nifti(tmp_path / "a.nii", **fields))
    with pytest.raises(ValueError, match=rf"t\.nii: .*{message}"):
        read_nifti(path)


def test_a_small_file_that_promises_much_is_refused_before_it_is_inflated(tmp_path: Path) -> None:
    content = nifti(tmp_path / "a.nii", dim=[3, 1000, 1000, 1000, 1, 1, 1, 1])
    path = write(tmp_path / "t.nii.gz", gzip.compress(content + bytes(10_000_000)))
    with pytest.raises(ValueError, match=r"cannot be in .* bytes: the header is damaged"):
        read_nifti(path)


@pytest.mark.parametrize(
    ("slope", "intercept", "dtype"), [(0, 7, "int16"), (0, np.nan, "int16"), (1, 0, "int16"), (-0.5, 3, "float64")]
)
def test_slope_and_intercept_are_applied_as_the_standard_says(
    tmp_path: Path, slope: float, intercept: float, dtype: str
) -> None:
    content = nifti(tmp_path / "a.nii", scl_slope=slope, scl_inter=intercept)
    array = read_nifti(write(tmp_path / "t.nii", content)).array
    np.testing.assert_array_equal(array, VALUES if dtype == "int16" else VALUES * slope + intercept)
    assert array.dtype == dtype


def test_scaled_values_are_float64_whatever_the_slope(tmp_path: Path) -> None:
    nib.save(nib.Nifti2Image(VALUES, np.eye(4)), tmp_path / "a.nii")
    content = (tmp_path / "a.nii").read_bytes()
    header = nib.Nifti2Header(content[:540], check=False)
    header["scl_slope"] = 1e306
    array = read_nifti(write(tmp_path / "t.nii", header.binaryblock + content[540:])).array
    assert array.dtype == np.float64
    small = np.abs(VALUES) < 100
    np.testing.assert_allclose(array[small], VALUES[small] * 1e306)
    assert np.isinf(array[~small & (np.abs(VALUES) > 200)]).all()


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("endianness", ["<", ">"])
def test_both_versions_and_byte_orders_are_read_with_extensions(tmp_path: Path, kind, endianness: str) -> None:
    header = kind.header_class(endianness=endianness)
    header.set_data_dtype(np.int16)
    image = kind(VALUES, np.diag([2.0, 3.0, 4.0, 1.0]), header)
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"not a pixel" * 30))
    nib.save(image, tmp_path / "t.nii.gz")
    file = read_nifti(tmp_path / "t.nii.gz")
    np.testing.assert_array_equal(file.array, VALUES)
    np.testing.assert_allclose(file.header.get_best_affine(), np.diag([2.0, 3.0, 4.0, 1.0]))


def test_a_transfer_as_text_is_seen(tmp_path: Path) -> None:
    nib.save(nib.Nifti2Image(VALUES, np.eye(4)), tmp_path / "a.nii")
    content = (tmp_path / "a.nii").read_bytes()
    path = write(tmp_path / "t.nii", content[:8] + content[8:12].replace(b"\r\n", b"\n\n") + content[12:])
    with pytest.raises(ValueError, match=r"t\.nii: was changed by a transfer as text"):
        read_nifti(path)


def test_pipes_devices_and_folders_are_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.nii")
    (tmp_path / "device.nii").symlink_to("/dev/zero")
    (tmp_path / "folder.nii").mkdir()
    for name, kind in (("pipe", "a named pipe"), ("device", "a device"), ("folder", "a folder")):
        with pytest.raises(ValueError, match=rf"{name}\.nii: must be a regular file, but it is {kind}"):
            read_nifti(tmp_path / f"{name}.nii")
    with pytest.raises(FileNotFoundError, match=r"none\.nii does not exist"):
        read_nifti(tmp_path / "none.nii")
