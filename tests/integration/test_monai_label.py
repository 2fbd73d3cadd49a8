# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A real MONAI Label server returns what the bundle's own command writes, with the same values and geometry."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from label_server import LabelServer, running_server
from make_environment import COMMAND, existing_python
from monai.bundle import ConfigWorkflow
from PIL import Image

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "bundle" / "configs" / "inference.json"
MODEL = "brain_mri_sr"
# oblique, axes swapped; not sheared, since the server writes with ITK, which keeps rotations only
AFFINE = np.array([[0.0, -1.14, 4.8, 10.0], [1.9, 0.0, 0.0, -20.0], [0.0, 1.52, 3.6, 30.0], [0.0, 0.0, 0.0, 1.0]])
TOLD = {"measurement": {"kernel": "gaussian", "sigma": 1.5}}  # the images are too small for an estimate
IMAGES = ("slice", "volume", "picture", "matlab")


@pytest.fixture(scope="module")
def label_python() -> Path:
    """Python of the environment that make_environment.py builds."""
    found = existing_python()
    if found is None:
        pytest.skip(f"the environment of MONAI Label is missing or out of date: {COMMAND} builds it (0.4 GB)")
    return found


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory, phantom_dir: Path) -> Path:
    """Four images of different file types, smooth and without symmetry."""
    folder = tmp_path_factory.mktemp("studies")
    x, y, z = np.meshgrid(np.linspace(0, 1, 40), np.linspace(0, 1, 33), np.arange(3), indexing="ij")
    volume = (900 * (0.2 + x**2 + 0.5 * np.sin(5 * y) * x + 0.1 * z)).astype(np.float32)
    nib.save(nib.Nifti1Image(volume[..., 0], AFFINE), folder / "slice.nii.gz")
    nib.save(nib.Nifti1Image(volume.astype(np.int16), AFFINE), folder / "volume.nii.gz")
    Image.fromarray((volume[..., 1].T * 20).astype(np.uint16)).save(folder / "picture.png")
    shutil.copy(phantom_dir / "1.mat", folder / "matlab.mat")
    return folder


@pytest.fixture(scope="module")
def expected(studies: Path, tmp_path_factory: pytest.TempPathFactory, label_python: Path) -> Path:
    """What ``python -m monai.bundle run`` makes of the same images with the default options."""
    assert label_python.is_file()
    output = tmp_path_factory.mktemp("expected")
    command = [sys.executable, "-m", "monai.bundle", "run", "--config_file", str(CONFIG)]
    command += ["--dataset_dir", str(studies), "--output_dir", str(output), "--device", "$torch.device('cpu')"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=300)
    return output


@pytest.fixture(scope="module")
def stock(label_python: Path, studies: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelServer]:
    """MONAI Label's own app ``monaibundle`` with a copy of the bundle."""
    work = tmp_path_factory.mktemp("stock")
    samples = label_python.parents[1] / "monailabel" / "sample-apps" / "monaibundle"
    app = shutil.copytree(samples, work / "app")
    shutil.copytree(ROOT / "bundle", app / "model" / MODEL, ignore=shutil.ignore_patterns("eval", "data"))
    own = shutil.copytree(studies, work / "studies")
    conf = {"models": MODEL, "zoo_source": "local", "skip_trainers": "true", "sam2": "false"}
    with running_server(label_python, app, own, work / "run", **conf) as server:
        yield server


@pytest.fixture(scope="module")
def own_app(label_python: Path, studies: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelServer]:
    """The app of this project, in ``label_app/``."""
    work = tmp_path_factory.mktemp("own")
    app = shutil.copytree(ROOT / "label_app", work / "app")
    own = shutil.copytree(studies, work / "studies")
    with running_server(label_python, app, own, work / "run", bundle=str(ROOT / "bundle")) as server:
        yield server


def assert_same(answer: Path, own: Path) -> None:
    """Compare values and geometry; the answer to a slice may have a third axis of size one."""
    found, wanted = nib.load(answer), nib.load(own)
    shape = (*wanted.shape, 1)[:3]
    values = np.asarray(found.dataobj, dtype=np.float64).reshape(shape)
    reference = np.asarray(wanted.dataobj, dtype=np.float64).reshape(shape)
    assert (*found.shape, 1)[:3] == shape
    np.testing.assert_allclose(values, reference, atol=1e-4 * np.abs(reference).max())
    for corner in ((0, 0, 0), (shape[0] - 1, 0, 0), (0, shape[1] - 1, shape[2] - 1), tuple(n - 1 for n in shape)):
        np.testing.assert_allclose(found.affine @ [*corner, 1], wanted.affine @ [*corner, 1], atol=2e-3)


def test_the_stock_app_serves_the_bundle_and_its_one_file_of_weights(stock: LabelServer) -> None:
    model: dict[str, Any] = stock.info()["models"][MODEL]
    assert model["config"]["model_filename"] == ["model.pt"]
    assert model["dimension"] == 2


