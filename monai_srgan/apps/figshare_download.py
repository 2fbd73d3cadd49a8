# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Download the figshare brain tumor set: four archives and the table of folds, resumed and verified."""

from __future__ import annotations

import hashlib
import http.client
import logging
import re
import shutil
import urllib.error
import urllib.request
import zipfile
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
_TIMEOUT = 60  # seconds without a byte
_SLICE_NAME = re.compile(r"\d+\.mat", re.IGNORECASE)
_NETWORK = (urllib.error.URLError, http.client.HTTPException, OSError)


class DownloadError(RuntimeError):
    """A download that could not be finished: the message says what is kept and what to do."""


@dataclass(frozen=True)
class RemoteFile:
    """A file of the dataset on the server.

    Attributes:
        file_id: its number: it lies at ``base_url/file_id``.
        name: what it is called here.
        size: bytes.
        md5: hexadecimal digest.
        slices: numbers of the first and last slice in the archive; None for a plain file.
    """

    file_id: int
    name: str
    size: int
    md5: str
    slices: tuple[int, int] | None = None


#: The set as published: doi 10.6084/m9.figshare.1512427.
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
    """Fetch what is missing of the figshare set into a folder: 0.9 GB to transfer, as much again once unpacked.

    An archive whose slices are all somewhere below ``root_dir`` is not fetched. A slice file that cannot be opened,
    such as a truncated one, counts as missing. An archive that lies in ``root_dir`` under its own name, with the right
    md5, is unpacked without a download. Transfers go to ``<name>.part`` and go on where they stopped, within a call and
    in the next one. Of an archive only the missing slices are written: a damaged file is replaced where it lies, others
    go into ``root_dir`` itself, whatever the folders or further archives inside the archive.

    Args:
        root_dir: target folder, made if missing; ``~`` is the home folder.
        progress: show a bar for each transfer.
        base_url: where the files lie, without the file's number.
        archives: the files to fetch.
        attempts: how often a transfer that breaks off is taken up again before giving up.
        keep_archives: keep the archives after unpacking them.

    Returns:
        ``root_dir``, with ``~`` expanded.

    Raises:
        DownloadError: the network or the server failed (what came is kept for the next call), size or md5 is wrong, or
            an archive is damaged or lacks slices.
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
            target = found[0]  # one that is damaged is replaced where it lies
        if complete:
            logger.info("%s is complete in %s", remote.name, root)
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
    """Where to write each slice that is absent or cannot be opened, by its number."""
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
    """What is wrong with a fetched file, None if nothing."""
    size = path.stat().st_size
    if size != remote.size:
        return f"its size must be {remote.size} bytes, got {size}"
    with path.open("rb") as file:
        digest = hashlib.md5(usedforsecurity=False)
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return None if digest.hexdigest() == remote.md5 else f"its md5 must be {remote.md5}, got {digest.hexdigest()}"


def _fetch(url: str, target: Path, remote: RemoteFile, progress: bool, attempts: int) -> None:
    """Transfer into ``<name>.part``, verify, then rename: a file under its own name is whole."""
    part = target.with_name(f"{target.name}.part")
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
        reason = reason or f"the transfer broke off at byte {have} of {remote.size}"
        logger.warning("%s: %s (attempt %d of %d)", url, reason, attempt, attempts)
    else:
        raise DownloadError(
            f"{url}: {reason}. {have} of {remote.size} bytes are kept in {part}: run the same call again to go on from "
            f"there, or fetch the file by other means and put it at {target}."
        )
    fault = _fault(part, remote)
    if fault is not None:
        part.unlink()  # going on from wrong bytes would never heal
        raise DownloadError(
            f"{url}: {fault}. The transfer was thrown away: run the same call again; if it stays, the source changed."
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
                f"{url}: the server answered {answer.status} instead of the file: fetch it by hand to {part.parent}."
            )
        start = have if resumed else 0  # a server that ignores the range sends the file from its beginning
        bar = tqdm(total=remote.size, initial=start, unit="B", unit_scale=True, desc=remote.name, disable=not progress)
        with bar, part.open("ab" if resumed else "wb") as file:
            while start <= remote.size and (chunk := answer.read(_CHUNK)):
                file.write(chunk)
                start += len(chunk)
                bar.update(len(chunk))


def _unpack(archive: Path, missing: dict[int, Path]) -> None:
    """Write the missing slices, by number, to their places."""
    wanted = dict(missing)
    try:
        with archive.open("rb") as file:
            _unpack_stream(file, wanted, archive.parent)
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:  # the last: a compression zipfile lacks
        raise DownloadError(
            f"{archive}: the archive is damaged ({error}): remove it and run the same call again."
        ) from error
    logger.info("%s: %d slices", archive.name, len(missing) - len(wanted))
    if wanted:
        raise DownloadError(
            f"{archive}: the archive lacks {len(wanted)} slices, the first is {min(wanted)}.mat: was it replaced?"
        )


def _unpack_stream(stream: IO[bytes], wanted: dict[int, Path], scratch: Path) -> None:
    """Write the wanted slices of an archive, and of archives inside it, and take them off ``wanted``.

    Only the number in the last part of a member's name is used, so no name in an archive chooses where a file goes.
    """
    with zipfile.ZipFile(stream) as archive:
        for member in archive.infolist():
            name = PurePosixPath(member.filename.replace("\\", "/")).name
            if _SLICE_NAME.fullmatch(name):
                place = wanted.get(int(PurePosixPath(name).stem))
                if place is None:
                    continue
                part = place.with_name(f"{place.name}.part")
                with archive.open(member) as source, part.open("wb") as file:
                    shutil.copyfileobj(source, file)
                part.replace(place)
                del wanted[int(place.stem)]
            elif name.lower().endswith(".zip") and not name.startswith("."):
                part = scratch / f"{name}.inner.part"
                try:
                    with archive.open(member) as source, part.open("wb") as file:
                        shutil.copyfileobj(source, file)
                    with part.open("rb") as inner:
                        _unpack_stream(inner, wanted, scratch)
                finally:
                    part.unlink(missing_ok=True)
