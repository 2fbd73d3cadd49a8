# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Download the figshare brain tumor set, four archives and the table of folds, with resume and verification."""

from __future__ import annotations

import hashlib
import http.client
import logging
import re
import shutil
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from monai.config import PathLike
from tqdm import tqdm

from monai_srgan.data.mat_file import MatFileError, open_mat

__all__ = ["BASE_URL", "FIGSHARE_FILES", "DownloadError", "RemoteFile", "download_figshare"]

logger = logging.getLogger(__name__)

BASE_URL = "https://ndownloader.figshare.com/files"

_CHUNK = 1 << 20
_TIMEOUT = 60  # seconds without data
_HIGHEST_RATIO = 4  # of all that is unpacked to the archive: the slices are compressed, and may lie in archives in it
_SMALL = 64 << 20  # bytes that may be unpacked from any archive
_DEEPEST = 3  # archives in archives
_ENCRYPTED = 0x1  # flag of a member
_SLICE_NAME = re.compile(r"\d+\.mat", re.IGNORECASE)
_NETWORK = (urllib.error.URLError, http.client.HTTPException, OSError)


class DownloadError(RuntimeError):
    """A download that failed. The message says what is kept and what to do."""


@dataclass(frozen=True)
class RemoteFile:
    """A file of the dataset on the server.

    Attributes:
        file_id: number of the file, whose URL is ``base_url/file_id``.
        name: local file name.
        size: size in bytes.
        md5: hexadecimal digest.
        slices: numbers of the first and last slice in an archive; None for a plain file.
    """

    file_id: int
    name: str
    size: int
    md5: str
    slices: tuple[int, int] | None = None


#: The published files, doi 10.6084/m9.figshare.1512427.
FIGSHARE_FILES = (
    RemoteFile(3381290, "brainTumorDataPublic_1-766.zip", 214401279, "74b949ad33f042e6e103523091cd1428", (1, 766)),
    RemoteFile(
        3381296, "brainTumorDataPublic_767-1532.zip", 217848429, "7e8a875500d2c8a346f270538e29890e", (767, 1532)
    ),
    RemoteFile(
        3381293, "brainTumorDataPublic_1533-2298.zip", 215563856, "8227bf6080cb71f15a88be8d25c79ae7", (1533, 2298)
    ),
    RemoteFile(
        3381302, "brainTumorDataPublic_2299-3064.zip", 231679762, "b378a80d6174e5317d59eb28430c6652", (2299, 3064)
    ),
    RemoteFile(7005344, "cvind.mat", 5736, "5ea82eb3212c9fcb84290ccf0beb486d"),
)


def download_figshare(
    root_dir: PathLike,
    progress: bool = True,
    base_url: str = BASE_URL,
    archives: Sequence[RemoteFile] = FIGSHARE_FILES,
    *,
    attempts: int = 3,
    keep_archives: bool = False,
) -> Path:
    """Download the missing files of the figshare set into a folder: 0.9 GB, and as much again when unpacked.

    An archive is skipped if all of its slices are somewhere below ``root_dir``. A slice file that cannot be opened,
    such as a truncated one, counts as missing. An archive in ``root_dir`` with its original name and the right md5 is
    unpacked without a download. Data are written to ``<name>.part``, and interrupted downloads resume, within a call
    and in later calls. Only missing slices are unpacked: a damaged file is replaced in place, and others are written to
    ``root_dir`` itself, whatever folders or nested archives the archive contains.

    Args:
        root_dir: target folder, created if missing; ``~`` is the home folder.
        progress: show a progress bar per file on a terminal.
        base_url: URL of the files without the file number.
        archives: files to download.
        attempts: number of attempts per file, each of which resumes the last one.
        keep_archives: keep the archives after unpacking.

    Returns:
        ``root_dir`` with ``~`` expanded.

    Raises:
        DownloadError: the network or the server failed (received data are kept for the next call), size or md5 is
            wrong, or an archive is damaged, encrypted, lacks slices, or holds far more than its size.
        ValueError: ``attempts`` is less than 1.
    """
    if attempts < 1:
        raise ValueError(f"attempts must be at least 1, got {attempts}.")
    root = Path(root_dir).expanduser()
    root.mkdir(parents=True, exist_ok=True)
    for remote in archives:
        target = root / remote.name
        missing: dict[int, Path] = {}
        if remote.slices is not None:
            missing = _missing_slices(root, *remote.slices)
            complete = not missing
        else:
            found = sorted(root.rglob(remote.name)) or [target]
            complete = any(path.is_file() and _fault(path, remote) is None for path in found)
            target = found[0]  # a damaged file is replaced in place
        if complete:
            logger.info("%s: already complete in %s", remote.name, root)
            continue
        fetched = not (target.is_file() and _fault(target, remote) is None)
        if fetched:
            _fetch(f"{base_url.rstrip('/')}/{remote.file_id}", target, remote, progress, attempts)
        if remote.slices is not None:
            _unpack(target, missing)
            if fetched and not keep_archives:
                target.unlink()
    return root


def _missing_slices(root: Path, first: int, last: int) -> dict[int, Path]:
    """Target path of each slice that does not exist or cannot be opened, by number."""
    missing = {number: root / f"{number}.mat" for number in range(first, last + 1)}
    for path in sorted(root.rglob("*")):
        if not _SLICE_NAME.fullmatch(path.name) or int(path.stem) not in missing or not path.is_file():
            continue
        try:
            with open_mat(path):
                del missing[int(path.stem)]
        except MatFileError as error:
            logger.warning("%s", error)
            missing[int(path.stem)] = path
    return missing


