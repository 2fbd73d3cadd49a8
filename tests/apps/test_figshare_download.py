# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain

import h5py
import numpy as np
import pytest

from monai_srgan.apps import DownloadError, download_figshare
from monai_srgan.apps.figshare_download import FIGSHARE_FILES, RemoteFile


@cache
def content(number):
    """An HDF5 file of incompressible bytes, so that a download has several thousand bytes."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["noise"] = np.random.default_rng(number).integers(0, 256, 3000 + number, np.uint8)
    return buffer.getvalue()


def pack(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


ARCHIVE = pack({f"brainTumorDataPublic/{n}.mat": content(n) for n in (1, 2, 3)} | {"README.txt": b"read me"})
NESTED = pack(
    {
        "outer/inner.zip": pack({"a/b/4.mat": content(4), "__MACOSX/a/._4.mat": b"fork"}),
        "..\\..\\5.mat": content(5),
        "../../../6.mat": content(6),
    }
)
TABLE = content(99)


def remote(file_id, name, data, slices=None, md5=None):
    return RemoteFile(file_id, name, len(data), md5 or hashlib.md5(data).hexdigest(), slices)


FILES = (
    remote(11, "first.zip", ARCHIVE, (1, 3)),
    remote(12, "second.zip", NESTED, (4, 6)),
    remote(13, "cvind.mat", TABLE),
)


class Server(ThreadingHTTPServer):
    """Serves /<id> and records requests; can stop early, ignore ranges or answer with a status."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {"11": ARCHIVE, "12": NESTED, "13": TABLE}
        self.requests = []
        self.break_after = []  # bytes after which the next transfers break off
        self.ranges = True
        self.status = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/files"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        wanted = self.headers.get("Range")
        server.requests.append((self.path, wanted))
        data = server.files[self.path.rsplit("/", 1)[-1]]
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and server.ranges else 0
        self.send_response(server.status or (206 if start else 200))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        stop = start + server.break_after.pop(0) if server.break_after else len(data)
        self.wfile.write(data[start:stop])

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def fetch(server, root, files=FILES, **options):
    return download_figshare(root, progress=False, base_url=server.url, archives=files, **options)


def test_archives_of_any_nesting_become_slices_in_the_folder_and_nothing_else(server, tmp_path):
    root = tmp_path / "deep" / "data"
    assert fetch(server, root) == root
    assert sorted(path.name for path in root.rglob("*")) == sorted([*(f"{n}.mat" for n in range(1, 7)), "cvind.mat"])
    assert all((root / f"{n}.mat").read_bytes() == content(n) for n in range(1, 7))
    assert (root / "cvind.mat").read_bytes() == TABLE
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep"]  # no member's name led out of the folder


def test_complete_archives_are_not_requested_again(server, tmp_path):
    fetch(server, tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "2.mat").rename(tmp_path / "sub" / "2.mat")
    server.requests.clear()
    fetch(server, tmp_path)
    assert server.requests == []
    (tmp_path / "sub" / "2.mat").unlink()
    fetch(server, tmp_path)
    assert [path for path, _ in server.requests] == ["/files/11"]


def test_only_missing_slices_are_unpacked(server, tmp_path):
    fetch(server, tmp_path)
    (tmp_path / "glioma").mkdir()
    (tmp_path / "2.mat").rename(tmp_path / "glioma" / "2.mat")
    (tmp_path / "1.mat").write_bytes(own := content(50))  # readable: left alone
    for name in ("3.mat", "4.mat", "5.mat"):
        (tmp_path / name).unlink()
    fetch(server, tmp_path)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.mat")) == sorted(
        ["1.mat", "glioma/2.mat", "3.mat", "4.mat", "5.mat", "6.mat", "cvind.mat"]
    )
    assert (tmp_path / "1.mat").read_bytes() == own
    assert all((tmp_path / f"{n}.mat").read_bytes() == content(n) for n in (3, 4, 5, 6))


@pytest.mark.parametrize("damaged", [content(2)[:-900], b"", b"<html>not found</html>"])
def test_a_slice_that_cannot_be_opened_is_replaced_in_place(server, tmp_path, damaged):
    fetch(server, tmp_path)
    place = tmp_path / "glioma" / "2.mat"
    place.parent.mkdir()
    (tmp_path / "2.mat").rename(place)
    place.write_bytes(damaged)
    server.requests.clear()
    fetch(server, tmp_path)
    assert [path for path, _ in server.requests] == ["/files/11"]
    assert list(tmp_path.rglob("*2.mat*")) == [place]
    assert place.read_bytes() == content(2)


