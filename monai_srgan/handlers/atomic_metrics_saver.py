# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""MONAI's tables of metrics, each complete under its name."""

from __future__ import annotations

import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from monai.handlers import MetricsSaver

from monai_srgan.files import write_atomically

__all__ = ["AtomicMetricsSaver"]


class AtomicMetricsSaver(MetricsSaver):
    """MONAI's ``MetricsSaver``, which writes its files elsewhere first, so that a kill never leaves half a table.

    Arguments are those of MONAI's ``MetricsSaver``.
    """

    save_dir: str | Path

    def __call__(self, engine: Any) -> None:
        """Write the tables of an epoch."""
        folder = self.save_dir
        with tempfile.TemporaryDirectory() as elsewhere:
            self.save_dir = elsewhere
            try:
                super().__call__(engine)
            finally:
                self.save_dir = folder
            for path in sorted(Path(elsewhere).iterdir()):
                Path(folder).mkdir(parents=True, exist_ok=True)
                write_atomically(Path(folder) / path.name, partial(shutil.copyfile, path))
