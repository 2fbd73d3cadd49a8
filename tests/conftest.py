# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures shared by the tests, and the option --fail-on-skip."""

from __future__ import annotations

import atexit
import os
import warnings
from collections.abc import Generator
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # one thread a worker, set before torch is imported
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# Reasons that --fail-on-skip accepts, by their first words: hardware, systems and data that nobody can install.
ACCEPTED_SKIPS = (
    "no CUDA device",
    "no bfloat16 instructions",
    "peak memory is read from Linux's /proc",
    "MONAI_SRGAN_DATA is not set",
)


@atexit.register
def _end_with_a_filter_that_ignores() -> None:
    """Ignore warnings at exit, whatever filter the last test set.

    CPython keeps the filters that the last warning met and uses them while it tears modules down. ITK's SWIG types warn
    there once more; raised as an error inside their C code, that warning ends the process with a segmentation fault.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.warn("the last one", DeprecationWarning, stacklevel=1)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --fail-on-skip, which .ci/run uses."""
    parser.addoption(
        "--fail-on-skip",
        action="store_true",
        help=f"fail tests that are skipped for any other reason than: {'; '.join(ACCEPTED_SKIPS)}",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure under --fail-on-skip, unless its reason is accepted."""
    report = yield
    if item.config.getoption("--fail-on-skip") and isinstance(report.longrepr, tuple):  # a skip: path, line, reason
        path, line, message = report.longrepr
        if not message.removeprefix("Skipped: ").startswith(ACCEPTED_SKIPS):
            report.outcome = "failed"
            report.longrepr = f"{path}:{line}: skipped under --fail-on-skip: {message.removeprefix('Skipped: ')}"
    return report


@pytest.fixture(scope="session")
def real_data_dir() -> Path:
    """Folder of original figshare slices, from the environment variable MONAI_SRGAN_DATA."""
    folder = os.environ.get("MONAI_SRGAN_DATA")
    if not folder:
        pytest.skip("MONAI_SRGAN_DATA is not set: no folder with slices of the figshare dataset")
    path = Path(folder)
    if not path.is_dir():
        raise FileNotFoundError(f"MONAI_SRGAN_DATA={folder} is not a folder")
    return path


@pytest.fixture(scope="session")
def phantom_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small phantom dataset in the layout of the figshare files: 6 patients, 128x128."""
    from monai_srgan.phantoms import write_phantom_dataset

    return write_phantom_dataset(tmp_path_factory.mktemp("phantom"), num_patients=6, image_size=128, seed=0)
