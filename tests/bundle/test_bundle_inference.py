# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""bundle/configs/inference.json: image files in, image files of 4 times the resolution out."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import torch
from monai.bundle import ConfigWorkflow
from PIL import Image

from monai_srgan.bundling.pretrained import calibrated_intervals
from monai_srgan.data import read_cjdata
from monai_srgan.networks import SRResNet
from monai_srgan.physics import GaussianDownsample

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "bundle" / "configs" / "inference.json"
SMALL = {"network_def#num_blocks": 1, "network_def#channels": 8}
DEFAULT = {"measurement": {"kernel": "gaussian"}, "consistency": False}  # the network's own output
# oblique and left-handed, axes swapped
AFFINE = np.array([[0.2, -2.0, 0.3, 10.0], [1.5, 0.1, 0.0, -20.0], [0.0, 0.1, 6.0, 30.0], [0.0, 0.0, 0.0, 1.0]])


def small_network(*, trained: bool = True) -> SRResNet:
    """Exactly bicubic interpolation with ``trained=False``; otherwise the last layer adds a pattern of its own."""
    torch.manual_seed(3)
    network = SRResNet(num_blocks=1, channels=8, norm=None, global_residual="bicubic", condition=36).eval()
    if trained:
        torch.nn.init.normal_(network.tail.weight, std=0.02)
    return network


@pytest.fixture(scope="module")
def network() -> SRResNet:
    return small_network()


