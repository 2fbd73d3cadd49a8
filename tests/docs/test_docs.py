# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What the documentation says is so: knobs, names, code blocks, links."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
from pathlib import Path
from typing import Any

import monai
import nibabel as nib
import pytest
import torch

import monai_srgan

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "bundle" / "docs" / "README.md"])
CONFIGS = ("train", "evaluate", "inference", "calibrate", "train_features")
PUBLIC_MODULES = sorted(m.name for m in pkgutil.iter_modules(monai_srgan.__path__) if not m.name.startswith("_"))
MISSING = object()


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def config(name: str) -> dict[str, Any]:
    return json.loads(read(ROOT / "bundle" / "configs" / f"{name}.json"))


def section(page: Path, title: str) -> str:
    """The text below a second-level heading."""
    parts = re.split(r"^## (.+)$", read(page), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))[title]


def documented(name: str) -> tuple[dict[str, str], set[str]]:
    """Knobs with their default's cell, and the names among the MONAI items."""
    text = section(DOCS / "reference" / "configuration.md", f"{name}.json")
    rows = re.findall(r"^\| `([^`]+)` \| (.+?) \| .*\|$", text, flags=re.MULTILINE)
    assert len(rows) == len(dict(rows))
    items = re.search(r"MONAI items: (.+?)\.\n(?:\n|$)", text, flags=re.DOTALL)
    assert items is not None
    return dict(rows), set(re.findall(r"`([^`]+)`", items[1]))


def value_of(content: dict[str, Any], knob: str) -> Any:
    """What the config holds at a path, or else the default of the class that takes the last part as an argument."""
    *parents, last = knob.split("#")
    for parent in parents:
        content = content[parent]
    if last in content:
        return content[last]
    target = content.get("_target_", "")
    if "." not in target:
        return MISSING
    module, name = target.rsplit(".", 1)
    parameter = inspect.signature(getattr(importlib.import_module(module), name)).parameters.get(last)
    return MISSING if parameter is None else parameter.default


@pytest.mark.parametrize("name", CONFIGS)
def test_every_item_of_a_config_is_documented(name: str) -> None:
    knobs, items = documented(name)
    content = config(name)
    names = [key for key in content if key not in ("train", "validate")]
    names += [f"{part}#{key}" for part in ("train", "validate") if part in content for key in content[part]]
    assert [key for key in names if key not in knobs and key not in items] == []
    assert sorted(items - set(names)) == []


def wrong_defaults(content: dict[str, Any], told: dict[str, str]) -> dict[str, str]:
    """Knobs that do not exist or whose default is another one than the page quotes."""
    wrong = {}
    for knob, cell in told.items():
        value = value_of(content, knob)
        if value is MISSING:
            wrong[knob] = "does not exist"
        # in italics a default is described: an expression, an object, or a list too long for the table
        elif not cell.startswith("*") and cell.strip("`") not in (json.dumps(value), value):
            wrong[knob] = f"is {value!r}, told is {cell}"
    return wrong


@pytest.mark.parametrize("name", CONFIGS)
def test_every_documented_knob_exists_and_has_the_default_that_is_told(name: str) -> None:
    assert wrong_defaults(config(name), documented(name)[0]) == {}


def test_the_model_card_tells_the_defaults_of_training() -> None:
    rows = re.findall(
        r"^\| `([^`]+)` \| (.+?) \|$", section(ROOT / "bundle/docs/README.md", "Training configuration"), re.M
    )
    assert len(rows) > 10
    assert wrong_defaults(config("train"), dict(rows)) == {}


@pytest.mark.parametrize("name", PUBLIC_MODULES)
def test_every_public_name_is_in_the_api_page_and_no_other(name: str) -> None:
    rows = re.findall(r"^\| (`.+?`) \|", section(DOCS / "reference" / "api.md", f"monai_srgan.{name}"), re.MULTILINE)
    listed = [word for row in rows for word in re.findall(r"`([^`]+)`", row)]
    assert sorted(listed) == sorted(importlib.import_module(f"monai_srgan.{name}").__all__)


def run_blocks(page: Path, dataset_dir: Path | None = None) -> dict[str, Any]:
    """Run the Python blocks of a page from top to bottom, on another folder of slices where the page names one."""
    code = "\n".join(re.findall(r"^```python\n(.*?)^```$", read(page), flags=re.MULTILINE | re.DOTALL))
    line = 'dataset_dir = "phantom"\n'
    assert code.count(line) == (dataset_dir is not None)
    namespace: dict[str, Any] = {}
    exec(compile(code.replace(line, f"dataset_dir = {str(dataset_dir)!r}\n"), str(page), "exec"), namespace)
    return namespace


