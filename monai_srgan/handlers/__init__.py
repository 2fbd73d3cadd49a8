# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Handlers: schedules, records, scores and pictures of training and evaluation, attachable to ignite engines."""

from __future__ import annotations

from monai_srgan.handlers.adversarial import AdversarialHandler
from monai_srgan.handlers.calibration import IntervalCalibration, IntervalFit
from monai_srgan.handlers.curves import CurveRecorder
from monai_srgan.handlers.extra_validation import ExtraValidation
from monai_srgan.handlers.learning_rate import TwoPhaseLearningRate
from monai_srgan.handlers.metrics import MaskedMetricHandler, RegionScore, region_scores_metrics
from monai_srgan.handlers.output_folder import clear_folder, set_aside, writable_folder
from monai_srgan.handlers.panels import PanelSaver, draw_panel
from monai_srgan.handlers.perceptual import PerceptualHandler
from monai_srgan.handlers.progress import LossProgressBar
from monai_srgan.handlers.ramp import Ramp
from monai_srgan.handlers.report import ReportSaver
from monai_srgan.handlers.scores import ScoreTable
from monai_srgan.handlers.trainer_state import TrainerState
from monai_srgan.handlers.weights import WeightsLoader
from monai_srgan.handlers.weights_saver import WeightsSaver

__all__ = [
    "AdversarialHandler",
    "CurveRecorder",
    "ExtraValidation",
    "IntervalCalibration",
    "IntervalFit",
    "LossProgressBar",
    "MaskedMetricHandler",
    "PanelSaver",
    "PerceptualHandler",
    "Ramp",
    "RegionScore",
    "ReportSaver",
    "ScoreTable",
    "TrainerState",
    "TwoPhaseLearningRate",
    "WeightsLoader",
    "WeightsSaver",
    "clear_folder",
    "draw_panel",
    "region_scores_metrics",
    "set_aside",
    "writable_folder",
]
