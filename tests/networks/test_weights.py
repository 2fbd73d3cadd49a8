# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Weights from one file or blended from two."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest
import torch

from monai_srgan.errors import argument_of
from monai_srgan.networks import SRResNet, blend_state_dicts, load_weights, read_network_weights
from monai_srgan.networks.weights import read_state_dict


def small(seed: int, **kwargs) -> SRResNet:
    torch.manual_seed(seed)
    return SRResNet(**{"num_blocks": 1, "channels": 4, "norm": "batch", **kwargs}).eval()


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    paths = tmp_path / "model.pt", tmp_path / "srresnet.pt"
    for seed, path in enumerate(paths):
        torch.save(small(seed).state_dict(), path)
    return paths


def test_blending_is_linear_in_every_float_and_leaves_counters() -> None:
    first = {"w": torch.tensor([0.0, 2.0]), "n": torch.tensor(3)}
    second = {"w": torch.tensor([4.0, 2.0], dtype=torch.float32), "n": torch.tensor(8)}
    mixed = blend_state_dicts(first, second, 0.25)
    assert mixed["w"].tolist() == [1.0, 2.0]
    assert mixed["n"].item() == 8
    assert first["w"].tolist() == [0.0, 2.0]


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_weights_from_two_files_are_interpolated(files: tuple[Path, Path], share: float) -> None:
    ends = small(0).state_dict(), small(1).state_dict()
    found = read_network_weights(small(2), files[0], blend=share, blend_path=files[1])
    name = "tail.weight"
    torch.testing.assert_close(found[name], share * ends[0][name] + (1 - share) * ends[1][name])
    if share in (0.0, 1.0):
        assert torch.equal(found[name], ends[int(share == 0)][name])  # the ends are the files, to the bit


@pytest.mark.parametrize(
    ("arguments", "message", "about"),
    [
        ({"blend": 1.5, "blend_path": "other"}, r"blend must be a number in \[0, 1\].*got 1.5", "blend"),
        ({"blend": "half", "blend_path": "other"}, r"blend must be a number in \[0, 1\].*got 'half'", "blend"),
        ({"blend": True, "blend_path": "other"}, r"blend must be a number in \[0, 1\].*got True", "blend"),
        ({"blend": 0.5}, "blend_path must be the weights of the SRResNet .*, got None", "srresnet_path"),
        ({"blend": 0.5, "blend_path": "same"}, r"another file than path=.*model\.pt, got .*model\.pt", "srresnet_path"),
    ],
)
def test_invalid_blends_raise_an_error_about_the_option(
    files: tuple[Path, Path], arguments: dict, message: str, about: str
) -> None:
    paths = {"other": files[1], "same": files[0]}
    arguments = {k: paths.get(v, v) for k, v in arguments.items()}
    with pytest.raises(ValueError, match=message) as caught:
        read_network_weights(small(2), files[0], **arguments)
    assert argument_of(caught.value) == about


def test_weights_of_another_network_are_named_whichever_file_they_are_in(files: tuple[Path, Path]) -> None:
    torch.save(small(0, channels=8).state_dict(), files[1])
    with pytest.raises(ValueError, match=r"srresnet.pt does not fit the network .*of another shape") as caught:
        read_network_weights(small(2), files[0], blend=0.5, blend_path=files[1])
    assert argument_of(caught.value) == "network_def"


def test_a_missing_or_damaged_file_raises_an_error_about_its_option(files: tuple[Path, Path], tmp_path: Path) -> None:
    missing = tmp_path / "none.pt"
    files[1].write_bytes(files[1].read_bytes()[:500])
    for call, error, about in (
        (lambda: read_network_weights(small(2), missing), FileNotFoundError, "ckpt_path"),
        (lambda: read_network_weights(small(2), files[0], blend=0.5, blend_path=files[1]), ValueError, "srresnet_path"),
        (lambda: load_weights(small(2), missing), FileNotFoundError, "init_weights"),
    ):
        with pytest.raises(error, match="weights file") as caught:
            call()
        assert argument_of(caught.value) == about


def test_the_sha256_of_a_file_is_checked_before_it_is_read(files: tuple[Path, Path]) -> None:
    digest = hashlib.sha256(files[0].read_bytes()).hexdigest()
    assert read_state_dict(files[0], hint="", sha256=digest[:8].upper()).keys() == small(0).state_dict().keys()
    for wrong in (digest[1:], "0" * 64):
        with pytest.raises(ValueError, match=rf"the sha256 of weights file .* is {digest}, expected {wrong}.*Help\.$"):
            read_state_dict(files[0], hint="Help.", sha256=wrong)
    for malformed in ("abc", "x" * 64, ""):
        with pytest.raises(ValueError, match="sha256 must be 8 to 64 hexadecimal digits, got"):
            read_state_dict(files[0], hint="", sha256=malformed)


def test_a_network_can_start_from_a_file(files: tuple[Path, Path]) -> None:
    network = small(3)
    assert load_weights(network, None) is network
    assert not torch.equal(network.tail.weight, small(0).tail.weight)
    assert load_weights(network, files[0]) is network
    assert torch.equal(network.tail.weight, small(0).tail.weight)


UNUSUAL = {
    "sparse": lambda w: w.to_sparse(),
    "sparse (csr)": lambda w: w.flatten(1).to_sparse_csr(),
    "without values": lambda w: w.to("meta"),
    "complex": lambda w: w.to(torch.complex64),
    "quantized": lambda w: torch.quantize_per_tensor(w, 0.1, 0, torch.qint8),
    "torch.int64 instead of torch.float32": lambda w: w.long(),
}


# torch announces the end of its quantized tensors and calls csr experimental
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", UNUSUAL)
def test_tensors_that_are_no_weights_are_refused_by_name(files: tuple[Path, Path], kind: str) -> None:
    state = small(0).state_dict()
    torch.save({**state, "tail.weight": UNUSUAL[kind](state["tail.weight"])}, files[0])
    with pytest.raises(ValueError, match=rf"model\.pt .*tail\.weight.* {kind.split(' (')[0]}"):
        read_network_weights(small(2), files[0])


def test_names_that_are_no_text_are_refused(files: tuple[Path, Path]) -> None:
    for name in (3, "a\x1b[31m"):
        torch.save({name: torch.ones(2)}, files[0])
        with pytest.raises(ValueError, match="must hold a state dict") as caught:
            read_network_weights(small(2), files[0])
        assert str(caught.value).isprintable()


def test_an_archive_whose_members_inflate_is_refused(files: tuple[Path, Path], tmp_path: Path) -> None:
    with zipfile.ZipFile(files[0]) as source, zipfile.ZipFile(tmp_path / "a.pt", "w", zipfile.ZIP_DEFLATED) as target:
        for member in source.namelist():
            target.writestr(member, source.read(member))
    with pytest.raises(ValueError, match=r"a\.pt .* is damaged or holds more than tensors \(BadZipFile\)"):
        read_network_weights(small(2), tmp_path / "a.pt")


@pytest.mark.parametrize(
    "pickled", [b"\x80\x02N.", b"\x80\x02}K\x01K\x02s.", b"\x80\x02]q\x00h\x07.", b"\x80\x02\x8a\xff."]
)
def test_any_damage_of_a_pickle_is_the_documented_error(tmp_path: Path, pickled: bytes) -> None:
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        archive.writestr("a/data.pkl", pickled)
        archive.writestr("a/version", "3\n")
    with pytest.raises(ValueError, match=r"weights file .*a\.pt"):
        read_state_dict(tmp_path / "a.pt", hint="")