@pytest.fixture(scope="module")
def weights(network: SRResNet, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("weights") / "small.pt"
    torch.save(network.state_dict(), path)
    return str(path)


@pytest.fixture(scope="module")
def bicubic_weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("weights") / "bicubic.pt"
    torch.save(small_network(trained=False).state_dict(), path)
    return str(path)


def infer(dataset_dir: Path | str, output_dir: Path, ckpt_path: str, **overrides: Any) -> list[str]:
    workflow = ConfigWorkflow(
        config_file=str(CONFIG),
        workflow_type="infer",
        logging_file=False,
        dataset_dir=str(dataset_dir),
        output_dir=str(output_dir),
        ckpt_path=ckpt_path,
        device="$torch.device('cpu')",
        **{**SMALL, **DEFAULT, **overrides},
    )
    workflow.initialize()
    workflow.run()
    workflow.finalize()
    return sorted(path.name for path in output_dir.iterdir() if path.suffix != ".json")


def by_hand(network: SRResNet, array: np.ndarray) -> np.ndarray:
    """Super-resolve one slice (X, Y) in scanner units without the bundle."""
    scale = np.percentile(array, 99.9)
    lr = (array / scale).astype(np.float32)
    with torch.no_grad():
        return network(torch.from_numpy(lr)[None, None])[0, 0].numpy() * scale


def corners(affine: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """World coordinates of the eight outer corners of a voxel grid."""
    size = (*shape, 1)[:3]
    ends = [(-0.5, n - 0.5) for n in size]
    return np.array([affine @ [*corner, 1.0] for corner in itertools.product(*ends)])


def pattern(shape: tuple[int, ...], top: float) -> np.ndarray:
    """Smooth, and different under every flip and transposition."""
    grid = np.meshgrid(*(np.linspace(0, 1, n) for n in shape), indexing="ij")
    return top * (0.1 + 0.5 * grid[0] ** 2 + 0.3 * np.sin(3 * grid[1]) * grid[0] + 0.1 * grid[-1])


@contextmanager
def refused(kind: type[Exception], message: str) -> Iterator[None]:
    """Expect an error below the RuntimeErrors that MONAI's configs and Compose wrap it in."""
    with pytest.raises(RuntimeError) as wrapped:
        yield
    error: BaseException = wrapped.value
    while error.__cause__ is not None:
        error = error.__cause__
    assert isinstance(error, kind)
    assert re.search(message, str(error)), str(error)


def block_mean(array: np.ndarray) -> np.ndarray:
    x, y = array.shape[0] // 4, array.shape[1] // 4
    return array.reshape(x, 4, y, 4).mean((1, 3))


def test_a_nifti_slice_of_odd_size_comes_out_four_times_as_large_on_the_same_field_of_view(
    tmp_path: Path, network: SRResNet, weights: str
) -> None:
    array = pattern((37, 50), 3000).astype(np.int16)
    nib.save(nib.Nifti1Image(array, AFFINE), tmp_path / "scan.nii.gz")
    before = (tmp_path / "scan.nii.gz").read_bytes()
    assert infer(tmp_path / "scan.nii.gz", tmp_path / "out", weights) == ["scan_sr.nii.gz"]
    saved = nib.load(tmp_path / "out" / "scan_sr.nii.gz")
    assert saved.shape == (148, 200)
    assert saved.get_data_dtype() == np.float32
    np.testing.assert_allclose(corners(saved.affine, saved.shape), corners(AFFINE, array.shape), atol=1e-4)
    np.testing.assert_allclose(saved.get_fdata(), by_hand(network, array), rtol=1e-4, atol=0.05)
    assert (tmp_path / "scan.nii.gz").read_bytes() == before


def test_a_blend_lies_between_two_files_of_weights(tmp_path: Path, network: SRResNet) -> None:
    other = small_network()
    torch.nn.init.normal_(other.tail.weight, std=0.02)
    torch.save(other.state_dict(), tmp_path / "srresnet.pt")
    torch.save(network.state_dict(), tmp_path / "model.pt")
    array = pattern((9, 12), 800).astype(np.float32)
    nib.save(nib.Nifti1Image(array, AFFINE), tmp_path / "scan.nii")
    infer(tmp_path / "scan.nii", tmp_path / "out", str(tmp_path / "model.pt"), blend=0.25)
    mixed = small_network()
    ends = network.state_dict(), other.state_dict()
    mixed.load_state_dict({k: 0.25 * v + 0.75 * ends[1][k] for k, v in ends[0].items()})
    saved = nib.load(tmp_path / "out" / "scan_sr.nii.gz").get_fdata()
    np.testing.assert_allclose(saved, by_hand(mixed, array), rtol=1e-4, atol=0.02)


def test_variants_are_the_shipped_weights() -> None:
    def ckpt_path(**overrides: Any) -> Path:
        workflow = ConfigWorkflow(config_file=str(CONFIG), workflow_type="infer", logging_file=False, **overrides)
        workflow.initialize()
        return Path(workflow.parser.get_parsed_content("ckpt_path"))

    bundle = str(ROOT / "bundle")
    assert ckpt_path(bundle_root=bundle) == ROOT / "bundle/models/model.pt"
    assert ckpt_path(bundle_root=bundle, variant="srresnet") == ROOT / "bundle/models/srresnet/srresnet.pt"
    with refused(ValueError, "variant must be one of srgan, srresnet, got 'esrgan'"):
        ckpt_path(bundle_root=bundle, variant="esrgan")


def test_intervals_are_those_of_the_projected_variant_and_nothing_else_has_any() -> None:
    assert calibrated_intervals("b", "srgan") == str(Path("b/models/trust/srgan.json"))
    assert calibrated_intervals("b", "srresnet") == str(Path("b/models/trust/srresnet.json"))
    assert calibrated_intervals("b", "srgan", consistency=False) is None
    assert calibrated_intervals("b", "srgan", blend=0.5) is None
    with pytest.raises(ValueError, match="variant must be one of"):
        calibrated_intervals("b", "bicubic", blend=0.5)


def test_with_consistency_the_result_degrades_to_the_input(tmp_path: Path, weights: str) -> None:
    array = pattern((37, 50), 3000).astype(np.int16)
    array[5, 7] = 9000  # far above the 99.9th percentile
    nib.save(nib.Nifti1Image(array, AFFINE), tmp_path / "scan.nii.gz")
    away = {}
    for consistency in (False, True):
        out = tmp_path / str(consistency)
        infer(tmp_path / "scan.nii.gz", out, weights, consistency=consistency)
        sr = torch.from_numpy(nib.load(out / "scan_sr.nii.gz").get_fdata())
        away[consistency] = float((GaussianDownsample(4)(sr[None, None])[0, 0] - torch.from_numpy(array)).abs().max())
    assert away[True] < 0.01 < 1 < away[False]
    told = {"kernel": "gaussian", "sigma": 0.8}
    infer(tmp_path / "scan.nii.gz", tmp_path / "k", weights, consistency=True, measurement=told)
    sr = torch.from_numpy(nib.load(tmp_path / "k" / "scan_sr.nii.gz").get_fdata())
    assert (GaussianDownsample(4, 0.8)(sr[None, None])[0, 0] - torch.from_numpy(array)).abs().max() < 0.01


def test_a_volume_is_enlarged_slice_by_slice_in_plane(tmp_path: Path, network: SRResNet, weights: str) -> None:
    volume = pattern((19, 14, 3), 700).astype(np.float32)
    nib.save(nib.Nifti1Image(volume, AFFINE), tmp_path / "vol.nii")
    infer(tmp_path / "vol.nii", tmp_path / "out", weights)
    saved = nib.load(tmp_path / "out" / "vol_sr.nii.gz")
    assert saved.shape == (76, 56, 3)
    np.testing.assert_allclose(corners(saved.affine, saved.shape), corners(AFFINE, volume.shape), atol=1e-4)
    scale = np.percentile(volume, 99.9)
    with torch.no_grad():
        lr = torch.from_numpy((volume / scale).astype(np.float32)).permute(2, 0, 1)[:, None]
        expected = network(lr)[:, 0].permute(1, 2, 0).numpy() * scale
    np.testing.assert_allclose(saved.get_fdata(), expected, rtol=1e-4, atol=0.02)


def test_a_folder_of_mat_slices_comes_out_in_scanner_units(
    tmp_path: Path, phantom_dir: Path, network: SRResNet, weights: str
) -> None:
    sources = sorted(phantom_dir.glob("*.mat"))[:2]
    for source in sources:
        (tmp_path / source.name).symlink_to(source)
    names = infer(tmp_path, tmp_path / "out", weights)
    assert names == sorted(f"{source.stem}_sr.nii.gz" for source in sources)
    for source in sources:
        array = read_cjdata(source).image
        saved = nib.load(tmp_path / "out" / f"{source.stem}_sr.nii.gz")
        np.testing.assert_allclose(saved.header.get_zooms(), (0.49 / 4, 0.49 / 4), rtol=1e-5)
        np.testing.assert_allclose(saved.get_fdata(), by_hand(network, array), rtol=1e-4, atol=0.1)


@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 60000)])
def test_a_png_stays_upright_and_in_its_own_units(tmp_path: Path, bicubic_weights: str, dtype: type, top: int) -> None:
    rows: np.ndarray = pattern((37, 50), 0.9 * top).astype(dtype)
    Image.fromarray(rows).save(tmp_path / "slice.png")
    assert infer(tmp_path, tmp_path / "out", bicubic_weights, output_ext=".png") == ["slice_sr.png"]
    saved = np.asarray(Image.open(tmp_path / "out" / "slice_sr.png"))
    assert saved.shape == (148, 200)
    assert saved.dtype == dtype
    # bicubic interpolation keeps a smooth image's local mean
    np.testing.assert_allclose(block_mean(saved)[2:-2, 2:-2], rows[2:-2, 2:-2], atol=0.01 * top)


