# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The command monai-srgan: the bundle's results, exit codes, help and errors of one line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from dicom_files import world, write_series
from monai.bundle import ConfigWorkflow

from monai_srgan import __version__
from monai_srgan.cli import main

BUNDLE = Path(__file__).parents[2] / "bundle"


def save_slice(path: Path) -> Path:
    x, y = np.meshgrid(np.linspace(0, 1, 12), np.linspace(0, 1, 9), indexing="ij")
    affine = np.diag([2.0, 2.0, 6.0, 1.0])
    nib.save(nib.Nifti1Image((500 * (0.1 + x + x * y)).astype(np.float32), affine), path)
    return path


COMMANDS = ("demo", "upscale", "inspect", "evaluate", "download", "phantom", "label-app")


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_has_examples_and_fits_a_terminal(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*([command] if command else []), "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert text.startswith("usage: monai-srgan")
    assert "examples:\n  " in text
    assert max(map(len, text.splitlines())) <= 102


def test_help_lists_every_command_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert [line.split()[0] for line in text.splitlines() if line.startswith("    ")] == list(COMMANDS)
    assert all(f"\n  {code} " in text for code in (0, 1, 2, 130))


def test_without_a_command_the_help_is_shown_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("usage: monai-srgan")
    assert captured.out == ""


def test_help_does_not_load_torch() -> None:
    code = """if True:
        import sys
        from monai_srgan.cli import main
        try:
            main(["--help"])
        finally:
            print("loaded:", sorted({"torch", "monai", "numpy", "nibabel"} & set(sys.modules)))
    """
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"monai-srgan {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["enlarge"],
        ["upscale", "a"],
        ["upscale", "a", "b", "--variant", "x"],
        ["upscale", "a", "b", "--device", "x"],
    ],
)
def test_an_invalid_command_line_ends_with_code_2_and_points_to_the_help(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    usage, error, hint = capsys.readouterr().err.splitlines()
    program = "monai-srgan upscale" if arguments[0] == "upscale" else "monai-srgan"
    assert usage.startswith(f"usage: {program} [OPTIONS] ")
    assert error.startswith(f"{program}: error: ")
    assert hint == f"hint: {program} --help lists the options"


def test_the_old_name_of_an_option_is_an_error_with_the_new_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["evaluate", "slices", "out", "--folds", "3"])
    assert ended.value.code == 2
    assert "--folds was renamed: use --num-folds" in capsys.readouterr().err


def test_a_retired_variant_is_an_error_that_names_its_successor(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["upscale", "scan.nii.gz", "out", "--variant", "srresnet_jitter"])
    assert ended.value.code == 2
    assert "variant 'srresnet_jitter' is retired: use srresnet, which now" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "items"),
    [(["--blend", "0.5"], {"blend": 0.5}), (["--variant", "srresnet"], {"variant": "srresnet"})],
)
def test_upscale_writes_the_same_files_as_the_bundle(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: list[str], items: dict[str, Any]
) -> None:
    source = save_slice(tmp_path / "a.nii.gz")
    options = [*given, "--consistency", "--device", "cpu", "--postfix", "x4", "--dtype", "float64"]
    assert main(["upscale", str(source), str(tmp_path / "command"), *options]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'command'}\n"
    workflow = ConfigWorkflow(
        config_file=str(BUNDLE / "configs" / "inference.json"),
        workflow_type="inference",
        logging_file=False,
        bundle_root=str(BUNDLE),
        dataset_dir=str(source),
        output_dir=str(tmp_path / "bundle"),
        consistency=True,
        **items,
        device="$torch.device('cpu')",
    )
    workflow.initialize()
    workflow.run()
    found, wanted = (nib.load(tmp_path / f) for f in ("command/a_x4.nii.gz", "bundle/a_sr.nii.gz"))
    assert found.get_data_dtype() == np.float64
    np.testing.assert_array_equal(found.get_fdata(), wanted.get_fdata())
    np.testing.assert_array_equal(found.affine, wanted.affine)