def _fault(path: Path, remote: RemoteFile) -> str | None:
    """What is wrong with a downloaded file; None if it is as published."""
    size = path.stat().st_size
    if size != remote.size:
        return f"the size must be {remote.size} bytes, got {size}"
    with path.open("rb") as file:
        digest = hashlib.md5(usedforsecurity=False)
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return None if digest.hexdigest() == remote.md5 else f"the md5 must be {remote.md5}, got {digest.hexdigest()}"


def _fetch(url: str, target: Path, remote: RemoteFile, progress: bool, attempts: int) -> None:
    """Download to ``<name>.part``, verify, then rename, so that a file with the final name is complete."""
    part = target.with_name(f"{target.name}.part")
    if part.is_symlink() or (part.exists() and not part.is_file()):
        raise DownloadError(f"{part}: must be a file of this download, got a link, folder or device: remove it.")
    for attempt in range(1, attempts + 1):
        reason = ""
        try:
            _transfer(url, part, remote, progress)
        except urllib.error.HTTPError as error:
            reason = f"the server answered {error.code} {error.reason}"
        except _NETWORK as error:
            reason = f"{type(error).__name__}: {error}"
        have = part.stat().st_size if part.exists() else 0
        if have >= remote.size:
            break
        reason = reason or f"the download stopped at byte {have} of {remote.size}"
        logger.warning("%s: %s (attempt %d of %d)", url, reason, attempt, attempts)
    else:
        raise DownloadError(
            f"{url}: {reason}. {have} of {remote.size} bytes are kept in {part}: run the same call again to resume, or "
            f"get the file by other means and save it as {target}."
        )
    fault = _fault(part, remote)
    if fault is not None:
        part.unlink()  # resuming from wrong bytes would fail forever
        raise DownloadError(
            f"{url}: {fault}. The download was deleted: run the same call again. If the error persists, the source has "
            "changed."
        )
    part.replace(target)


def _transfer(url: str, part: Path, remote: RemoteFile, progress: bool) -> None:
    have = part.stat().st_size if part.exists() else 0
    if have > remote.size:
        part.unlink()
        have = 0
    if have == remote.size:
        return
    headers = {"User-Agent": "monai_srgan", **({"Range": f"bytes={have}-"} if have else {})}
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
        begins = f"bytes {have}-"
        resumed = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(begins)
        if not resumed and answer.status != 200:
            raise DownloadError(
                f"{url}: the server answered {answer.status} instead of the file: download it by hand to {part.parent}."
            )
        start = have if resumed else 0  # a server without range support sends the whole file
        hidden = None if progress else True  # None hides the bar without a terminal
        bar = tqdm(total=remote.size, initial=start, unit="B", unit_scale=True, desc=remote.name, disable=hidden)
        with bar, part.open("ab" if resumed else "wb") as file:
            while start <= remote.size and (chunk := answer.read(_CHUNK)):
                file.write(chunk)
                start += len(chunk)
                bar.update(len(chunk))


def _unpack(archive: Path, missing: dict[int, Path]) -> None:
    """Write the missing slices, given by number, to their target paths."""
    wanted = dict(missing)
    try:
        with archive.open("rb") as file:
            budget = _Budget(archive, _SMALL + _HIGHEST_RATIO * archive.stat().st_size)
            _unpack_stream(file, wanted, archive.parent, budget)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, zlib.error) as error:  # third: unsupported compression
        raise DownloadError(
            f"{archive}: the archive is damaged ({error}): delete it and run the same call again."
        ) from error
    logger.info("%s: %d slices", archive.name, len(missing) - len(wanted))
    if wanted:
        raise DownloadError(
            f"{archive}: the archive lacks {len(wanted)} slices, first {min(wanted)}.mat: was it replaced?"
        )


class _Budget:
    """Number of bytes that may still be unpacked from an archive."""

    def __init__(self, archive: Path, left: int) -> None:
        self.archive = archive
        self.left = left

    def unpack(self, source: zipfile.ZipFile, member: zipfile.ZipInfo, part: Path) -> None:
        """Write a member to a new file."""
        if member.flag_bits & _ENCRYPTED:
            raise DownloadError(
                f"{self.archive}: {member.filename!r} is encrypted: this is not the published archive, delete it."
            )
        self.left -= member.file_size  # zipfile reads no further than this
        if self.left < 0:
            raise DownloadError(
                f"{self.archive}: unpacked, it would take more than {_HIGHEST_RATIO} times its size plus "
                f"{_SMALL >> 20} MiB: this is not the published archive, delete it."
            )
        part.unlink(missing_ok=True)
        with source.open(member) as content, part.open("xb") as file:  # x: not through a link that someone put there
            shutil.copyfileobj(content, file)


def _unpack_stream(stream: IO[bytes], wanted: dict[int, Path], scratch: Path, budget: _Budget, depth: int = 0) -> None:
    """Write the wanted slices of an archive and of nested archives, and remove them from ``wanted``.

    Only the number in the base name of a member is used, so names in an archive cannot choose where a file is written.
    """
    with zipfile.ZipFile(stream) as archive:
        for member in archive.infolist():
            name = PurePosixPath(member.filename.replace("\\", "/")).name
            if _SLICE_NAME.fullmatch(name):
                target = wanted.get(int(PurePosixPath(name).stem))
                if target is None:
                    continue
                part = target.with_name(f"{target.name}.part")
                try:
                    budget.unpack(archive, member, part)
                    part.replace(target)
                finally:
                    part.unlink(missing_ok=True)
                del wanted[int(target.stem)]
            elif name.lower().endswith(".zip") and not name.startswith(".") and depth < _DEEPEST:
                part = scratch / f"{name}.inner.part"
                try:
                    budget.unpack(archive, member, part)
                    with part.open("rb") as inner:
                        _unpack_stream(inner, wanted, scratch, budget, depth + 1)
                finally:
                    part.unlink(missing_ok=True)