def test_a_png_comes_out_as_nifti_in_its_own_units(tmp_path: Path, network: SRResNet, weights: str) -> None:
    rows = pattern((9, 12), 200).astype(np.uint8)
    Image.fromarray(rows).save(tmp_path / "slice.png")
    infer(tmp_path / "slice.png", tmp_path / "out", weights, output_postfix="x4")
    saved = nib.load(tmp_path / "out" / "slice_x4.nii.gz")
    np.testing.assert_allclose(saved.get_fdata(), by_hand(network, rows.T), rtol=1e-4, atol=0.01)


def test_an_existing_output_stops_the_run_before_anything_is_computed(tmp_path: Path, weights: str) -> None:
    for name in ("1.nii", "2.nii"):
        nib.save(nib.Nifti1Image(pattern((9, 12), 100).astype(np.float32), AFFINE), tmp_path / name)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "2_sr.nii.gz").write_bytes(b"precious")
    with refused(FileExistsError, r"2_sr\.nii\.gz exists"):
        infer(tmp_path, tmp_path / "out", weights)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["2_sr.nii.gz"]
    assert infer(tmp_path, tmp_path / "out", weights, overwrite=True) == ["1_sr.nii.gz", "2_sr.nii.gz"]
    assert nib.load(tmp_path / "out" / "2_sr.nii.gz").shape == (36, 48)


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (None, FileNotFoundError, r"weights file .*w\.pt does not exist"),
        ({"trainer": 1}, ValueError, r"w\.pt must hold a state dict"),
        ("wide", ValueError, r"w\.pt does not fit the network \(SRResNet\).*of another shape \(such as blocks\.0"),
        ("deep", ValueError, r"w\.pt does not fit the network \(SRResNet\).*unknown \(such as blocks\.1"),
    ],
)
def test_missing_or_foreign_weights_are_refused_by_name(
    tmp_path: Path, content: Any, kind: type[Exception], message: str
) -> None:
    nib.save(nib.Nifti1Image(pattern((9, 12), 100).astype(np.float32), AFFINE), tmp_path / "a.nii")
    if isinstance(content, str):
        shape = {"wide": (1, 16), "deep": (2, 8)}[content]
        content = SRResNet(num_blocks=shape[0], channels=shape[1], norm=None, global_residual="bicubic").state_dict()
    if content is not None:
        torch.save(content, tmp_path / "w.pt")
    with refused(kind, message):
        infer(tmp_path / "a.nii", tmp_path / "out", str(tmp_path / "w.pt"))
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("fault", ["color", "constant", "not a number"])
def test_an_image_that_cannot_be_enlarged_is_refused_by_name(tmp_path: Path, weights: str, fault: str) -> None:
    if fault == "color":
        Image.fromarray(np.zeros((9, 12, 3), np.uint8)).save(tmp_path / "bad.png")
    else:
        value = 5.0 if fault == "constant" else np.nan
        nib.save(nib.Nifti1Image(np.full((9, 12), value, np.float32), AFFINE), tmp_path / "bad.nii")
    with refused(ValueError, r"bad\.(png|nii)"):
        infer(tmp_path, tmp_path / "out", weights)


