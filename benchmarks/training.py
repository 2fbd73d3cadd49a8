# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Time of a training iteration: SRGANTrainer against MONAI's AdversarialTrainer, in both phases.

All use the same generator (16 blocks of 64 channels, no batch norm, bicubic residual), discriminator, batch and loss
terms. MONAI's trainer passes the network's input to the discriminator as the real image; here its input is the HR
images, and its inferer passes the LR images to the generator, so that it trains the same networks. It runs in float32,
since its mixed precision is for CUDA only, and with torch's default Adam. In the SRResNet phase the adversarial weight
is 0. MONAI's AdversarialTrainer still trains the discriminator then, so MONAI's SupervisedTrainer is measured too.

``--perceptual`` adds the bundle's feature loss to the adversarial phase of all trainers.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from harness import alternate, arguments, report
from monai.engines import AdversarialTrainer, SupervisedTrainer
from monai.inferers import Inferer
from plain_srresnet import PlainSRResNet

from monai_srgan.engines import SRGANTrainer, step_losses
from monai_srgan.losses import AdversarialLoss, PerceptualFeatureLoss
from monai_srgan.networks import MRIFeatures, SRGANDiscriminator, SRResNet
from monai_srgan.networks.slope_prelu import SlopePReLU
from monai_srgan.precision import has_fast_autocast

_FEATURES = Path(__file__).parents[1] / "bundle" / "models" / "features" / "mri_features.pt"
_RATE = 1e-4
_ADVERSARIAL, _PERCEPTUAL = 0.01, 0.1

Step = Callable[[], Any]


def main() -> None:
    parser = arguments(__doc__, rounds=9)
    parser.add_argument("--batch", type=int, default=16, help="crops in a batch (default: %(default)s)")
    parser.add_argument("--crop", type=int, default=96, help="side of the HR crops (default: %(default)s)")
    parser.add_argument("--perceptual", action="store_true", help="with the feature loss")
    parser.add_argument("--ablate", action="store_true", help="also without one optimization at a time")
    parser.add_argument("--compile", action="store_true", help="also with torch.compile")
    args = parser.parse_args()
    torch.manual_seed(0)
    hr = torch.rand(args.batch, 1, args.crop, args.crop)
    batch = {"image": torch.nn.functional.avg_pool2d(hr, 4), "label": hr}
    features = PerceptualFeatureLoss(MRIFeatures(weights=_FEATURES)) if args.perceptual else None
    amp = has_fast_autocast(torch.device("cpu"))

    for phase, weight in {"SRResNet": 0.0, "adversarial": _ADVERSARIAL}.items():
        terms = (weight, features if weight else None)
        steps: dict[str, Step] = {
            "SRGANTrainer": ours(batch, *terms, amp=amp),
            "SRGANTrainer, float32": ours(batch, *terms, amp=False),
            "MONAI AdversarialTrainer, same networks": monais(batch, *terms, plain=False),
            "MONAI AdversarialTrainer, textbook generator": monais(batch, *terms, plain=True),
        }
        if args.ablate:
            steps["SRGANTrainer, plain layout"] = ours(batch, *terms, amp=amp, channels_last=False)
            steps["SRGANTrainer, torch's default Adam"] = ours(batch, *terms, amp=amp, fused=False)
            steps["SRGANTrainer, textbook generator"] = ours(batch, *terms, amp=amp, g=generator(plain=True))
            steps["SRGANTrainer, torch's PReLU"] = ours(batch, *terms, amp=amp, g=with_torchs_prelu())
        if args.compile:
            steps["SRGANTrainer, compiled"] = ours(batch, *terms, amp=amp, compile=True)
        if not weight:
            steps["MONAI SupervisedTrainer, same networks"] = supervised(batch)
        first = {name: step() for name, step in steps.items()}
        timings = alternate(steps, rounds=args.rounds)
        facts = {"losses of the first step": first}
        title = f"An iteration of the {phase} phase, batch {args.batch} of {args.crop}x{args.crop}, bfloat16: {amp}"
        json_path = args.json and args.json.with_name(f"{args.json.stem}_{phase.lower()}{args.json.suffix}")
        report(title, timings, ours="SRGANTrainer", facts=facts, json_path=json_path)