def test_a_changed_table_of_folds_in_a_subfolder_is_replaced_in_place(server, tmp_path):
    table = tmp_path / "sub" / "cvind.mat"
    table.parent.mkdir()
    table.write_bytes(b"x" * len(TABLE))
    fetch(server, tmp_path, FILES[2:])
    assert list(tmp_path.rglob("cvind*")) == [table]
    assert table.read_bytes() == TABLE


def test_the_home_folder_can_be_abbreviated(server, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert fetch(server, "~/data", FILES[:1]) == tmp_path / "data"
    assert (tmp_path / "data" / "1.mat").is_file()


def test_an_interrupted_download_resumes_within_the_call(server, tmp_path):
    server.break_after = [1000, 2000]
    fetch(server, tmp_path, FILES[:1])
    assert server.requests == [("/files/11", None), ("/files/11", "bytes=1000-"), ("/files/11", "bytes=3000-")]
    assert (tmp_path / "3.mat").read_bytes() == content(3)


def test_an_interrupted_download_is_kept_and_resumes_in_the_next_call(server, tmp_path):
    server.break_after = [1500]
    with pytest.raises(DownloadError, match=r"stopped at byte 1500 of \d+\. 1500 of .* run the same call again"):
        fetch(server, tmp_path, FILES[:1], attempts=1)
    assert (tmp_path / "first.zip.part").read_bytes() == ARCHIVE[:1500]
    server.requests.clear()
    fetch(server, tmp_path, FILES[:1])
    assert server.requests == [("/files/11", "bytes=1500-")]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.mat", "2.mat", "3.mat"]


def test_a_server_without_range_support_sends_the_whole_file(server, tmp_path):
    (tmp_path / "first.zip.part").write_bytes(ARCHIVE[:700])
    server.ranges = False
    fetch(server, tmp_path, FILES[:1])
    assert server.requests == [("/files/11", "bytes=700-")]
    assert (tmp_path / "1.mat").read_bytes() == content(1)


def test_a_complete_part_file_needs_no_request(server, tmp_path):
    (tmp_path / "first.zip.part").write_bytes(ARCHIVE)
    fetch(server, tmp_path, FILES[:1])
    assert server.requests == []
    assert (tmp_path / "1.mat").is_file()


def test_an_archive_from_elsewhere_is_unpacked_and_kept(server, tmp_path):
    (tmp_path / "first.zip").write_bytes(ARCHIVE)
    fetch(server, tmp_path, FILES[:1])
    assert server.requests == []
    assert (tmp_path / "first.zip").is_file()
    assert (tmp_path / "3.mat").is_file()


def test_archives_can_be_kept(server, tmp_path):
    fetch(server, tmp_path, FILES[:1], keep_archives=True)
    assert (tmp_path / "first.zip").read_bytes() == ARCHIVE


def test_a_wrong_md5_names_both_and_deletes_the_file(server, tmp_path):
    wrong = (remote(11, "first.zip", ARCHIVE, (1, 3), md5="0" * 32),)
    found = hashlib.md5(ARCHIVE).hexdigest()
    with pytest.raises(DownloadError, match=f"the md5 must be {'0' * 32}, got {found}"):
        fetch(server, tmp_path, wrong)
    assert list(tmp_path.iterdir()) == []


def test_a_file_longer_than_announced_is_refused(server, tmp_path):
    server.files["13"] = TABLE + b"more"
    with pytest.raises(DownloadError, match=f"the size must be {len(TABLE)} bytes, got {len(TABLE) + 4}"):
        fetch(server, tmp_path, FILES[2:])
    assert list(tmp_path.iterdir()) == []


def test_a_changed_table_of_folds_is_fetched_again(server, tmp_path):
    (tmp_path / "cvind.mat").write_bytes(b"x" * len(TABLE))
    fetch(server, tmp_path, FILES[2:])
    assert (tmp_path / "cvind.mat").read_bytes() == TABLE


@pytest.mark.parametrize("status", [202, 403, 503])
def test_an_error_names_the_status_of_the_server(server, tmp_path, status):
    server.status = status
    with pytest.raises(DownloadError, match=f"the server answered {status}"):
        fetch(server, tmp_path, FILES[:1])
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_the_error_says_what_is_kept(server, tmp_path):
    (tmp_path / "first.zip.part").write_bytes(ARCHIVE[:10])
    server.shutdown()
    server.server_close()
    with pytest.raises(DownloadError, match=r"10 of \d+ bytes are kept in .*first\.zip\.part: run the same call again"):
        fetch(server, tmp_path, FILES[:1])
    assert (tmp_path / "first.zip.part").read_bytes() == ARCHIVE[:10]


def test_a_damaged_archive_and_one_without_its_slices_are_named(server, tmp_path):
    broken = ARCHIVE[:-30]
    server.files["11"] = broken
    with pytest.raises(DownloadError, match=r"first\.zip: the archive is damaged"):
        fetch(server, tmp_path, (remote(11, "first.zip", broken, (1, 3)),))
    with pytest.raises(DownloadError, match=r"second\.zip: the archive lacks 2 slices, first 7\.mat"):
        fetch(server, tmp_path, (remote(12, "second.zip", NESTED, (4, 8)),))


def test_attempts_must_be_positive(tmp_path):
    with pytest.raises(ValueError, match="attempts must be at least 1, got 0"):
        download_figshare(tmp_path, attempts=0)


def test_the_published_archives_cover_all_3064_slices_once():
    ranges = [range(first, last + 1) for first, last in (file.slices for file in FIGSHARE_FILES if file.slices)]
    assert list(chain(*ranges)) == list(range(1, 3065))
    assert sum(file.size for file in FIGSHARE_FILES) == 879_499_062
    assert len({file.md5 for file in FIGSHARE_FILES}) == len({file.file_id for file in FIGSHARE_FILES}) == 5


def archive_in(root, data, slices=(1, 3)):
    """An archive that was downloaded by hand."""
    (root / "first.zip").write_bytes(data)
    return (remote(11, "first.zip", data, slices),)


def test_an_encrypted_archive_is_refused(server, tmp_path):
    data = bytearray(ARCHIVE)
    for signature, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = data.find(signature)
        while at >= 0:
            data[at + flags] |= 1
            at = data.find(signature, at + 4)
    with pytest.raises(DownloadError, match=r"first\.zip: 'brainTumorDataPublic/1\.mat' is encrypted"):
        fetch(server, tmp_path, archive_in(tmp_path, bytes(data)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.zip"]


def test_an_archive_cannot_fill_the_disk(server, tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1.mat", bytes(70 << 20))
    with pytest.raises(DownloadError, match="unpacked, it would take more than 4 times its size plus 64 MiB"):
        fetch(server, tmp_path, archive_in(tmp_path, buffer.getvalue(), (1, 1)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first.zip"]


def test_archives_in_archives_end(server, tmp_path):
    data = pack({"1.mat": content(1)})
    for _ in range(6):
        data = pack({"a.zip": data})
    with pytest.raises(DownloadError, match="lacks 1 slices"):
        fetch(server, tmp_path, archive_in(tmp_path, data, (1, 1)))


def test_damaged_compressed_data_are_called_damage(server, tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1.mat", bytes(range(256)) * 100)
    data = bytearray(buffer.getvalue())
    data[40:50] = b"\xff" * 10
    with pytest.raises(DownloadError, match="the archive is damaged"):
        fetch(server, tmp_path, archive_in(tmp_path, bytes(data), (1, 1)))


def test_nothing_is_written_through_a_link_at_a_temporary_name(server, tmp_path):
    (other := tmp_path / "other").write_text("keep")
    root = tmp_path / "root"
    root.mkdir()
    (root / "1.mat.part").symlink_to(other)
    fetch(server, root, archive_in(root, ARCHIVE))
    assert other.read_text() == "keep"
    assert (root / "1.mat").read_bytes() == content(1)
    (root / "cvind.mat.part").symlink_to(other)
    with pytest.raises(DownloadError, match=r"cvind\.mat\.part: must be a file of this download, got a link"):
        fetch(server, root, FILES[2:])
    assert other.read_text() == "keep"


@pytest.mark.real_data
def test_the_published_digest_is_that_of_the_real_table_of_folds(real_data_dir):
    table = real_data_dir / "cvind.mat"
    if not table.is_file():
        pytest.skip("the folder of slices has no cvind.mat")
    digest = hashlib.md5(table.read_bytes()).hexdigest()
    assert (table.stat().st_size, digest) == (FIGSHARE_FILES[-1].size, FIGSHARE_FILES[-1].md5)
