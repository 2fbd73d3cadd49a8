# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""``monai-srgan label-app``: the folder of the MONAI Label app."""

from __future__ import annotations

import argparse

from monai_srgan.bundling.bundle_root import installed_label_app
from monai_srgan.cli.parsing import Command

__all__ = ["COMMAND"]


def _add_options(parser: argparse.ArgumentParser) -> None:
    del parser  # it has none


def _run(args: argparse.Namespace) -> None:
    del args
    print(installed_label_app())


COMMAND = Command(
    name="label-app",
    arguments="",
    summary="print the folder of the MONAI Label app",
    description="Print the folder of the app that serves the bundle in MONAI Label, for 3D Slicer and OHIF.",
    add_options=_add_options,
    run=_run,
    examples=(
        'cp -r "$(monai-srgan label-app)" app  # the server writes its log there',
        "monailabel start_server --app app --studies STUDIES",
    ),
)