def test_the_blocks_on_keeping_what_was_measured_run() -> None:
    done = run_blocks(DOCS / "how-to" / "keep-what-was-measured.md")
    assert float(done["before"]) < 40 < 140 < float(done["after"])
    assert done["volume"].shape == (1, 1, 256, 192, 3)


def test_our_parts_work_in_a_plain_monai_pipeline(phantom_dir: Path) -> None:
    page = DOCS / "how-to" / "use-in-your-own-pipeline.md"
    assert "monai_srgan.engines import" not in read(page)
    try:
        done = run_blocks(page, phantom_dir)
    finally:
        monai.utils.set_determinism(seed=None)
    assert done["trainer"].state.iteration == 2
    metrics = done["metrics"]
    assert set(metrics) == {"psnr_inside", "psnr_outside", "psnr_whole", "ssim_inside"}
    assert all(torch.isfinite(torch.tensor(value)) for value in metrics.values())
    assert min(metrics["psnr_inside"], metrics["psnr_outside"]) <= metrics["psnr_whole"]
    assert metrics["psnr_whole"] <= max(metrics["psnr_inside"], metrics["psnr_outside"])
    assert float(done["head_psnr"]) > 10
    assert done["first_batch"]["image"].shape == (2, 1, 16, 16)
    assert done["item"]["image"].shape == done["item"]["mask"].shape == (1, 128, 128)
    assert set(done["item"]["mask"].unique().tolist()) == {0, 1}


def test_another_generator_trains_with_monai_s_perceptual_loss(
    phantom_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # in place of the weights that MONAI would download
    torch.manual_seed(0)
    features = torch.nn.Conv2d(3, 4, 3, stride=2)
    monkeypatch.setattr(torch.hub, "load", lambda *_args, **_kwargs: features)
    page = DOCS / "how-to" / "train-another-generator.md"
    before = features.weight.clone()
    try:
        done = run_blocks(page, phantom_dir)
    finally:
        monai.utils.set_determinism(seed=None)
    assert done["trainer"].state.iteration == 3 * done["epoch_length"]
    names = {"loss", "pixel_loss", "perceptual_loss", "adversarial_loss", "discriminator_loss", "d_real", "d_fake"}
    assert names <= done["losses"].keys()
    assert done["losses"]["perceptual_loss"] > 0
    assert torch.equal(features.weight, before)


def test_a_segmentation_of_an_enlarged_image_lies_over_the_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run_blocks(DOCS / "how-to" / "upsample-before-a-segmentation.md")
    assert done["data"]["fine"].shape == (1, 96, 80, 2)
    (saved,) = (nib.load(file) for file in (tmp_path / "segmented").rglob("*_seg.nii.gz"))
    assert saved.shape == (96, 80, 2)
    scan = nib.load(tmp_path / "scan.nii.gz")
    for corner in ((-0.5, -0.5, 0), (23.5, 19.5, 1)):
        fine = [4 * (corner[0] + 0.5) - 0.5, 4 * (corner[1] + 0.5) - 0.5, corner[2], 1]
        torch.testing.assert_close(
            torch.as_tensor(saved.affine @ fine), torch.as_tensor(scan.affine @ [*corner, 1]), rtol=0, atol=1e-4
        )


def test_the_blocks_on_reading_files_run(phantom_dir: Path) -> None:
    done = run_blocks(DOCS / "how-to" / "read-mat-files.md", phantom_dir)
    assert done["slice_"].patient == done["sample"]["patient"]
    assert torch.equal(done["image"], done["sample"]["image"])


def test_the_record_of_a_measurement_is_as_documented() -> None:
    done = run_blocks(DOCS / "reference" / "degradation.md")
    assert done["measurement"].to_dict() == done["record"]


def test_the_blocks_on_enlarging_run() -> None:
    done = run_blocks(DOCS / "how-to" / "infer.md")
    assert done["sr"].shape == (1, 1, 256, 192, 3)
    torch.testing.assert_close(done["slice_"], done["sr"][..., 0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"^```.*?^```", "", read(page), flags=re.MULTILINE | re.DOTALL)):
        if link.startswith(("http://", "https://")):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.is_file():
            broken.append(link)
        elif anchor:
            titles = re.findall(r"^#+ (.+)$", read(target), flags=re.MULTILINE)
            if anchor not in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}:
                broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_holds_a_placeholder(page: Path):
    assert not re.findall(r"@[A-Z]+@|<!-- results -->|TODO|TBD", page.read_text(encoding="utf-8"))
