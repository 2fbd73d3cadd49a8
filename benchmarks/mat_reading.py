# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Time to read image, tumor mask, type and patient ID of a .mat slice: monai_srgan, h5py, mat73 and pymatreader.

Each call opens and reads every file once; the files are in the page cache. monai_srgan also reads the outline and
checks all five fields, whereas bare h5py reads four and checks nothing. The time of zlib alone is a lower bound, since
HDF5 decompresses with zlib. Packages that are not installed are skipped: pip install mat73 pymatreader.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from harness import alternate, arguments, report
from slices import slice_files

from monai_srgan.data import read_cjdata
from monai_srgan.transforms import LoadMatd

Slice = tuple[np.ndarray, np.ndarray, int, str]  # image and mask (x, y); type; patient ID
FIELDS = ("image", "tumorMask", "label", "PID")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--slices", type=int, default=20, help="files per call (default: %(default)s)")
    args = parser.parse_args()
    readers: dict[str, Callable[[Path], Slice]] = {"monai_srgan": ours, "h5py, bare": bare}
    for package, reader in (("mat73", by_mat73), ("pymatreader", by_pymatreader)):
        if find_spec(package):
            readers[package] = reader
        else:
            print(f"skipped {package}, which is not installed: pip install {package}")
    with slice_files(args.slices) as (files, source):
        expected = [bare(file) for file in files]
        facts: dict[str, Any] = {"data": source}
        for name in [name for name in readers if name != "h5py, bare"]:
            found = [readers[name](file) for file in files]
            facts[f"files in which {name} reads other values than h5py"] = len(files) - sum(map(equal, found, expected))
        load = LoadMatd("image")
        calls: dict[str, Callable[[], object]] = {
            name: lambda reader=reader: [reader(file) for file in files] for name, reader in readers.items()
        }
        calls["LoadMatd, tensors"] = lambda: [load({"image": str(file)}) for file in files]
        compressed = [chunks(file) for file in files]
        calls["zlib alone, image and mask"] = lambda: [zlib.decompress(chunk) for file in compressed for chunk in file]
        timings = alternate(calls, rounds=args.rounds)
    facts["ms per file"] = 1e3 * timings["monai_srgan"].median_s / len(files)
    facts["monai_srgan / bare h5py"] = timings["monai_srgan"].median_s / timings["h5py, bare"].median_s
    report("Reading slices from .mat files", timings, ours="monai_srgan", facts=facts, json_path=args.json)


def ours(file: Path) -> Slice:
    data = read_cjdata(file)
    return data.image, data.mask, data.label, data.pid


def bare(file: Path) -> Slice:
    with h5py.File(file, "r") as opened:
        group = opened["cjdata"]
        image, mask, label, pid = (group[name][()] for name in FIELDS)
    return image, mask, int(label[0, 0]), "".join(map(chr, pid.ravel()))


def by_mat73(file: Path) -> Slice:
    import mat73

    data = mat73.loadmat(str(file), only_include=[f"cjdata/{name}" for name in FIELDS])["cjdata"]
    return data["image"].T, data["tumorMask"].T, int(data["label"]), str(data["PID"])


def by_pymatreader(file: Path) -> Slice:
    import pymatreader

    data = pymatreader.read_mat(str(file), variable_names=["cjdata"])["cjdata"]
    return data["image"].T, data["tumorMask"].T, int(data["label"]), str(data["PID"])


def chunks(file: Path) -> list[bytes]:
    """The compressed chunks of image and mask in the file."""
    with h5py.File(file, "r") as opened:
        stored = [opened[f"cjdata/{name}"].id for name in ("image", "tumorMask")]
        return [
            data.read_direct_chunk(data.get_chunk_info(i).chunk_offset)[1]
            for data in stored
            for i in range(data.get_num_chunks())
        ]


def equal(found: Slice, expected: Slice) -> bool:
    arrays = all(np.array_equal(a, b) for a, b in zip(found[:2], expected[:2], strict=True))
    return arrays and found[2:] == expected[2:]


if __name__ == "__main__":
    main()
