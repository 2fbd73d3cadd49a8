# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Write head-like phantom slices as .mat files in the layout of the figshare brain tumor set.

The pictures are made up: they train and test the pipeline where the real slices are not at hand, and say nothing about
patients. Contrasts, sizes and spectra follow T1-weighted contrast-enhanced slices of the figshare set.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage
from tqdm import tqdm

from monai_srgan.phantoms.anatomy import PLANES, Canvas, Traits, draw_head, soft
from monai_srgan.phantoms.tumor import draw_tumor

__all__ = ["PhantomSlice", "draw_phantom_slice", "is_phantom_dataset", "write_phantom_dataset"]

logger = logging.getLogger(__name__)

RECORD = "phantom.json"
VERSION = 1
_HEADER = b"MATLAB 7.3 MAT-file, Platform: monai_srgan phantom, HDF5 schema 1.00 ."


@dataclass(frozen=True)
class PhantomSlice:
    """One made-up slice, `(rows, columns)` as MATLAB shows it."""

    image: NDArray[np.int16]  #: `(N, N)` scanner units >= 0
    mask: NDArray[np.uint8]  #: `(N, N)` {0, 1}
    border: NDArray[np.float64]  #: `(K, 2)` x, y in 1-based pixels, 6 <= K <= 67
    tumor_type: int  #: 1 meningioma, 2 glioma, 3 pituitary tumor


def is_phantom_dataset(root_dir: str | os.PathLike[str]) -> bool:
    """Whether a folder was written by :func:`write_phantom_dataset`."""
    return (Path(root_dir).expanduser() / RECORD).is_file()


def write_phantom_dataset(
    root_dir: str | os.PathLike[str],
    *,
    num_patients: int = 15,
    slices_per_patient: int = 1,
    image_size: int = 512,
    seed: int = 0,
    progress: bool = False,
) -> Path:
    """Write phantom slices 1.mat, 2.mat, ... in the layout of the figshare originals (MAT v7.3).

    Tumor types 1, 2, 3 and planes axial, coronal, sagittal alternate over the patients `PH000001`, `PH000002`, ...:
    nine patients show every pair. The files are written beside `root_dir`, so its parent must be writable, and appear
    at the end: all at once by a rename, or, where an empty folder cannot be replaced (the working directory, a mount
    point), one after the other with `phantom.json` as the last. Where `root_dir` already holds the set of the same
    parameters, nothing is written.

    Args:
        root_dir: folder to create, or an empty one; `~` is the home folder.
        num_patients: number of patients, >= 1.
        slices_per_patient: similar slices of each patient, >= 1.
        image_size: rows and columns, a multiple of 4, >= 64. A seed gives the same heads at every size.
        seed: >= 0; the same seed gives the same arrays.
        progress: whether to show a progress bar.

    Returns:
        The folder, as an absolute path.

    Raises:
        ValueError: when an argument is out of range.
        FileExistsError: when `root_dir` is a file, or a folder that holds anything else.
        OSError: when the parent of `root_dir` cannot be made or written to; the message names it.
    """
    parameters = {
        "num_patients": _whole("num_patients", num_patients, 1),
        "slices_per_patient": _whole("slices_per_patient", slices_per_patient, 1),
        "image_size": _whole("image_size", image_size, 64),
        "seed": _whole("seed", seed, 0),
    }
    if image_size % 4:
        raise ValueError(f"image_size must be a multiple of 4, got {image_size}: take {image_size - image_size % 4}")
    if num_patients > 999_999:
        raise ValueError(
            f"num_patients must be at most 999999, the phantom's patient numbers end there, got {num_patients}"
        )
    root = Path(root_dir).expanduser().resolve()
    record = {"phantom": VERSION, **parameters}
    if _already_written(root, record):
        logger.info("phantom set found in %s", root)
        return root
    partial = _make_partial(root)
    try:
        count = num_patients * slices_per_patient
        for number in tqdm(range(count), desc="phantom slices", disable=not progress):
            patient, position = divmod(number, slices_per_patient)
            made = draw_phantom_slice(patient, position, image_size=image_size, seed=seed)
            _write_mat(partial / f"{number + 1}.mat", made, f"PH{patient + 1:06d}")
        (partial / RECORD).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        _publish(partial, root, record)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    logger.info("wrote %d phantom slices to %s", count, root)
    return root


