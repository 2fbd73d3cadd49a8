# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Imports and configs of version 0.2 fail with the new names."""

from __future__ import annotations

import importlib
import json
import pydoc
import re
import subprocess
import sys
from pathlib import Path

import pytest
from monai.bundle import ConfigParser

from monai_srgan import _renamed

# what the configs of version 0.2 imported, and a few imports of its documentation
IMPORTS = [
    ("from monai_srgan.bundle_root import find_bundle_root", "monai_srgan.bundling"),
    ("from monai_srgan.bundle_root import shipped_intervals", "monai_srgan.bundling.calibrated_intervals"),
    ("from monai_srgan.bundle_root import shipped_weights", "monai_srgan.bundling.pretrained_weights"),
    ("from monai_srgan.data import FigshareBrainTumorDataset", "monai_srgan.apps.FigshareBrainTumorDataset"),
    ("from monai_srgan.data import assert_patient_disjoint", "monai_srgan.data.check_patient_disjoint"),
    ("from monai_srgan.data import figshare_datalist", "monai_srgan.apps.figshare_datalist"),
    ("from monai_srgan.data import write_phantom_dataset", "monai_srgan.phantoms.write_phantom_dataset"),
    ("from monai_srgan.data.figshare import dataset_folds", "monai_srgan.apps"),
    ("from monai_srgan.data.phantom import is_phantom_dataset", "monai_srgan.phantoms"),
    ("from monai_srgan.flags import require_with", "monai_srgan.bundling.require_enabled"),
    ("from monai_srgan.handlers.output_folder import clear_folder", "monai_srgan.bundling"),
    ("from monai_srgan.handlers.output_folder import writable_folder", "monai_srgan.files.writable_folder"),
    ("from monai_srgan.handlers.trainer_state import require_checkpoint", "monai_srgan.bundling.require_checkpoint"),
    ("from monai_srgan.inferers import chosen_methods", "monai_srgan.bundling.select_methods"),
    ("from monai_srgan.networks import srresnet_beside", "monai_srgan.bundling.find_srresnet"),
    ("from monai_srgan.networks import with_weights", "monai_srgan.networks.load_weights"),
    ("from monai_srgan.report import summarise", "monai_srgan.scores.summarize"),
    ("from monai_srgan.transforms.geometry import require_crop_size", "monai_srgan.bundling.require_crop_size"),
    ("import monai_srgan; monai_srgan.trust", "monai_srgan.uncertainty"),
    ("import monai_srgan.trust", "monai_srgan.uncertainty"),
    ("from monai_srgan.trust import weights_sha256", "monai_srgan.networks.weights_sha256"),
    ("from monai_srgan.handlers.panels import draw_panel", "monai_srgan.report.draw_panel"),
]
TARGETS = [
    ("monai_srgan.handlers.AdversarialHandler", "monai_srgan.handlers.IterationStateScheduler"),
    ("monai_srgan.handlers.ExtraValidation", "monai_srgan.handlers.PhaseValidation"),
    ("monai_srgan.handlers.PerceptualHandler", "monai_srgan.handlers.IterationStateScheduler"),
]


@pytest.mark.parametrize(("old", "new"), IMPORTS)
def test_an_old_import_names_the_new_place(old: str, new: str) -> None:
    with pytest.raises(ImportError, match=rf"moved in version 0\.3\.0: use .*{re.escape(new)}(?![\w.])"):
        exec(old, {})


@pytest.mark.parametrize(("old", "new"), TARGETS)
def test_an_old_target_of_a_config_names_the_new_place(old: str, new: str) -> None:
    parser = ConfigParser({"handler": {"_target_": old}})
    with pytest.raises((ImportError, RuntimeError)) as caught:
        parser.get_parsed_content("handler")
    messages, error = [], caught.value
    while error is not None:
        messages.append(str(error))
        error = error.__cause__ or error.__context__
    assert any(f"{old} moved in version 0.3.0: use {new}" in message for message in messages)


def test_every_new_place_exists() -> None:
    for module in _renamed._MODULES.values():
        importlib.import_module(f"monai_srgan.{module}")
    for name in _renamed._NAMES.values():
        assert pydoc.locate(f"monai_srgan.{name}") is not None, name


def test_an_old_config_ends_with_the_new_name_of_what_it_imports(tmp_path: Path) -> None:
    config = {"imports": ["$from monai_srgan.data import figshare_datalist"], "run": "$figshare_datalist('.', 'test')"}
    (tmp_path / "old.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "monai.bundle", "run", "--config_file", str(tmp_path / "old.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1].endswith(
        "monai_srgan.data.figshare_datalist moved in version 0.3.0: use monai_srgan.apps.figshare_datalist"
    )
