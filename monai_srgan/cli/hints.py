# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What to change on the command line when an error is about an argument of the library."""

from __future__ import annotations

from collections.abc import Mapping

from monai_srgan.errors import argument_of

__all__ = ["HINTS", "hint_for"]

_INPUT = "IN is an image file, a folder of images, or the folder of a DICOM series"

HINTS = {
    "blend": "--blend takes a number from 0 (srresnet) to 1 (the weights of --variant or --weights)",
    "bundle_root": "pass --bundle DIR with the folder of the bundle",
    "ckpt_path": "pass --weights FILE with a state dict of the bundle's network, or leave it out",
    "compare": "--compare takes names separated by commas, such as bicubic,srresnet",
    "consistency": "pass --consistency or --no-consistency",
    "datalist": _INPUT,
    "dataset_dir": _INPUT,
    "grid": "--grid takes input or native",
    "intervals": "pass --intervals FILE with intervals of these weights, or --intervals none for the spread alone",
    "mat_variable": "pass --mat-variable PATH with the path of the image in the .mat file",
    "measurement": '--measurement takes auto, JSON such as \'{"kernel": "gaussian", "sigma": 1.0}\', or a file',
    "native": "--native takes auto or off",
    "network_def": "--weights takes a state dict of the bundle's network; for another network, run the bundle's config",
    "output_dir": "choose another folder as OUT",
    "output_dtype": "--dtype takes uint8, int16, uint16, int32, float32, float64 or source",
    "output_ext": "--ext takes .nii.gz, .nii or .png",
    "output_postfix": "pass --postfix TEXT",
    "overwrite": "pass --overwrite to replace existing results, or choose another OUT",
    "precision": "--precision takes fp32, bf16 or, on a GPU, fp16",
    "srresnet_path": "pass --srresnet FILE with the SRResNet that the SRGAN was trained from",
    "trust": "add --trust",
    "variant": "--variant takes srgan or srresnet",
}
"""Names of arguments that errors are about, and one line of help in terms of ``upscale``."""


def hint_for(error: BaseException, hints: Mapping[str, str] | None = None) -> str | None:
    """One line of help on an error, in terms of the command's own options.

    Args:
        error: an error as caught.
        hints: hints of a subcommand, which replace those of :data:`HINTS` of the same argument.

    Returns:
        the line; None where the error is not about an argument of the command.
    """
    argument = argument_of(error)
    return None if argument is None else {**HINTS, **(hints or {})}.get(argument)
