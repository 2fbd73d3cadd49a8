# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A MONAI Label app with one task, super-resolution with the bundle, whose options each request can set.

Start it with ``monailabel start_server --app label_app --studies FOLDER``; ``--conf bundle FOLDER`` serves another copy
of the bundle than the installed one. MONAI's stock app ``monaibundle`` serves the bundle too, without options.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import MetaTensor
from monai.inferers import Inferer
from monailabel.interfaces.app import MONAILabelApp
from monailabel.interfaces.tasks.infer_v2 import InferTask, InferType
from monailabel.tasks.infer.bundle import BundleInferTask

from monai_srgan import __version__
from monai_srgan.bundling import VARIANTS, find_srresnet, installed_bundle, pretrained_weights
from monai_srgan.networks import read_network_weights
from monai_srgan.transforms import measurement_record, restore_nifti_geometry

logger = logging.getLogger(__name__)

NAME = "super_resolution"


class SuperResolutionApp(MONAILabelApp):
    """The app: MONAI Label loads the module's first direct subclass of ``MONAILabelApp``."""

    def __init__(self, app_dir: str, studies: str, conf: dict[str, str]) -> None:
        self.bundle = str(Path(conf["bundle"]).expanduser() if conf.get("bundle") else installed_bundle())
        super().__init__(
            app_dir=app_dir,
            studies=studies,
            conf=conf,
            name=f"monai_srgan ({__version__})",
            description="Super-resolution of brain MRI by 4 in plane. For research only, not for diagnosis.",
            version=__version__,
        )

    def init_infers(self) -> dict[str, InferTask]:
        """The app's only task."""
        return {NAME: SuperResolution(self.bundle, self.conf)}


class SuperResolution(BundleInferTask):
    """The bundle's inference, with the weights and the consistency projection that a request sets.

    Request options: ``variant`` (srgan, srresnet), ``blend`` (share in [0, 1] of the variant's weights, the rest
    from srresnet; empty for the variant alone), ``consistency`` (true or false).

    Args:
        path: folder of the bundle.
        conf: the server's ``--conf`` pairs.
    """

    def __init__(self, path: str, conf: dict[str, str]) -> None:
        self._loaded: dict[tuple[str, str, float | None], torch.nn.Module] = {}
        # OTHERS, because Slicer and OHIF show the result of a segmentation task as a label map
        super().__init__(path, conf, type=InferType.OTHERS, load_strict=True)
        if not self.is_valid():
            raise ValueError(
                f"{path} is not a bundle with configs/inference.json and models/model.pt: pass --conf bundle DIR"
            )
        self._config.update({"variant": list(VARIANTS), "blend": "", "consistency": True})

    def _get_network(self, device: str, data: Mapping[str, Any] | None) -> torch.nn.Module:
        """The network with the weights of a request; the latest one is cached."""
        options = data or {}  # None when the server loads models at startup
        variant = options.get("variant", VARIANTS)
        variant = variant if isinstance(variant, str) else variant[0]  # if not set: all names, the default first
        blend = None if options.get("blend") in ("", None) else float(options["blend"])
        key = (device, variant, blend)
        if key not in self._loaded:
            path = pretrained_weights(self.bundle_path, variant)
            network = copy.deepcopy(self.network)
            weights = read_network_weights(network, path, blend=blend, blend_path=find_srresnet(path))
            network.load_state_dict(weights)
            self._loaded = {key: network.to(torch.device(device)).eval()}
            logger.info("weights: %s, blend %s", path, blend)
        return self._loaded[key]

    def inferer(self, data: Mapping[str, Any] | None = None) -> Inferer:
        """The bundle's inferer, with or without the consistency projection."""
        consistency = (data or {}).get("consistency", True)
        if not isinstance(consistency, bool):
            raise ValueError(f"consistency must be true or false, got {consistency!r}")
        self.bundle_config["consistency"] = consistency
        return super().inferer(data)

    def writer(self, data: dict[str, Any], extension: str | None = None, dtype: Any = None) -> tuple[Any, Any]:
        """Write the result, and tell in its parameters how the image is assumed to have been measured.

        Values are rounded and clipped before a conversion to integers: the server's writer truncates, and they would
        wrap around.
        """
        target = np.dtype(dtype or data.get("result_dtype") or np.float32)
        if target.kind in "iu":
            limits = np.iinfo(target)
            data[self.output_label_key] = (
                torch.as_tensor(data[self.output_label_key]).round().clamp(limits.min, limits.max)
            )
        file, params = super().writer(data, extension, dtype)
        result = data.get(self.output_label_key)
        if isinstance(result, MetaTensor) and str(file).endswith((".nii", ".nii.gz")):
            restore_nifti_geometry(file, result.meta)  # the server writes one affine, as scanner coordinates
        record = measurement_record(result.meta) if isinstance(result, MetaTensor) else {}
        return file, {**params, **({"measurement": record} if record else {})}
