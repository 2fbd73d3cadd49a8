# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The bundle's workflows in small, as several tests run them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from monai.bundle import ConfigWorkflow

CONFIGS = Path(__file__).parents[2] / "bundle" / "configs"
SMALL_NETWORK = {"network_def#num_blocks": 1, "network_def#channels": 8}


def small_workflow(name: str, **items: Any) -> ConfigWorkflow:
    """Evaluation or calibration with a small network on three folds, initialized.

    Args:
        name: name of the config, "evaluate" or "calibrate".
        items: items of the config; paths become text.
    """
    given = {key: str(value) if isinstance(value, Path) else value for key, value in items.items()}
    workflow = ConfigWorkflow(
        config_file=str(CONFIGS / f"{name}.json"),
        meta_file=str(CONFIGS / "metadata.json"),
        logging_file=False,
        workflow_type="infer",
        **{"device": "$torch.device('cpu')", "num_folds": 3, **SMALL_NETWORK, **given},
    )
    workflow.initialize()
    return workflow
