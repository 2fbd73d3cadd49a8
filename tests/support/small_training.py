# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The bundle's training in small, as several tests run it."""

from __future__ import annotations

from pathlib import Path

from monai.bundle import ConfigWorkflow

BUNDLE = Path(__file__).parents[2] / "bundle"


def workflow(data: Path, out: Path, **overrides) -> ConfigWorkflow:
    """The bundle's config with networks, crops and epochs small enough for a test."""
    small = {
        "bundle_root": str(BUNDLE),
        "dataset_dir": str(data),
        "output_dir": str(out),
        "epoch_length": 3,
        "pretrain_epochs": 2,
        "adversarial_epochs": 1,
        "val_interval": 1,
        "batch_size": 2,
        "patch_size": 32,
        "amp": False,
        "network_def#num_blocks": 1,
        "network_def#channels": 4,
        "discriminator_def#channels": [4, 4, 4, 8, 8],
        "discriminator_def#dense": 8,
        **overrides,
    }
    return ConfigWorkflow(
        config_file=str(BUNDLE / "configs" / "train.json"), workflow_type="train", logging_file=False, **small
    )


def run(flow: ConfigWorkflow) -> ConfigWorkflow:
    flow.initialize()
    flow.run()
    flow.finalize()
    return flow


def causes(error: BaseException) -> str:
    """The messages of an exception and of what caused it: bundles wrap the errors of their items."""
    messages = []
    current: BaseException | None = error
    while current is not None:
        messages.append(str(current))
        current = current.__cause__
    return "\n".join(messages)