def draw_phantom_slice(patient: int, position: int = 0, *, image_size: int = 512, seed: int = 0) -> PhantomSlice:
    """Draw one slice.

    Args:
        patient: number of the patient, from 0; decides the tumor type and the plane.
        position: number of the slice within the patient, from 0; neighbors look alike.
        image_size: rows and columns.
        seed: seed of the set.
    """
    tumor_type = patient % 3 + 1
    plane = PLANES[(patient + patient // 3) % 3]
    canvas = Canvas(image_size)
    traits = Traits(np.random.default_rng([seed, patient]), phase=0.25 * position)
    head = draw_head(canvas, traits, plane)
    mask, border = draw_tumor(canvas, traits, head, tumor_type)
    scanner = np.random.default_rng([seed, patient, position + 1])
    image = _scan(canvas, traits, scanner, head.image, plane)
    return PhantomSlice(image, mask.astype(np.uint8), border + 1.0, tumor_type)


def _scan(
    canvas: Canvas, traits: Traits, scanner: np.random.Generator, tissue: NDArray[np.float32], plane: str
) -> NDArray[np.int16]:
    """Partial volume, receive coil, limited k-space with complex noise (so Rician magnitudes), field of view, int16."""
    n = canvas.size
    tissue = ndimage.gaussian_filter(tissue, traits.uniform(0.3, 1.35) / canvas.pixel)
    coil = 1 + 0.10 * canvas.field(traits, 300) + 0.16 * (np.hypot(canvas.x, canvas.y) / 200) ** 2
    noise = traits.uniform(0.01, 0.025)
    signal = np.stack([tissue * coil, np.zeros_like(tissue)]) + noise * scanner.standard_normal((2, n, n), np.float32)
    # The scanner's matrix is about 256 wide and interpolated to 512; the cosine transform has no seam at the edges.
    frequency = np.arange(n) / 2
    taper = 1 / (1 + np.exp((frequency - traits.uniform(120, 155)) / 14)).astype(np.float32)
    signal = fft.idctn(fft.dctn(signal, axes=(1, 2)) * taper[:, None] * taper, axes=(1, 2))
    image = np.hypot(*signal)
    margin = traits.uniform(2, 70 if plane == "axial" else 30)
    image *= soft(256 - margin + 0.4 * margin * (canvas.y / 256) ** 2 - np.abs(canvas.x), 2 * canvas.pixel)
    peak = float(np.exp(traits.uniform(np.log(1000), np.log(6000))))
    return np.round(image * (peak / image.max())).astype(np.int16)


def _whole(name: str, value: int, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise ValueError(f"{name} must be a whole number >= {least}, got {value!r}")
    return int(value)


def _already_written(root: Path, record: dict[str, int]) -> bool:
    """Whether the same set is there; an error where something else is."""
    if not root.exists():
        return False
    if not root.is_dir():
        raise FileExistsError(f"root_dir must be a folder, but {root} is a file: name another folder")
    entries = {path.name for path in root.iterdir()}
    if not entries:
        return False
    if RECORD not in entries:
        raise FileExistsError(
            f"root_dir must be empty or hold this phantom set, but {root} holds other files "
            f"({sorted(entries)[0]}, ...): name another folder"
        )
    found = json.loads((root / RECORD).read_text(encoding="utf-8"))
    if found != record:
        raise FileExistsError(f"root_dir {root} holds another phantom set, {found}, not {record}: name another folder")
    count = record["num_patients"] * record["slices_per_patient"]
    missing = [f"{k}.mat" for k in range(1, count + 1) if f"{k}.mat" not in entries]
    if missing:
        raise FileExistsError(
            f"phantom set in {root} lacks {len(missing)} files ({missing[0]}, ...): delete the folder"
        )
    return True


def _make_partial(root: Path) -> Path:
    partial = root.parent / f".{root.name}.partial-{os.getpid()}"
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(partial, ignore_errors=True)  # what a killed process of the same number left
        partial.mkdir()
    except OSError as error:
        raise OSError(
            error.errno,
            f"root_dir {root} is written in its parent folder {root.parent} first, which must be a folder that can be "
            f"written to, but: {error.strerror}. Name a folder elsewhere, or one in {root} if that can be written to",
        ) from error
    return partial


def _publish(partial: Path, root: Path, record: dict[str, int]) -> None:
    for path in [partial, *partial.iterdir()]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    if root != Path.cwd():  # a replaced working directory is a deleted one to its process
        try:
            partial.rename(root)
        except OSError:
            if not root.exists():
                raise
        else:
            return
    # Another process may have written the same set meanwhile: then that one serves.
    if not _already_written(root, record):
        _move_into(partial, root)


def _move_into(partial: Path, root: Path) -> None:
    """Move all files, the record as the last; all or none."""
    names = [path.name for path in partial.iterdir() if path.name != RECORD]
    done: list[Path] = []
    try:
        for name in [*names, RECORD]:
            done.append(root / name)
            shutil.move(partial / name, root / name)  # copies where the folder is another file system
    except BaseException:
        for path in done:
            path.unlink(missing_ok=True)
        raise


def _write_mat(path: Path, made: PhantomSlice, pid: str) -> None:
    n = made.image.shape[0]
    with h5py.File(path, "w", userblock_size=512) as file:
        group = file.create_group("cjdata")
        group.attrs["MATLAB_class"] = np.bytes_("struct")
        names = ("label", "PID", "image", "tumorBorder", "tumorMask")
        fields = np.empty(len(names), dtype=object)
        fields[:] = [np.array([c.encode() for c in name], dtype="S1") for name in names]
        group.attrs.create("MATLAB_fields", fields, dtype=h5py.vlen_dtype(np.dtype("S1")))
        packed: dict[str, Any] = {"compression": "gzip", "compression_opts": 3, "maxshape": (None, None)}
        # MATLAB stores columns first: HDF5 sees axis 0 as x.
        _field(group, "image", "int16", made.image.T, chunks=(n, max(1, n // 8)), **packed)
        _field(group, "tumorMask", "logical", made.mask.T, decode=1, chunks=(n, max(1, n // 4)), **packed)
        _field(group, "label", "double", np.array([[made.tumor_type]], dtype=np.float64))
        _field(group, "tumorBorder", "double", made.border.reshape(1, -1))
        _field(group, "PID", "char", np.array([[ord(c)] for c in pid], dtype=np.uint16), decode=2)
    header = _HEADER.ljust(116) + bytes(8) + b"\x00\x02IM"
    with path.open("r+b") as stream:
        stream.write(header)


def _field(
    group: h5py.Group, name: str, matlab_class: str, values: np.ndarray, *, decode: int | None = None, **storage: Any
) -> None:
    data = group.create_dataset(name, data=values, **storage)
    data.attrs["H5PATH"] = np.bytes_("/cjdata")
    data.attrs["MATLAB_class"] = np.bytes_(matlab_class)
    if decode is not None:
        data.attrs["MATLAB_int_decode"] = np.int32(decode)
