# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The bundle in the layout of MONAI's model zoo: a zip that is downloaded, listed and loaded by name."""

from __future__ import annotations

import functools
import http.server
import json
import logging
import shutil
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from monai.bundle import download, get_all_bundles_list, get_bundle_info, load
from monai.utils import set_determinism

from monai_srgan.networks import SRResNet

BUNDLE = Path(__file__).parents[2] / "bundle"
NAME = "brain_tumor_mri_sr"


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the bundle's zip, with the name and layout of the zoo's releases."""
    folder = tmp_path_factory.mktemp("zoo")
    ignored = shutil.ignore_patterns("eval", "data", "*.log", "__pycache__")
    shutil.copytree(BUNDLE, folder / "content" / NAME, ignore=ignored)
    shutil.make_archive(str(folder / NAME), "zip", folder / "content", NAME)
    return folder


@pytest.fixture(scope="module")
def address(zoo: Path) -> Iterator[str]:
    """The same folder, served on loopback."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=zoo)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def fetched(address: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that ``monai.bundle.download`` unpacks it to."""
    folder = tmp_path_factory.mktemp("fetched")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="No hash value provided")  # MONAI's download has no argument for one
        download(name=NAME, url=f"{address}/{NAME}.zip", bundle_dir=str(folder), progress=False)
    return folder


def test_the_files_that_the_zoo_requires_are_there_and_small(fetched: Path) -> None:
    needed = ["LICENSE", "configs/metadata.json", "configs/inference.json", "configs/train.json", "docs/README.md"]
    needed += ["docs/data_license.txt", "configs/logging.conf", "models/model.pt"]
    assert [name for name in needed if not (fetched / NAME / name).is_file()] == []
    assert not list((fetched / NAME).glob("large_files.*"))
    # the zoo commits such files; larger ones must be links
    assert max(f.stat().st_size for f in (fetched / NAME).rglob("*") if f.is_file()) < 10e6
    assert [f.name for f in (fetched / NAME / "models").glob("*.pt")] == ["model.pt"]


@pytest.mark.filterwarnings("ignore:parsing config_file:UserWarning")  # MONAI warns of every config that it reads
@pytest.mark.parametrize("workflow_type", ["train", "inference"])
def test_load_returns_the_trained_network_and_writes_no_files(
    fetched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workflow_type: str
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(fetched.rglob("*"))
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level  # the bundle's logging.conf replaces them
    try:
        network = load(NAME, bundle_dir=str(fetched), source="github", workflow_type=workflow_type, device="cpu")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        set_determinism(seed=None)
    assert isinstance(network, SRResNet)
    shipped = torch.load(BUNDLE / "models" / "model.pt", weights_only=True)
    assert all(torch.equal(value, shipped[name]) for name, value in network.state_dict().items())
    assert sorted(fetched.rglob("*")) == before
    assert list(tmp_path.iterdir()) == []


def test_the_bundle_is_listed_by_name(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    version = json.loads((BUNDLE / "configs" / "metadata.json").read_text())["version"]
    listing = {f"{NAME}_v{version}": {"checksum": "", "source": f"{address}/{NAME}.zip"}}
    answer = SimpleNamespace(text=json.dumps(listing), raise_for_status=lambda: None)
    monkeypatch.setattr("monai.bundle.scripts.requests.get", lambda *_args, **_kwargs: answer)
    assert get_all_bundles_list() == [(NAME, version)]
    assert get_bundle_info(NAME)["browser_download_url"] == f"{address}/{NAME}.zip"
