# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""ignite handlers of training and evaluation (records, scores, pictures), and the schedules that they follow."""

from __future__ import annotations

from monai_srgan import _renamed
from monai_srgan.handlers.atomic_metrics_saver import AtomicMetricsSaver
from monai_srgan.handlers.checkpoint_saver import AtomicCheckpointSaver
from monai_srgan.handlers.curve_recorder import CurveRecorder
from monai_srgan.handlers.discriminator_monitor import DiscriminatorMonitor
from monai_srgan.handlers.ema_warmup import EMAWarmup
from monai_srgan.handlers.interval_samples import IntervalSamples
from monai_srgan.handlers.iteration_state_scheduler import IterationStateScheduler
from monai_srgan.handlers.loss_progress_bar import LossProgressBar
from monai_srgan.handlers.masked_metric_handler import MaskedMetricHandler
from monai_srgan.handlers.panel_saver import PanelSaver
from monai_srgan.handlers.phase_validation import PhaseValidation
from monai_srgan.handlers.ramp import Ramp
from monai_srgan.handlers.region_score import RegionScore, region_scores_metrics
from monai_srgan.handlers.report_saver import ReportSaver
from monai_srgan.handlers.resume_loader import ResumeLoader
from monai_srgan.handlers.run_time_estimate import RunTimeEstimate
from monai_srgan.handlers.score_table import ScoreTable
from monai_srgan.handlers.stop_on_signal import StopOnSignal
from monai_srgan.handlers.trainer_state import TrainerState
from monai_srgan.handlers.two_phase_learning_rate import TwoPhaseLearningRate
from monai_srgan.handlers.weights_loader import WeightsLoader
from monai_srgan.handlers.weights_saver import WeightsSaver

__all__ = [
    "AtomicCheckpointSaver",
    "AtomicMetricsSaver",
    "CurveRecorder",
    "DiscriminatorMonitor",
    "EMAWarmup",
    "IntervalSamples",
    "IterationStateScheduler",
    "LossProgressBar",
    "MaskedMetricHandler",
    "PanelSaver",
    "PhaseValidation",
    "Ramp",
    "RegionScore",
    "ReportSaver",
    "ResumeLoader",
    "RunTimeEstimate",
    "ScoreTable",
    "StopOnSignal",
    "TrainerState",
    "TwoPhaseLearningRate",
    "WeightsLoader",
    "WeightsSaver",
    "region_scores_metrics",
]


def __getattr__(name: str) -> object:
    raise _renamed.missing(__name__, name)