@pytest.mark.parametrize("image", IMAGES)
def test_the_stock_app_answers_what_the_bundle_s_command_writes(
    stock: LabelServer, expected: Path, tmp_path: Path, image: str
) -> None:
    answer = stock.infer(MODEL, image, {"result_dtype": "float32", "device": "cpu"}, tmp_path / "answer.nii.gz")
    assert_same(answer, expected / f"{image}_sr.nii.gz")
    assert "Checkpoint keys don't match" not in stock.log.read_text(encoding="utf-8", errors="replace")


def test_the_result_lies_over_the_input_four_times_as_fine(stock: LabelServer, tmp_path: Path) -> None:
    answer = nib.load(stock.infer(MODEL, "volume", {"result_dtype": "float32"}, tmp_path / "answer.nii.gz"))
    assert answer.shape == (160, 132, 3)
    np.testing.assert_allclose(answer.header.get_zooms(), nib.affines.voxel_sizes(AFFINE) / (4, 4, 1), rtol=1e-4)
    centers = [a @ [*((np.array(s) - 1) / 2), 1] for a, s in ((answer.affine, answer.shape), (AFFINE, (40, 33, 3)))]
    np.testing.assert_allclose(centers[0], centers[1], atol=2e-3)


def test_the_own_app_offers_its_options_and_is_no_segmentation(own_app: LabelServer) -> None:
    model = own_app.info()["models"]["super_resolution"]
    assert model["type"] == "others"
    assert model["config"]["variant"] == ["srgan", "srresnet"]


@pytest.mark.parametrize(
    "options",
    [{}, TOLD, TOLD | {"variant": "srresnet"}, TOLD | {"blend": 0.5}, TOLD | {"consistency": False}],
    ids=["default", "measurement", "variant", "blend", "consistency"],
)
def test_the_own_app_answers_with_the_options_of_a_request(
    own_app: LabelServer, studies: Path, tmp_path: Path, options: dict[str, Any]
) -> None:
    files = {"dataset_dir": str(studies / "slice.nii.gz"), "output_dir": str(tmp_path / "expected")}
    cpu = "$torch.device('cpu')"
    bundle = ConfigWorkflow(str(CONFIG), workflow_type="infer", logging_file=False, device=cpu, **files, **options)
    bundle.initialize()
    bundle.run()
    bundle.finalize()
    request = {"result_dtype": "float32", "device": "cpu", **options}
    answer = own_app.infer("super_resolution", "slice", request, tmp_path / "answer.nii.gz")
    assert_same(answer, tmp_path / "expected" / "slice_sr.nii.gz")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"variant": "srgan2"}, "variant must be one of srgan, srresnet, got 'srgan2'"),
        ({"blend": "half"}, "blend must be a number in [0, 1] or empty, got 'half'"),
        ({"blend": 1.5}, "blend must be a number in [0, 1] or empty, got 1.5"),
        ({"consistency": "no"}, "consistency must be true or false, got 'no'"),
        ({"result_dtype": "text"}, "result_dtype must be a type of numbers"),
        ({"measurement": "/etc/passwd"}, "measurement must be auto or a record"),
        ({"measurement": {"kernel": "gaussian", "sigma": -1}}, "sigma"),
    ],
    ids=["variant", "text", "range", "flag", "dtype", "path", "record"],
)
def test_the_own_app_says_what_is_wrong_with_a_request(
    own_app: LabelServer, options: dict[str, Any], reason: str
) -> None:
    status, detail = own_app.refusal("super_resolution", "slice", options)
    assert status == 400
    assert reason in detail


def test_the_own_app_knows_neither_other_models_nor_other_images(own_app: LabelServer) -> None:
    status, detail = own_app.refusal("segmentation", "slice", {})
    assert status == 404
    assert "segmentation" in detail
    status, _ = own_app.refusal("super_resolution", "nowhere", {})
    assert status == 404


def test_parallel_requests_do_not_change_each_other(own_app: LabelServer, tmp_path: Path) -> None:
    wanted = [{"consistency": flag, "variant": name} for flag in (True, False) for name in ("srgan", "srresnet")]

    def answer(number: int, options: dict[str, Any]) -> np.ndarray:
        request = {"result_dtype": "float32", "device": "cpu", **options}
        file = own_app.infer("super_resolution", "matlab", request, tmp_path / f"{number}.nii.gz")
        return np.asarray(nib.load(file).dataobj)

    alone = [answer(number, options) for number, options in enumerate(wanted)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(answer, range(10, 22), 3 * wanted))
    for number, found in enumerate(together):
        np.testing.assert_allclose(found, alone[number % 4], rtol=0, atol=1e-3)
    assert all(np.abs(alone[0] - other).max() > 0.1 for other in alone[1:])
