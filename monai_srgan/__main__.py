# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""``python -m monai_srgan``: the command ``monai-srgan``."""

from __future__ import annotations

import sys

from monai_srgan.cli import main

sys.exit(main())