def test_bad_files_among_good_ones_are_listed_and_nothing_is_computed(tmp_path: Path, weights: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    nib.save(nib.Nifti1Image(pattern((16, 12), 900), np.eye(4)), folder / "1.nii.gz")
    nib.save(nib.Nifti1Image(pattern((16, 12, 3), 900), np.eye(4)), folder / "2.nii.gz")
    (folder / "3.mat").write_bytes(b"MATLAB 7.3 MAT-file, truncated")
    with refused(
        ValueError,
        r"(?s)2 of 3 inputs.*2\.nii\.gz: a volume of 3 slices cannot be written.*3\.mat.*(truncated|damaged)",
    ):
        infer(folder, tmp_path / "out", weights, output_ext=".png")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_run_without_an_input_says_what_to_pass(weights: str) -> None:
    workflow = ConfigWorkflow(config_file=str(CONFIG), workflow_type="infer", logging_file=False, ckpt_path=weights)
    workflow.initialize()
    with refused(ValueError, "datalist is empty"):
        workflow.run()


@pytest.mark.parametrize("folder", [".", "bundle"])
def test_the_bundle_finds_itself_from_the_repository_and_from_inside(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT / folder)
    workflow = ConfigWorkflow(config_file=str(CONFIG), workflow_type="infer", logging_file=False)
    workflow.initialize()
    assert Path(workflow.bundle_root) == ROOT / "bundle"


def test_the_command_line_works_from_inside_the_bundle(tmp_path: Path, weights: str) -> None:
    nib.save(nib.Nifti1Image(pattern((9, 12), 100).astype(np.float32), AFFINE), tmp_path / "a.nii")
    command = [sys.executable, "-m", "monai.bundle", "run", "--config_file", "configs/inference.json"]
    shipped = ROOT / "bundle" / "models" / "model.pt"
    options = {"--dataset_dir": str(tmp_path), "--output_dir": str(tmp_path / "out")}
    if not shipped.is_file():
        options |= {"--ckpt_path": weights, "--network_def#num_blocks": "1", "--network_def#channels": "8"}
    arguments = [text for pair in options.items() for text in pair]
    done = subprocess.run(command + arguments, cwd=ROOT / "bundle", capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert nib.load(tmp_path / "out" / "a_sr.nii.gz").shape == (36, 48)
    assert "a.nii -> " in done.stdout
