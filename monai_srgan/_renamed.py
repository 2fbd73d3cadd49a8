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
    "data.figshare": "apps",
    "data.phantom": "phantoms",
    "data.phantom_anatomy": "phantoms.anatomy",
    "data.phantom_tumor": "phantoms.tumor",
    "handlers.adversarial": "handlers.discriminator_monitor",
    "engines.scored_slices": "scores.scored_slice",
    "handlers.calibration": "handlers.interval_calibration",
    "handlers.curves": "handlers.curve_recorder",
    "handlers.extra_validation": "handlers.phase_validation",
    "handlers.learning_rate": "handlers.two_phase_learning_rate",
    "handlers.metrics": "handlers.region_score",
    "handlers.output_folder": "bundling.run_folder",
    "handlers.panels": "handlers.panel_saver",
    "handlers.perceptual": "handlers.iteration_state_scheduler",
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
    "bundling.shipped_intervals": "bundling.calibrated_intervals",
    "bundling.shipped_weights": "bundling.pretrained_weights",
    "data.DownloadError": "apps.DownloadError",
    "data.FigshareBrainTumorDataset": "apps.FigshareBrainTumorDataset",
    "data.PhantomSlice": "phantoms.PhantomSlice",
    "data.assert_patient_disjoint": "data.check_patient_disjoint",
    "data.download_figshare": "apps.download_figshare",
    "data.draw_phantom_slice": "phantoms.draw_phantom_slice",
    "data.figshare_datalist": "apps.figshare_datalist",
    "data.write_phantom_dataset": "phantoms.write_phantom_dataset",
    "flags.require_with": "bundling.require_enabled",
    "handlers.AdversarialHandler": "handlers.IterationStateScheduler",
    "handlers.ExtraValidation": "handlers.PhaseValidation",
    "handlers.PerceptualHandler": "handlers.IterationStateScheduler",
    "engines.evaluation_items": "scores.scored_slices",
    "engines.evaluation_scores": "scores.scored_slices",
    "engines.slice_source": "scores.ScoredSlice",
    "handlers.clear_folder": "bundling.clear_folder",
    "handlers.draw_panel": "report.draw_panel",
    "handlers.set_aside": "bundling.set_aside",
    "handlers.trainer_state.require_checkpoint": "bundling.require_checkpoint",
    "handlers.writable_folder": "files.writable_folder",
    "inferers.chosen_methods": "bundling.select_methods",
    "metrics.METRIC_FACTS": "scores.METRIC_FACTS",
    "metrics.MetricFact": "scores.MetricFact",
    "networks.srresnet_beside": "bundling.find_srresnet",
    "networks.with_weights": "networks.load_weights",
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
