# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Names of version 0.2 that have moved: importing one fails with an error that gives the new name."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType

__all__ = ["install", "missing"]

_PACKAGE = "monai_srgan."

_MODULES = {
    "bundle_root": "bundling",
    "data.download": "apps.figshare_download",
    "data.figshare": "apps.figshare",
    "data.phantom": "phantoms.dataset",
    "data.phantom_anatomy": "phantoms.anatomy",
    "data.phantom_tumor": "phantoms.tumor",
    "engines.scored_slices": "scores.scored_slice",
    "handlers.adversarial": "handlers.adversarial_handler",
    "handlers.calibration": "handlers.interval_calibration",
    "handlers.curves": "handlers.curve_recorder",
    "handlers.learning_rate": "handlers.two_phase_learning_rate",
    "handlers.metrics": "handlers.region_score",
    "handlers.output_folder": "bundling.run_folder",
    "handlers.panels": "handlers.panel_saver",
    "handlers.perceptual": "handlers.perceptual_handler",
    "handlers.progress": "handlers.loss_progress_bar",
    "handlers.report": "handlers.report_saver",
    "handlers.scores": "handlers.score_table",
    "handlers.weights": "handlers.weights_loader",
    "method_names": "scores.methods",
    "metrics.facts": "scores.facts",
    "report.rows": "scores.rows",
    "report.statistics": "scores.statistics",
    "report.summary": "scores.summary",
    "transforms.geometry": "transforms.affine",
    "transforms.inputs": "transforms.load_input",
    "transforms.io": "transforms.load_mat",
    "transforms.output": "transforms.save",
    "transforms.trust": "transforms.uncertainty_maps",
    "trust": "uncertainty",
    "whole_file": "files",
}

_NAMES = {
    "data.DownloadError": "apps.DownloadError",
    "data.FigshareBrainTumorDataset": "apps.FigshareBrainTumorDataset",
    "data.PhantomSlice": "phantoms.PhantomSlice",
    "data.download_figshare": "apps.download_figshare",
    "data.draw_phantom_slice": "phantoms.draw_phantom_slice",
    "data.figshare_datalist": "apps.figshare_datalist",
    "data.write_phantom_dataset": "phantoms.write_phantom_dataset",
    "engines.evaluation_items": "scores.scored_slices",
    "engines.evaluation_scores": "scores.scored_slices",
    "engines.slice_source": "scores.ScoredSlice",
    "flags.require_with": "bundling.require_with",
    "handlers.clear_folder": "bundling.clear_folder",
    "handlers.draw_panel": "report.draw_panel",
    "handlers.set_aside": "bundling.set_aside",
    "handlers.trainer_state.require_checkpoint": "bundling.require_checkpoint",
    "handlers.writable_folder": "files.writable_folder",
    "inferers.chosen_methods": "bundling.chosen_methods",
    "metrics.METRIC_FACTS": "scores.METRIC_FACTS",
    "metrics.MetricFact": "scores.MetricFact",
    "networks.srresnet_beside": "bundling.srresnet_beside",
    "report.ScoreRow": "scores.ScoreRow",
    "report.bootstrap_interval": "scores.bootstrap_interval",
    "report.paired_wilcoxon": "scores.paired_wilcoxon",
    "report.patient_summary": "scores.patient_statistics",
    "report.summarise": "scores.summarize",
    "report.summarise_rows": "scores.summarize_rows",
}


class _RenamedModules(MetaPathFinder):
    """Explain the import of a module that has moved."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:  # noqa: ARG002 - importlib's signature, D102
        """Raise ImportError for a module that has moved; leave all others to the next finder."""
        if fullname.startswith(_PACKAGE) and (new := _MODULES.get(fullname.removeprefix(_PACKAGE))):
            raise ImportError(_message(fullname, new))


def install() -> None:
    """Explain, for the rest of the process, imports of modules that have moved."""
    if not any(isinstance(finder, _RenamedModules) for finder in sys.meta_path):
        sys.meta_path.insert(0, _RenamedModules())


def missing(module: str, name: str) -> Exception:
    """The exception for a name that a module does not have.

    Args:
        module: the module's full name.
        name: what was asked of it.

    Returns:
        ImportError with the new place of a name that has moved, else AttributeError.
    """
    new = _NAMES.get(f"{module.removeprefix(_PACKAGE)}.{name}")
    if new:
        return ImportError(_message(f"{module}.{name}", new))
    return AttributeError(f"module {module!r} has no attribute {name!r}")


def _message(old: str, new: str) -> str:
    return f"{old} moved in version 0.3.0: use {_PACKAGE}{new}"