def generator(plain: bool = False) -> torch.nn.Module:
    torch.manual_seed(1)
    network = SRResNet(norm=None, global_residual="bicubic")
    torch.nn.init.normal_(network.tail.weight, std=0.01)
    if not plain:
        return network
    textbook = PlainSRResNet(norm=None, global_residual="bicubic")
    textbook.load_state_dict(network.state_dict())
    return textbook


def discriminator() -> SRGANDiscriminator:
    torch.manual_seed(2)
    return SRGANDiscriminator(in_channels=1)


def adam(network: torch.nn.Module, **kwargs: Any) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), _RATE, **kwargs)


def with_torchs_prelu() -> torch.nn.Module:
    network = generator()
    for module in list(network.modules()):
        for name, child in module.named_children():
            if isinstance(child, SlopePReLU):
                prelu = torch.nn.PReLU()
                prelu.load_state_dict(child.state_dict())
                setattr(module, name, prelu)
    return network


def ours(
    batch: dict[str, torch.Tensor],
    weight: float,
    features: Any,
    *,
    amp: bool,
    channels_last: bool = True,
    fused: bool = True,
    compile: bool = False,
    g: torch.nn.Module | None = None,
) -> Step:
    g, d = g or generator(), discriminator()
    trainer = SRGANTrainer(
        device="cpu",
        max_epochs=1,
        train_data_loader=[batch],
        g_network=g,
        g_optimizer=adam(g, fused=fused),
        d_network=d,
        d_optimizer=adam(d, fused=fused),
        pixel_loss=torch.nn.L1Loss(),
        perceptual_loss=features,
        perceptual_weight=_PERCEPTUAL if features else 0.0,
        adversarial_weight=weight,
        amp=amp,
        channels_last=channels_last,
        compile=compile,
        decollate=False,
    )

    def step() -> dict[str, float]:
        losses = step_losses(trainer._iteration(trainer, batch))
        return {k: losses[k] for k in ("pixel_loss", "adversarial_loss", "discriminator_loss") if k in losses}

    return step


class _FromLR(Inferer):
    """Run the generator on the LR images instead of the engine's input."""

    def __init__(self, lr: torch.Tensor) -> None:
        super().__init__()
        self.lr = lr

    def __call__(self, inputs: torch.Tensor, network: Callable[..., torch.Tensor], *_: Any, **__: Any) -> torch.Tensor:
        del inputs
        return network(self.lr)


def monais(batch: dict[str, torch.Tensor], weight: float, features: Any, *, plain: bool) -> Step:
    g, d = generator(plain), discriminator()
    pixel, adversarial = torch.nn.L1Loss(), AdversarialLoss()
    found: dict[str, float] = {}

    def content(sr: torch.Tensor, hr: torch.Tensor) -> torch.Tensor:
        loss = pixel(sr, hr)
        found["pixel_loss"] = loss.item()
        return loss if features is None else loss + _PERCEPTUAL * features(sr, hr)

    def generator_loss(logits: torch.Tensor) -> torch.Tensor:
        loss = adversarial.generator(logits)
        found["adversarial_loss"] = loss.item()
        return weight * loss

    def discriminator_loss(real: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
        loss = adversarial.discriminator(real, fake)
        found["discriminator_loss"] = loss.item()
        return loss

    trainer = AdversarialTrainer(
        device=torch.device("cpu"),
        max_epochs=1,
        train_data_loader=[batch],
        g_network=g,
        g_optimizer=adam(g),
        g_loss_function=generator_loss,
        recon_loss_function=content,
        d_network=d,
        d_optimizer=adam(d),
        d_loss_function=discriminator_loss,
        g_inferer=_FromLR(batch["image"]),
        decollate=False,
        optim_set_to_none=True,
    )
    hr_batch = {"image": batch["label"], "label": batch["label"]}

    def step() -> dict[str, float]:
        trainer._iteration(trainer, hr_batch)
        return dict(found)

    return step


def supervised(batch: dict[str, torch.Tensor]) -> Step:
    g = generator()
    trainer = SupervisedTrainer(
        device=torch.device("cpu"),
        max_epochs=1,
        train_data_loader=[batch],
        network=g,
        optimizer=adam(g),
        loss_function=torch.nn.L1Loss(),
        decollate=False,
        optim_set_to_none=True,
    )
    return lambda: {"pixel_loss": trainer._iteration(trainer, copy.copy(batch))["loss"].item()}


if __name__ == "__main__":
    main()
