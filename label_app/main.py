# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""A MONAI Label app with one task, super-resolution with the bundle, whose options each request can set.

Start it with ``monailabel start_server --app label_app --studies FOLDER``; ``--conf bundle FOLDER`` serves another copy
of the bundle than the installed one. MONAI's stock app ``monaibundle`` serves the bundle too, without options.
"""

from __future__ import annotations

import copy
import logging
import math
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from fastapi import HTTPException
from monai.data import MetaTensor
from monai.inferers import Inferer
from monailabel.interfaces.app import MONAILabelApp
from monailabel.interfaces.exception import MONAILabelException
from monailabel.interfaces.tasks.infer_v2 import InferTask, InferType
from monailabel.tasks.infer.bundle import BundleInferTask

from monai_srgan import __version__
from monai_srgan.bundling import VARIANTS, find_srresnet, installed_bundle, pretrained_weights
from monai_srgan.json_text import parse_json
from monai_srgan.networks import read_network_weights
from monai_srgan.physics import Measurement, read_measurement
from monai_srgan.root_cause import root_cause
from monai_srgan.transforms import AssumeMeasurementd, measurement_record, restore_nifti_geometry

logger = logging.getLogger(__name__)

NAME = "super_resolution"


class Options(NamedTuple):  # no dataclass: MONAI Label's loader does not register this module, which those need
    """What a request sets.

    Attributes:
        variant: "srgan" or "srresnet".
        blend: share in [0, 1] of the variant's weights, the rest from srresnet; None for the variant alone.
        consistency: whether the result is projected onto the image.
        measurement: how the image was measured; None to estimate it.
        dtype: of the result.
    """

    variant: str
    blend: float | None
    consistency: bool
    measurement: Measurement | None
    dtype: np.dtype

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> Options:
        """Check the options of a request.

        Raises:
            ValueError: an option makes no sense; the message names it.
        """
        variant = request.get("variant", list(VARIANTS))
        if variant == list(VARIANTS):  # not set: all names, the default first
            variant = VARIANTS[0]
        if not isinstance(variant, str) or variant not in VARIANTS:
            raise ValueError(f"variant must be one of {', '.join(VARIANTS)}, got {variant!r}")
        consistency = request.get("consistency", True)
        if not isinstance(consistency, bool):
            raise ValueError(f"consistency must be true or false, got {consistency!r}")
        return cls(
            variant,
            _share(request.get("blend")),
            consistency,
            _measurement(request.get("measurement")),
            _dtype(request.get("result_dtype")),
        )


def _share(blend: Any) -> float | None:
    if blend in ("", None):
        return None
    try:
        share = math.nan if isinstance(blend, bool) else float(blend)
    except (TypeError, ValueError):
        share = math.nan
    if not 0 <= share <= 1:
        raise ValueError(f"blend must be a number in [0, 1] or empty, got {blend!r}")
    return share


def _measurement(value: Any) -> Measurement | None:
    """A record as an object or as text; no path, since a client must not choose files of the server."""
    if value in ("", "auto", None):
        return None
    record = parse_json(value) if isinstance(value, str) and value.lstrip().startswith("{") else value
    if not isinstance(record, Mapping):
        raise ValueError(f'measurement must be auto or a record such as {{"kernel": "gaussian"}}, got {value!r}')
    return read_measurement(dict(record))


def _dtype(name: Any) -> np.dtype:
    try:
        dtype = np.dtype(name or np.float32)
    except TypeError:
        dtype = np.dtype(object)
    if dtype.kind not in "iuf":
        raise ValueError(f"result_dtype must be a type of numbers, such as int16 or float32, got {name!r}")
    return dtype


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

    def infer(self, request: Mapping[str, Any], datastore: Any = None) -> Any:
        """Answer a request.

        Raises:
            HTTPException: with the reason: 404 for a model or image that the server does not have, 400 for options or
                an image that cannot be used. The server would answer "Internal Server Error" to any other exception.
        """
        try:
            if request.get("model") == NAME:
                Options.of(request)
            self._require_image(request.get("image"), datastore or self.datastore())
            return super().infer(request, datastore)
        except MONAILabelException as error:
            raise HTTPException(404, detail=str(error.msg)) from error
        except Exception as error:
            cause = root_cause(error)
            if isinstance(cause, ValueError | FileNotFoundError):
                raise HTTPException(400, detail=str(cause)) from error
            raise

    @staticmethod
    def _require_image(image: Any, datastore: Any) -> None:
        """The server takes an unknown image for the folder that it runs in."""
        if isinstance(image, str) and not Path(image).exists() and not datastore.get_image_uri(image):
            raise HTTPException(404, detail=f"there is no image {image!r} among the studies")


class SuperResolution(BundleInferTask):
    """The bundle's inference, with the weights and the consistency projection that a request sets.

    Request options are those of :class:`Options`. Requests may be answered in parallel: none changes what another one
    sees.

    Args:
        path: folder of the bundle.
        conf: the server's ``--conf`` pairs.
    """

    def __init__(self, path: str, conf: dict[str, str]) -> None:
        self._loaded: dict[tuple[str, str, float | None], torch.nn.Module] = {}
        self._loading = threading.Lock()
        # OTHERS, because Slicer and OHIF show the result of a segmentation task as a label map
        super().__init__(path, conf, type=InferType.OTHERS, load_strict=True)
        if not self.is_valid():
            raise ValueError(
                f"{path} is not a bundle with configs/inference.json and models/model.pt: pass --conf bundle DIR"
            )
        self._config.update({"variant": list(VARIANTS), "blend": "", "consistency": True, "measurement": "auto"})

    def _get_network(self, device: str, data: Mapping[str, Any] | None) -> torch.nn.Module:
        """The network with the weights of a request; the latest one is cached."""
        options = Options.of(data or {})  # None when the server loads models at startup
        key = (device, options.variant, options.blend)
        with self._loading:
            network = self._loaded.get(key)
            if network is None:
                path = pretrained_weights(self.bundle_path, options.variant)
                network = copy.deepcopy(self.network)
                weights = read_network_weights(network, path, blend=options.blend, blend_path=find_srresnet(path))
                network.load_state_dict(weights)
                network.to(torch.device(device)).eval()
                self._loaded = {key: network}
                logger.info("weights: %s, blend %s", path, options.blend)
        return network

    def pre_transforms(self, data: Mapping[str, Any] | None = None) -> list[Any]:
        """The bundle's transforms, told the measurement of a request."""
        told = Options.of(data or {}).measurement
        found = list(super().pre_transforms(data))
        if told is None:
            return found
        return [AssumeMeasurementd(t.keys, told) if isinstance(t, AssumeMeasurementd) else t for t in found]

    def inferer(self, data: Mapping[str, Any] | None = None) -> Inferer:
        """The bundle's inferer, with or without the consistency projection."""
        inferer = copy.copy(super().inferer(data))  # the config's own is the same object for all requests
        inferer.consistency = Options.of(data or {}).consistency
        return inferer

    def writer(self, data: dict[str, Any], extension: str | None = None, dtype: Any = None) -> tuple[Any, Any]:
        """Write the result, and tell in its parameters how the image is assumed to have been measured.

        Values are rounded and clipped before a conversion to integers: the server's writer truncates, and they would
        wrap around.
        """
        target = np.dtype(dtype) if dtype else Options.of(data).dtype
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
