# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The report's packages are needed to write a report, and for nothing else."""

from __future__ import annotations

import subprocess
import sys


def run(code: str) -> str:
    """What a new Python without jinja2 and matplotlib prints."""
    blocked = "import sys; sys.modules['jinja2'] = sys.modules['matplotlib'] = None\n"
    done = subprocess.run([sys.executable, "-c", blocked + code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_without_jinja2_and_matplotlib_handlers_and_report_can_be_imported_and_say_what_is_missing() -> None:
    lines = run(
        "import types, monai_srgan.handlers as h, monai_srgan.report as r\n"
        "engine = types.SimpleNamespace(regions=('head', 'inside'))\n"
        "for handler in (h.ReportSaver(h.ScoreTable(), '.'), h.PanelSaver('.')):\n"
        "    try:\n"
        "        handler.attach(engine)\n"
        "    except ModuleNotFoundError as error:\n"
        "        print(error)\n"
    ).splitlines()
    assert lines == [
        "ReportSaver needs jinja2: pip install jinja2",
        "PanelSaver needs matplotlib: pip install matplotlib",
    ]
