# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""How ``python -m monai.bundle run`` ends: errors with their root cause, Ctrl-C and SIGTERM without a traceback."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType

from monai_srgan.errors import argument_of
from monai_srgan.root_cause import root_cause

__all__ = ["OPTIONS", "explain_errors", "explanation"]

OPTIONS = {
    "blend": "--blend NUMBER, from 0 (SRResNet) to 1 (the weights of ckpt_path)",
    "bundle_root": "--bundle_root FOLDER, the bundle's folder",
    "ckpt": "--ckpt FILE, a file in checkpoints/ of an earlier run",
    "ckpt_path": "--ckpt_path FILE, a state dict of network_def",
    "compare": "--compare \"['bicubic','srresnet']\"",
    "compare_consistency": "--compare_consistency True, which --consistency True needs",
    "consistency": "--consistency True or --consistency False",
    "datalist": "--dataset_dir FILE_OR_FOLDER",
    "dataset_dir": "--dataset_dir FILE_OR_FOLDER",
    "folds": "--folds patient, or --folds official for the dataset's own folds",
    "grid": "--grid input or native",
    "init_weights": "--init_weights FILE, a state dict of network_def",
    "intervals": "--intervals FILE, or --intervals '$None' for no intervals",
    "mat_variable": "--mat_variable PATH, such as cjdata/image",
    "measurement": "--measurement auto, \"{'kernel': 'gaussian', 'sigma': 1.0}\", or a JSON file",
    "native": "--native auto or off",
    "network_def": "--network_def#num_blocks N, --network_def#channels N, ... as the weights were trained",
    "output_dir": "--output_dir FOLDER",
    "output_dtype": "--output_dtype TYPE, such as float32",
    "output_ext": "--output_ext .nii.gz, .nii or .png",
    "output_postfix": "--output_postfix TEXT",
    "overwrite": "--overwrite True to replace existing files",
    "precision": "--precision fp32, bf16 or, on a GPU, fp16",
    "srresnet_path": "--srresnet_path FILE, a state dict of network_def",
    "trust": "--trust True",
    "variant": "--variant srgan or srresnet",
}
"""Names of arguments that errors are about, and what to pass to ``python -m monai.bundle run``."""

_INTERRUPTED = "interrupted: files that were written are complete, no other was begun"

Hook = Callable[[type[BaseException], BaseException, TracebackType | None], object]


def explanation(error: BaseException) -> str | None:
    """The root cause of an error, and the option that helps.

    Args:
        error: an error as caught.

    Returns:
        one or two lines; None where they would repeat the last line of the traceback.
    """
    cause, option = root_cause(error), OPTIONS.get(argument_of(error) or "")
    if option is None and cause is error:
        return None
    text = f"{type(cause).__name__}: {cause}"
    return text if option is None else f"{text}\nhint: pass {option}"


class _ExplainingHook:
    """An ``excepthook`` that adds the explanation below the traceback, and ends a run on Ctrl-C with code 130."""

    def __init__(self, previous: Hook) -> None:
        self.previous = previous

    def __call__(self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.stderr.write(f"\n{_INTERRUPTED}\n")
            raise SystemExit(128 + signal.SIGINT)  # Python ends with this code
        self.previous(kind, error, traceback)
        text = explanation(error)
        if text is not None:
            sys.stderr.write(f"\n{text}\n")


def _terminate(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - Python's signature
    os.write(2, f"\n{_INTERRUPTED}\n".encode())  # a signal may interrupt a write to the buffered stream
    raise SystemExit(128 + number)


def explain_errors() -> None:
    """Print, below the traceback of an uncaught error, its root cause and the option that helps.

    Ctrl-C and SIGTERM end the process with one line, with the codes 130 and 143, and after the clean-up of what is
    underway; :class:`monai_srgan.handlers.StopOnSignal` takes over while an engine runs. A handler of SIGTERM that the
    process already has stays.

    MONAI wraps the error of a config's item into RuntimeErrors of its own, so that the last line of a traceback rarely
    gives the reason. This adds to ``sys.excepthook``: it changes nothing for a caller that catches errors.
    """
    if not isinstance(sys.excepthook, _ExplainingHook):
        sys.excepthook = _ExplainingHook(sys.excepthook)
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminate)
