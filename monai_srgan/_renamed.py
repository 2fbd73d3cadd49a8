# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Names of version 0.2 that have moved: importing one fails with an error that gives the new name."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from types import ModuleType, TracebackType

__all__ = ["install", "missing"]

_PACKAGE = "monai_srgan."
_MOVED = "moved in version 0.3.0"
_hooked = False

_MODULES = {
    "bundle_root": "bundling",
    "data.download": "apps",
    "data.figshare": "apps",
    "data.phantom": "phantoms",
    "data.phantom_anatomy": "phantoms",
    "data.phantom_tumor": "phantoms",
    "engines.scored_slices": "scores",
    "handlers.adversarial": "handlers",
    "handlers.calibration": "handlers",
    "handlers.curves": "handlers",
    "handlers.extra_validation": "handlers",
    "handlers.learning_rate": "handlers",
    "handlers.metrics": "handlers",
    "handlers.output_folder": "bundling",
    "handlers.panels": "handlers",
    "handlers.perceptual": "handlers",
    "handlers.progress": "handlers",
    "handlers.report": "handlers",
    "handlers.scores": "handlers",
    "handlers.weights": "handlers",
    "method_names": "scores",
    "metrics.facts": "scores",
    "report.rows": "scores",
    "report.statistics": "scores",
    "report.summary": "scores",
    "transforms.geometry": "transforms",
    "transforms.inputs": "transforms",
    "transforms.io": "transforms",
    "transforms.output": "transforms",
    "transforms.trust": "transforms",
    "trust": "uncertainty",
    "whole_file": "files",
}
"""Modules of version 0.2 and the public subpackage that has their names now."""

_NAMES = {
    "bundle_root.shipped_intervals": "bundling.calibrated_intervals",
    "bundle_root.shipped_weights": "bundling.pretrained_weights",
    "bundling.shipped_intervals": "bundling.calibrated_intervals",
    "bundling.shipped_weights": "bundling.pretrained_weights",
    "data.DownloadError": "apps.DownloadError",
    "data.FigshareBrainTumorDataset": "apps.FigshareBrainTumorDataset",
    "data.PhantomSlice": "phantoms.PhantomSlice",
    "data.assert_patient_disjoint": "data.check_patient_disjoint",
    "data.download_figshare": "apps.download_figshare",
    "data.draw_phantom_slice": "phantoms.draw_phantom_slice",
    "data.figshare.tumor_type_name": "data.tumor_type_name",
    "data.figshare_datalist": "apps.figshare_datalist",
    "data.write_phantom_dataset": "phantoms.write_phantom_dataset",
    "engines.evaluation_items": "scores.scored_slices",
    "engines.evaluation_scores": "scores.scored_slices",
    "engines.scored_slices.evaluation_items": "scores.scored_slices",
    "engines.scored_slices.evaluation_scores": "scores.scored_slices",
    "engines.scored_slices.slice_source": "scores.ScoredSlice",
    "engines.slice_source": "scores.ScoredSlice",
    "flags.require_with": "bundling.require_enabled",
    "handlers.AdversarialHandler": "handlers.IterationStateScheduler",
    "handlers.ExtraValidation": "handlers.PhaseValidation",
    "handlers.PerceptualHandler": "handlers.IterationStateScheduler",
    "handlers.adversarial.AdversarialHandler": "handlers.IterationStateScheduler",
    "handlers.clear_folder": "bundling.clear_folder",
    "handlers.draw_panel": "report.draw_panel",
    "handlers.extra_validation.ExtraValidation": "handlers.PhaseValidation",
    "handlers.output_folder.writable_folder": "files.writable_folder",
    "handlers.panels.draw_panel": "report.draw_panel",
    "handlers.perceptual.PerceptualHandler": "handlers.IterationStateScheduler",
    "handlers.set_aside": "bundling.set_aside",
    "handlers.trainer_state.require_checkpoint": "bundling.require_checkpoint",
    "handlers.writable_folder": "files.writable_folder",
    "inferers.chosen_methods": "bundling.select_methods",
    "method_names.variant_name": "scores.Method",
    "metrics.METRIC_FACTS": "scores.METRIC_FACTS",
    "metrics.MetricFact": "scores.MetricFact",
    "networks.srresnet_beside": "bundling.find_srresnet",
    "networks.with_weights": "networks.load_weights",
    "report.ScoreRow": "scores.ScoreRow",
    "report.bootstrap_interval": "scores.bootstrap_interval",
    "report.paired_wilcoxon": "scores.paired_wilcoxon",
    "report.patient_summary": "scores.patient_statistics",
    "report.statistics.patient_summary": "scores.patient_statistics",
    "report.statistics.summarise": "scores.summarize",
    "report.summarise": "scores.summarize",
    "report.summarise_rows": "scores.summarize_rows",
    "report.summary.summarise_rows": "scores.summarize_rows",
    "transforms.geometry.require_crop_size": "bundling.require_crop_size",
    "trust.weights_sha256": "networks.weights_sha256",
    "whole_file.write_whole": "files.write_atomically",
}
"""Names of version 0.2 that are elsewhere, or have another name; those of moved modules complete their messages."""


