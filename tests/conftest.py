# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures shared by the tests."""

from __future__ import annotations

import atexit
import os
import warnings
from pathlib import Path

import pytest


@atexit.register
def _end_with_a_filter_that_ignores() -> None:
    """Let warnings at the very end be ignored, whatever filter the last test had.

    CPython keeps the list of filters that the last warning met and asks it while modules are torn down. ITK's SWIG
    types warn there once more; as an error, inside their C code, that ends the process with a segmentation fault.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.warn("the last one", DeprecationWarning, stacklevel=1)


@pytest.fixture(scope="session")
def real_data_dir() -> Path:
    """Folder of original figshare slices, named by the environment variable MONAI_SRGAN_DATA."""
    folder = os.environ.get("MONAI_SRGAN_DATA")
    if not folder:
        pytest.skip("MONAI_SRGAN_DATA is not set: no folder with slices of the figshare dataset")
    path = Path(folder)
    if not path.is_dir():
        raise FileNotFoundError(f"MONAI_SRGAN_DATA={folder} is not a folder")
    return path


@pytest.fixture(scope="session")
def phantom_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small phantom set in the layout of the figshare files: 6 patients, 128x128."""
    from monai_srgan.phantoms import write_phantom_dataset

    return write_phantom_dataset(tmp_path_factory.mktemp("phantom"), num_patients=6, image_size=128, seed=0)