def test_a_folder_of_a_dicom_series_is_enlarged(tmp_path: Path) -> None:
    volume = (np.arange(3 * 9 * 12).reshape(3, 9, 12) % 211).astype(np.uint16)
    series = write_series(tmp_path / "t1c", volume, distance=5.0)  # differs from the tag
    assert main(["upscale", str(series), str(tmp_path / "out"), "--dtype", "source", "--trust"]) == 0
    names = sorted(f.name for f in (tmp_path / "out").iterdir())
    # too small for an estimate, and so for intervals
    assert names == ["t1c_sr.json", "t1c_sr.nii.gz", "t1c_sr_spread.nii.gz"]
    saved = nib.load(tmp_path / "out" / "t1c_sr.nii.gz")
    assert saved.shape == (48, 36, 3)
    assert saved.get_data_dtype() == np.uint16
    for corner in ((-0.5, -0.5, 0), (11.5, 8.5, 2)):
        fine = [4 * (corner[0] + 0.5) - 0.5, 4 * (corner[1] + 0.5) - 0.5, corner[2], 1]
        np.testing.assert_allclose(saved.affine @ fine, [*world(*corner, distance=5.0), 1], atol=1e-3)
    means = saved.get_fdata().reshape(12, 4, 9, 4, 3).mean((1, 3))
    assert np.corrcoef(means.ravel(), volume.transpose(2, 1, 0).ravel())[0, 1] > 0.9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["upscale", "nowhere", "out"], "nowhere does not exist"),
        (["upscale", "a.nii", "out.nii.gz"], "OUT must be a folder"),
        (["upscale", "a.nii", "out", "--blend", "2"], "blend must be a number in [0, 1]"),
        (["upscale", "a.nii", "out", "--weights", "none.pt"], "none.pt does not exist"),
        (["upscale", "bad.nii", "out"], "1 of 1 inputs cannot be used"),
        (["upscale", "a.nii", "out", "--dtype", "int8"], "output_dtype must be one of"),
        (["upscale", "a.nii", "out", "--intervals", "i.json"], "set trust=True\nhint: add --trust\n"),
        (["inspect", "bad.nii"], "bad.nii: is not a NIfTI file"),
        (["inspect", "nowhere.png"], "nowhere.png does not exist"),
        (["inspect", "notes.txt"], "notes.txt: the suffix must be one of"),
        (["phantom", "p", "--size", "66"], "image_size must be a multiple of 4, got 66"),
        (["evaluate", "nowhere", "out"], "nowhere"),
    ],
)
def test_a_failure_is_reported_in_one_line_and_writes_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    save_slice(tmp_path / "a.nii")
    (tmp_path / "bad.nii").write_bytes(b"nothing")
    (tmp_path / "notes.txt").touch()
    before = sorted(tmp_path.rglob("*"))
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert len([line for line in error.splitlines() if line.startswith("monai-srgan: error: ")]) == 1
    assert message in error
    assert "Traceback" not in error
    assert [f for f in sorted(tmp_path.rglob("*")) if f not in before and not f.is_dir()] == []


def test_paths_are_taken_literally(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("$x.nii", "a#1.nii", "@b.nii", "%c.nii"):
        save_slice(tmp_path / name)
    for name in ("$x", "a#1", "@b", "%c"):
        assert main(["upscale", f"{name}.nii", f"{name}#out", "--device", "cpu"]) == 0
        assert (tmp_path / f"{name}#out" / f"{name}_sr.nii.gz").is_file()
    with pytest.raises(SystemExit):
        main(["upscale", "a#1.nii", "out", "--postfix", "$1+1"])


def test_an_existing_result_is_replaced_only_with_overwrite(tmp_path: Path) -> None:
    source = save_slice(tmp_path / "a.nii.gz")
    command = ["upscale", str(source), str(tmp_path / "out"), "--device", "cpu"]
    assert main(command) == 0
    (tmp_path / "out" / "a_sr.nii.gz").write_bytes(b"kept")
    assert main(command) == 1
    assert (tmp_path / "out" / "a_sr.nii.gz").read_bytes() == b"kept"
    assert main([*command, "--overwrite"]) == 0
    assert nib.load(tmp_path / "out" / "a_sr.nii.gz").shape == (48, 36)


def test_a_phantom_set_is_inspected_and_evaluated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["phantom", str(tmp_path / "p"), "--patients", "6", "--size", "64"]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "p")
    assert main(["inspect", str(tmp_path / "p" / "1.mat"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["size"] == [64, 64]
    assert facts["enlarged_size"] == [256, 256]
    assert facts["spacing"] == pytest.approx([0.49, 0.49])  # of the dataset's files, at any size
    assert facts["enlarged_spacing"] == pytest.approx([0.1225, 0.1225])
    assert facts["tumor"]["type"] == "meningioma"
    assert facts["tumor"]["patient"] == "PH000001"
    assert facts["tumor"]["pixels"] > 0
    assert main(["inspect", str(tmp_path / "p" / "1.mat")]) == 0
    assert "enlarged to  256 x 256 pixels of 0.1225 x 0.1225 mm\n" in capsys.readouterr().out
    arguments = ["--compare", "bicubic,lanczos", "--num-folds", "3", "--panels", "0", "--device", "cpu"]
    assert main(["evaluate", str(tmp_path / "p"), str(tmp_path / "scores"), *arguments]) == 0
    summary = json.loads((tmp_path / "scores" / "summary.json").read_text())
    assert {"bicubic", "lanczos", "srgan"} <= summary["scores"].keys()
    assert (tmp_path / "scores" / "report.html").is_file()


def test_the_label_app_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["label-app"]) == 0
    assert (Path(capsys.readouterr().out.strip()) / "main.py").is_file()