class _RenamedModules(MetaPathFinder):
    """Explain the import of a module that has moved."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:  # noqa: ARG002 - importlib's signature, D102
        """Raise ImportError for a module that has moved; leave all others to the next finder."""
        if fullname.startswith(_PACKAGE) and (new := _MODULES.get(fullname.removeprefix(_PACKAGE))):
            raise _moved(_moved_module(fullname, new))


def install() -> None:
    """Explain, for the rest of the process, imports of modules that have moved."""
    if not any(isinstance(finder, _RenamedModules) for finder in sys.meta_path):
        sys.meta_path.insert(0, _RenamedModules())


def _moved(message: str) -> ImportError:
    """The error for a name that has moved, whose message is repeated where it leads to an uncaught error.

    A config of version 0.2 fails deep inside MONAI, whose own errors come last in the traceback.
    """
    global _hooked
    if not _hooked:
        _hooked = True
        sys.excepthook = _hook(sys.excepthook)
    return ImportError(message)


def _hook(previous: Callable[..., object]) -> Callable[..., None]:
    def hook(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        previous(kind, error, traceback)
        cause: BaseException | None = error
        while cause is not None:
            found = re.search(rf"{re.escape(_PACKAGE)}\S+ {_MOVED}: use [\w.]+( \([^)]*\))?", str(cause))
            if found and cause is not error:
                sys.stderr.write(f"\n{found[0]}\n")
                return
            cause = cause.__cause__ or cause.__context__

    return hook


def missing(module: str, name: str) -> Exception:
    """The exception for a name that a module does not have.

    Args:
        module: the module's full name.
        name: what was asked of it.

    Returns:
        ImportError with the new place of a name that has moved, else AttributeError.
    """
    old = f"{module}.{name}".removeprefix(_PACKAGE)
    if old in _MODULES:
        return _moved(_moved_module(f"{module}.{name}", _MODULES[old]))
    if old in _NAMES:
        return _moved(_message(f"{module}.{name}", _NAMES[old]))
    return AttributeError(f"module {module!r} has no attribute {name!r}")


def _moved_module(old: str, new: str) -> str:
    """The message for a module, with the names that are not in its new place."""
    prefix = f"{old.removeprefix(_PACKAGE)}."
    others = [f"{k.removeprefix(prefix)}: {_PACKAGE}{v}" for k, v in _NAMES.items() if k.startswith(prefix)]
    return _message(old, new) + (f" ({', '.join(others)})" if others else "")


def _message(old: str, new: str) -> str:
    return f"{old} {_MOVED}: use {_PACKAGE}{new}"
