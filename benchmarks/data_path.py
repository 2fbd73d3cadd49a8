# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Time to make a training batch, and its share of a training step, for the bundle's data path and alternatives.

The step is that of the SRResNet phase, which is shorter than the adversarial one. The alternatives make equivalent
batches of LR and HR crops with flips and rotations: one with MONAI's own transforms on cached slices, one with the
bundle's transforms that decodes the file each time. Uses the slices in the folder MONAI_SRGAN_DATA, else phantoms in a
temporary folder.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from harness import alternate, arguments, report
from monai.bundle import ConfigParser
from monai.data import CacheDataset, DataLoader, Dataset
from monai.transforms import (
    Compose,
    CopyItemsd,
    DeleteItemsd,
    FgBgToIndicesd,
    GaussianSmoothd,
    RandCropByPosNegLabeld,
    RandFlipd,
    RandRotate90d,
    Resized,
)
from monai.utils import set_determinism
from slices import slice_files

from monai_srgan.data import SeededItems, ShuffledStream
from monai_srgan.engines import SRGANTrainer
from monai_srgan.precision import has_fast_autocast

_CONFIG = Path(__file__).parents[1] / "bundle" / "configs" / "train.json"
_SLICES = 64  # all are cached; the time per batch does not depend on the number


def main() -> None:
    parser = arguments(__doc__, rounds=21)
    args = parser.parse_args()
    set_determinism(seed=0)
    config = ConfigParser()
    config.read_config(str(_CONFIG))
    config.update({"bundle_root": str(_CONFIG.parents[1]), "epoch_length": 1, "varied": 0.0})
    load = config.get_parsed_content("load_slice")
    crop = [config.get_parsed_content(f"train#{name}") for name in ("ensure", "crop", "flip")]
    path = Compose([*load, *crop, config.get_parsed_content("degrade")])
    with slice_files(_SLICES) as (files, source):
        items = [{"image": file} for file in files]
        methods: dict[str, Callable[[], Any]] = {
            "bundle": stream(CacheDataset(items, path, copy_cache=False, progress=False)),
            "MONAI's transforms, cached": shuffled(
                CacheDataset(items, Compose([*load, *monai_transforms()]), copy_cache=False, progress=False)
            ),
            "bundle's transforms, file decoded each time": stream(Dataset(items, path)),
            "training step, SRResNet phase": step(config, stream(Dataset(items, path))()),
        }
        timings = alternate(methods, rounds=args.rounds, warmup=2)
    unit = timings["training step, SRResNet phase"].median_s
    facts = {
        "data": source,
        "share of a step": {name: f"{timing.median_s / unit:.1%}" for name, timing in timings.items()},
    }
    report("A training batch of 16 pairs, HR 96x96", timings, ours="bundle", facts=facts, json_path=args.json)


def stream(dataset: Any) -> Callable[[], Any]:
    """Function that returns the next batch of the bundle's seeded stream."""
    order = ShuffledStream(length=len(dataset), batch_size=16, iterations=10**6)
    batches = iter(DataLoader(SeededItems(dataset), batch_sampler=order, num_workers=0))
    return lambda: next(batches)


def shuffled(dataset: Any) -> Callable[[], Any]:
    """Function that returns the next batch of a shuffled loader, which restarts forever."""
    loader = DataLoader(dataset, batch_size=16, shuffle=True, num_workers=0)
    batches = itertools.chain.from_iterable(iter(lambda: loader, None))
    return lambda: next(batches)


def monai_transforms() -> list[Any]:
    """Crop, flips, rotation, Gaussian blur and bicubic resize with MONAI only; tumor pixels are found once."""
    keys = ["image", "mask"]
    return [
        FgBgToIndicesd("mask"),
        RandCropByPosNegLabeld(
            keys,
            label_key="mask",
            spatial_size=(96, 96),
            num_samples=1,
            fg_indices_key="mask_fg_indices",
            bg_indices_key="mask_bg_indices",
        ),
        DeleteItemsd(["mask_fg_indices", "mask_bg_indices"]),
        RandFlipd(keys, prob=0.5, spatial_axis=0),
        RandFlipd(keys, prob=0.5, spatial_axis=1),
        RandRotate90d(keys, prob=0.5),
        CopyItemsd("image", names="label"),
        GaussianSmoothd("image", sigma=1.5),
        Resized("image", spatial_size=(24, 24), mode="bicubic"),
    ]


def step(config: ConfigParser, batch: dict[str, torch.Tensor]) -> Callable[[], Any]:
    """Function that trains for one epoch of one step."""
    network = config.get_parsed_content("network_def")
    discriminator = config.get_parsed_content("discriminator_def")
    trainer = SRGANTrainer(
        device="cpu",
        max_epochs=1,
        train_data_loader=[batch],
        g_network=network,
        g_optimizer=torch.optim.Adam(network.parameters(), fused=True),
        d_network=discriminator,
        d_optimizer=torch.optim.Adam(discriminator.parameters(), fused=True),
        pixel_loss=torch.nn.L1Loss(),
        amp=has_fast_autocast(torch.device("cpu")),
        channels_last=True,
        decollate=False,
    )
    return trainer.run


if __name__ == "__main__":
    main()
