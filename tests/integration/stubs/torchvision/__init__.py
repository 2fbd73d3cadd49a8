# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Stands in for torchvision, which MONAI Label imports for pathology and which does not load beside CPU-only torch."""
