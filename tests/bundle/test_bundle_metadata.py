# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""bundle/configs/metadata.json, and what MONAI checks and exports with it."""

from __future__ import annotations

import json
import logging.config
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import torch
from monai.bundle import ConfigWorkflow, ckpt_export, verify_net_in_out
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import monai_srgan
from monai_srgan.networks import SRResNet

ROOT = Path(__file__).parents[2]
CONFIGS = ROOT / "bundle" / "configs"
META = CONFIGS / "metadata.json"
INFERENCE = CONFIGS / "inference.json"

TENSOR: dict[str, Any] = {
    "type": "object",
    "required": ["type", "format", "modality", "num_channels", "spatial_shape", "dtype", "value_range"],
    "properties": {
        **{key: {"type": "string"} for key in ("type", "format", "modality", "dtype")},
        "num_channels": {"type": "integer"},
        "spatial_shape": {"type": "array", "items": {"type": ["string", "integer"]}, "minItems": 2, "maxItems": 2},
        "value_range": {"type": "array", "items": {"type": "number"}},
        "is_patch_data": {"type": "boolean"},
        "channel_def": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
TEXTS = ("schema", "version", "monai_version", "pytorch_version", "numpy_version", "name", "task", "description")
MORE_TEXTS = ("authors", "copyright", "data_source", "data_type", "intended_use", "image_classes", "pred_classes")
# MONAI's specification of metadata.json, as far as it is documented; the schema itself is behind a URL
SPECIFICATION: dict[str, Any] = {
    "type": "object",
    "required": [*TEXTS, *MORE_TEXTS, "changelog", "required_packages_version", "references", "network_data_format"],
    "properties": {
        **{key: {"type": "string", "minLength": 1} for key in (*TEXTS, *MORE_TEXTS, "label_classes")},
        "changelog": {"type": "object", "additionalProperties": {"type": "string"}},
        "required_packages_version": {"type": "object", "additionalProperties": {"type": "string"}},
        "supported_apps": {"type": "object"},
        "eval_metrics": {"type": "object"},
        "references": {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "network_data_format": {
            "type": "object",
            "required": ["inputs", "outputs"],
            "properties": {
                key: {"type": "object", "minProperties": 1, "additionalProperties": TENSOR}
                for key in ("inputs", "outputs")
            },
        },
    },
}


@pytest.fixture(scope="module")
def meta() -> dict[str, Any]:
    return json.loads(META.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(5)
    network = SRResNet(num_blocks=1, channels=8, norm=None, global_residual="bicubic", condition=36)
    # otherwise it is bicubic interpolation, whatever the other weights and the condition
    for layer in (network.tail, network.film.out):
        torch.nn.init.normal_(layer.weight, std=0.02)
    path = tmp_path_factory.mktemp("weights") / "small.pt"
    torch.save(network.state_dict(), path)
    return path


def test_the_metadata_follow_monai_s_specification(meta: dict[str, Any]) -> None:
    jsonschema.validate(meta, SPECIFICATION)
    assert re.fullmatch(r"https://github\.com/Project-MONAI/.*/meta_schema_\d{8}\.json", meta["schema"])
    assert meta["version"] in meta["changelog"]


def test_the_first_input_and_output_have_the_names_that_monai_label_uses(meta: dict[str, Any]) -> None:
    assert next(iter(meta["network_data_format"]["inputs"])) == "image"
    assert next(iter(meta["network_data_format"]["outputs"])) == "pred"
    config = json.loads(INFERENCE.read_text(encoding="utf-8"))
    assert config["displayable_configs"] == {"result_extension": ".nii.gz"}
    assert {"network_def", "preprocessing", "inferer", "postprocessing", "device", "bundle_root"} <= config.keys()


def test_the_versions_are_those_the_project_is_tested_with(meta: dict[str, Any]) -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]
    # Some pins depend on the Python version: metadata.json states those of the newer one.
    newer = {"python_version": "3.12"}
    tested = {
        canonicalize_name(p.name): str(p.specifier).removeprefix("==")
        for p in pins
        if p.marker is None or p.marker.evaluate(newer)
    }
    stated = {
        "monai": meta["monai_version"],
        "torch": meta["pytorch_version"],
        "numpy": meta["numpy_version"],
        **meta["required_packages_version"],
    }
    assert stated.pop("monai-srgan") == monai_srgan.__version__
    assert stated == {name: tested[name] for name in stated}


def test_the_inference_workflow_has_every_property_that_monai_requires() -> None:
    workflow = ConfigWorkflow(config_file=str(INFERENCE), workflow_type="infer", logging_file=False)
    workflow.initialize()
    assert workflow.check_properties() == []


@pytest.mark.parametrize("size", [None, 7])
def test_monai_verifies_the_network_s_input_and_output(size: int | None) -> None:
    verify_net_in_out(net_id="network_def", meta_file=str(META), config_file=str(INFERENCE), device="cpu", any=size)


def test_the_network_exports_to_torchscript_and_takes_any_size(tmp_path: Path, weights: Path) -> None:
    target = tmp_path / "model.ts"
    ckpt_export(
        net_id="network_def",
        filepath=str(target),
        ckpt_file=str(weights),
        meta_file=str(META),
        config_file=str(INFERENCE),
        **{"network_def#num_blocks": 1, "network_def#channels": 8},
    )
    network = SRResNet(num_blocks=1, channels=8, norm=None, global_residual="bicubic", condition=36).eval()
    network.load_state_dict(torch.load(weights, weights_only=True))
    exported = torch.jit.load(str(target)).eval()
    for size in ((16, 16), (37, 50)):
        lr = torch.rand(1, 1, *size)
        with torch.no_grad():
            torch.testing.assert_close(exported(lr), network(lr))


def test_the_logging_configuration_is_valid(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        logging.config.fileConfig(CONFIGS / "logging.conf", disable_existing_loggers=False)
        logging.getLogger("monai_srgan.somewhere").info("seen")
        assert re.search(r"INFO +monai_srgan\.somewhere: seen", capsys.readouterr().out)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
