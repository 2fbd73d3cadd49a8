# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The training engine of SRGAN."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import Any

import torch
from monai.engines import AdversarialTrainer, Trainer
from monai.engines.utils import IterationEvents
from monai.utils import AdversarialIterationEvents, AdversarialKeys
from monai.utils.enums import CommonKeys as Keys
from torch.optim import Optimizer

from monai_srgan.engines.data_parallel import average_batch_norm, bare
from monai_srgan.losses.adversarial import AdversarialLoss
from monai_srgan.losses.feature_matching import FeatureMatchingLoss
from monai_srgan.precision import autocast, autocast_dtype, plain
from monai_srgan.processes import mean_over_processes

__all__ = ["SRGANTrainer", "step_losses"]


def step_losses(output: Any) -> dict[str, float]:
    """The named floats of a step of :class:`SRGANTrainer`, whether its output was decollated or not.

    Args:
        output: ``engine.state.output``; anything else than such a step's gives an empty dictionary.
    """
    if isinstance(output, list) and output:
        output = output[0]
    return {k: v for k, v in output.items() if isinstance(v, float)} if isinstance(output, dict) else {}


def _no_maps(network: torch.nn.Module) -> nullcontext[list[torch.Tensor]]:  # noqa: ARG001 - as FeatureMatchingLoss.maps_of
    return nullcontext([])


class SRGANTrainer(AdversarialTrainer):
    """Train a super-resolution generator, alone (SRResNet) or against a discriminator (SRGAN).

    One step minimises, in the generator (Ledig et al., arXiv 1609.04802, equation 3)::

        pixel_weight * pixel(SR, HR) + perceptual_weight * perceptual(SR, HR)
            + adversarial_weight * L_G(D(SR)) + feature_matching_weight * matching(D, SR, HR)

    with the discriminator frozen, and then the discriminator's own loss on HR (real) and detached SR (fake). The
    weights are ``engine.state.pixel_weight``, ``.perceptual_weight``, ``.adversarial_weight`` and
    ``.feature_matching_weight``; handlers move them. A term whose weight is 0 is not computed: while the adversarial
    weight is 0 the discriminator is neither run nor updated, nor are its features matched.

    It differs from MONAI's ``AdversarialTrainer``, whose events it keeps, in that the discriminator's real images are
    the HR targets (not the LR input), mixed precision follows the device, the generator's step leaves no gradient in
    the discriminator, and ``engine.state.output`` always holds the total ``loss``.

    ``engine.state.output`` after a step: tensors ``image`` (LR), ``label`` (HR), ``pred`` (SR, float32, without graph),
    and floats ``loss``, ``pixel_loss``, ``perceptual_loss``, ``adversarial_loss``, ``feature_matching_loss``,
    ``discriminator_loss``, ``d_real``, ``d_fake`` (mean probability that the discriminator gives to HR and SR); a term
    that was not computed is absent. By MONAI's convention (``decollate=True``) it is a list with one such dictionary an
    image, in which the floats are repeated; :func:`step_losses` reads both forms.

    In a job of many processes give networks that :func:`~monai_srgan.engines.data_parallel.data_parallel` has wrapped.
    Each process then steps on its own part of the batch, and the gradients are those of the whole batch. The floats of
    the output are means over the processes, so that a loss that is not finite stops all of them, and all or none skip
    the discriminator's update. What is no mean over images is taken over a process's own part: batch norm that is not
    synchronised, and the mean logits of the "relativistic_average" loss.

    Args:
        device: where to train.
        max_epochs: epochs to run.
        train_data_loader: batches with LR images ``image`` ``(B, C, h, w)`` and HR images ``label`` in [0, 1].
        g_network: generator, any module that enlarges.
        g_optimizer: optimiser of the generator.
        d_network: discriminator that gives raw logits.
        d_optimizer: optimiser of the discriminator.
        pixel_loss: callable of (SR, HR), such as ``torch.nn.L1Loss()``.
        perceptual_loss: callable of (SR, HR), such as ``PerceptualFeatureLoss`` or MONAI's ``PerceptualLoss``, or None.
        adversarial_loss: ``AdversarialLoss``; None is the default one.
        pixel_weight: weight of the pixel term at the start.
        perceptual_weight: weight of the perceptual term at the start.
        adversarial_weight: weight of the adversarial term at the start.
        feature_matching_weight: weight at the start of ``FeatureMatchingLoss``; it needs the discriminator's features
            of the HR images, about a tenth of a step more.
        adversarial_optimizer: optimiser of the generator on steps with an adversarial term; None: `g_optimizer` on all
            steps. What serves the pixel loss best need not serve against a discriminator.
        d_loss_floor: a batch on which the discriminator's loss is below this does not update it, so that it does not
            run away from the generator; 0 updates always.
        amp: mixed precision, bfloat16 on CPUs and where a GPU has it.
        channels_last: lay networks and batches out in channels-last order, faster with mixed precision.
        compile: run both networks through ``torch.compile``; state dicts stay those of the networks.
        kwargs: further arguments of ``AdversarialTrainer``, such as ``epoch_length``, ``train_handlers``,
            ``g_inferer``, ``amp_kwargs``.

    Raises:
        ValueError: when a weight is negative, or, while training, a perceptual weight comes without a perceptual loss.
        FloatingPointError: while training, when a loss is NaN or infinite.
    """

    def __init__(
        self,
        device: torch.device | str,
        max_epochs: int,
        train_data_loader: Iterable,
        g_network: torch.nn.Module,
        g_optimizer: Optimizer,
        d_network: torch.nn.Module,
        d_optimizer: Optimizer,
        pixel_loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
        perceptual_loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] | None = None,
        adversarial_loss: AdversarialLoss | None = None,
        pixel_weight: float = 1.0,
        perceptual_weight: float = 0.0,
        adversarial_weight: float = 0.0,
        feature_matching_weight: float = 0.0,
        adversarial_optimizer: Optimizer | None = None,
        d_loss_floor: float = 0.0,
        amp: bool = False,
        channels_last: bool = False,
        compile: bool = False,
        **kwargs: Any,
    ) -> None:
        weights = {
            "pixel": pixel_weight,
            "perceptual": perceptual_weight,
            "adversarial": adversarial_weight,
            "feature_matching": feature_matching_weight,
        }
        for name, weight in weights.items():
            if not weight >= 0:
                raise ValueError(f"{name}_weight must not be negative, got {weight}")
        self.adversarial_loss = adversarial_loss or AdversarialLoss()
        self.perceptual_loss = perceptual_loss
        self.feature_matching_loss = FeatureMatchingLoss()
        self.adversarial_optimizer = adversarial_optimizer or g_optimizer
        self.d_loss_floor = d_loss_floor
        self.channels_last = channels_last
        super().__init__(
            device=device,
            max_epochs=max_epochs,
            train_data_loader=train_data_loader,
            g_network=g_network,
            g_optimizer=g_optimizer,
            g_loss_function=self.adversarial_loss.generator,
            recon_loss_function=pixel_loss,
            d_network=d_network,
            d_optimizer=d_optimizer,
            d_loss_function=self.adversarial_loss.discriminator,
            amp=False,  # the base class would build CUDA's gradient scalers whatever the device
            **kwargs,
        )
        self.amp = amp
        # The base class would pickle whole networks into the engine's state; handlers.TrainerState keeps the position,
        # and checkpoints hold state dicts of the networks and optimisers beside it.
        self._state_dict_user_keys.clear()
        if (
            amp
            and self.state.device.type == "cuda"
            and autocast_dtype(self.state.device, self.amp_kwargs) == torch.float16
        ):
            self.state.g_scaler = torch.amp.GradScaler("cuda")
            self.state.d_scaler = torch.amp.GradScaler("cuda")
        for name, weight in weights.items():
            setattr(self.state, f"{name}_weight", weight)
        for network in (g_network, d_network):
            if channels_last:
                network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
            if compile:
                bare(network).compile()

    def run(self) -> None:
        """Train until ``max_epochs``."""
        super(Trainer, self).run()  # MONAI's Trainer.run would build one more CUDA gradient scaler

    def _autocast(self) -> torch.autocast:
        return autocast(self.state.device, self.amp, self.amp_kwargs)

    def _require_finite(self, output: dict[str, Any], player: str) -> None:
        """Stop before a loss that is NaN or infinite reaches a player's weights."""
        broken = [f"{k} = {v}" for k, v in output.items() if isinstance(v, float) and not math.isfinite(v)]
        if broken:
            raise FloatingPointError(
                f"training stopped at iteration {self.state.iteration}, before the {player}'s step: "
                f"{', '.join(broken)}. Lower the learning rate or the term's weight, or train with amp=False; "
                "earlier checkpoints are intact"
            )

    def _backward_and_step(self, loss: torch.Tensor, optimizer: Optimizer, scaler: Any, completed: Any) -> None:
        """One optimiser step, through the gradient scaler where there is one."""
        if scaler is None:
            loss.backward()
            self.fire_event(completed)
            optimizer.step()
            return
        scaler.scale(loss).backward()
        self.fire_event(completed)
        scaler.step(optimizer)
        scaler.update()

    def _iteration(self, engine: Any, batchdata: dict[str, torch.Tensor]) -> Any:
        """One step of the generator and, where its weight is not 0, one of the discriminator.

        Raises:
            ValueError: when there is no batch, its SR and HR shapes differ, or a weighted term has no loss.
        """
        if batchdata is None:
            raise ValueError("batchdata must be a batch of LR and HR images, got None")
        state = engine.state
        prepared = engine.prepare_batch(batchdata, state.device, engine.non_blocking, **engine.to_kwargs)
        lr, hr, args, kwargs = prepared if len(prepared) == 4 else (*prepared, (), {})
        lr, hr = plain(lr, engine.channels_last), plain(hr, engine.channels_last)
        output: dict[str, Any] = {Keys.IMAGE: lr, Keys.LABEL: hr, AdversarialKeys.REALS: hr}
        state.output = output
        adversarial = state.adversarial_weight > 0
        if state.perceptual_weight > 0 and engine.perceptual_loss is None:
            raise ValueError(
                f"perceptual_weight is {state.perceptual_weight} but perceptual_loss is None: give one, or 0"
            )

        # 1. Generator, with the discriminator frozen.
        optimizer = engine.adversarial_optimizer if adversarial else state.g_optimizer
        state.g_network.train()
        state.d_network.requires_grad_(False)
        optimizer.zero_grad(set_to_none=True)
        with engine._autocast():
            sr = engine.g_inferer(lr, state.g_network, *args, **kwargs).float()
        if sr.shape != hr.shape:
            raise ValueError(
                f"the generator gave {tuple(sr.shape)} for HR images of {tuple(hr.shape)}: check its scale"
            )
        output[Keys.PRED] = output[AdversarialKeys.FAKES] = sr.detach()
        engine.fire_event(AdversarialIterationEvents.GENERATOR_FORWARD_COMPLETED)
        engine.fire_event(IterationEvents.FORWARD_COMPLETED)

        pixel = state.recon_loss_function(sr, hr)
        loss = state.pixel_weight * pixel
        output["pixel_loss"] = pixel.item()
        engine.fire_event(AdversarialIterationEvents.RECONSTRUCTION_LOSS_COMPLETED)
        if state.perceptual_weight > 0:
            with engine._autocast():
                perceptual = engine.perceptual_loss(sr, hr)
            loss = loss + state.perceptual_weight * perceptual
            output["perceptual_loss"] = perceptual.item()
        if adversarial:
            state.d_network.train()
            judge = bare(state.d_network)  # frozen: DDP would prepare for gradients that never come
            matching = state.feature_matching_weight > 0
            real_logits, maps = None, engine.feature_matching_loss.maps_of if matching else _no_maps
            with engine._autocast():
                with maps(judge) as fake_maps:
                    fake_logits = engine.d_inferer(sr, judge)
                if matching or engine.adversarial_loss.generator_needs_real:
                    with torch.no_grad(), maps(judge) as real_maps:
                        real_logits = engine.d_inferer(hr, judge)
            engine.fire_event(AdversarialIterationEvents.GENERATOR_DISCRIMINATOR_FORWARD_COMPLETED)
            against = engine.adversarial_loss.generator(fake_logits, real_logits)
            loss = loss + state.adversarial_weight * against
            output["adversarial_loss"] = against.item()
            if matching:
                match = engine.feature_matching_loss(fake_maps, real_maps)
                loss = loss + state.feature_matching_weight * match
                output["feature_matching_loss"] = match.item()
            engine.fire_event(AdversarialIterationEvents.GENERATOR_LOSS_COMPLETED)
        output[Keys.LOSS] = loss.item()
        output.update(mean_over_processes(step_losses(output), state.device))
        engine._require_finite(output, "generator")
        engine.fire_event(IterationEvents.LOSS_COMPLETED)
        engine._backward_and_step(
            loss, optimizer, state.g_scaler, AdversarialIterationEvents.GENERATOR_BACKWARD_COMPLETED
        )
        average_batch_norm(state.g_network)
        engine.fire_event(AdversarialIterationEvents.GENERATOR_MODEL_COMPLETED)

        # 2. Discriminator, on HR as real and detached SR as fake.
        if adversarial:
            state.d_network.requires_grad_(True)
            state.d_optimizer.zero_grad(set_to_none=True)
            with engine._autocast():
                real_logits = engine.d_inferer(hr, state.d_network)
                engine.fire_event(AdversarialIterationEvents.DISCRIMINATOR_REALS_FORWARD_COMPLETED)
                fake_logits = engine.d_inferer(sr.detach(), state.d_network)
                engine.fire_event(AdversarialIterationEvents.DISCRIMINATOR_FAKES_FORWARD_COMPLETED)
            output[AdversarialKeys.REAL_LOGITS] = real_logits.detach()
            output[AdversarialKeys.FAKE_LOGITS] = fake_logits.detach()
            d_loss = state.d_loss_function(real_logits, fake_logits)
            judged = {
                "discriminator_loss": d_loss.item(),
                "d_real": torch.sigmoid(real_logits.detach().float()).mean().item(),
                "d_fake": torch.sigmoid(fake_logits.detach().float()).mean().item(),
            }
            output.update(mean_over_processes(judged, state.device))
            engine._require_finite(output, "discriminator")
            engine.fire_event(AdversarialIterationEvents.DISCRIMINATOR_LOSS_COMPLETED)
            if output["discriminator_loss"] >= engine.d_loss_floor:
                engine._backward_and_step(
                    d_loss,
                    state.d_optimizer,
                    state.d_scaler,
                    AdversarialIterationEvents.DISCRIMINATOR_BACKWARD_COMPLETED,
                )
            average_batch_norm(state.d_network)
            engine.fire_event(AdversarialIterationEvents.DISCRIMINATOR_MODEL_COMPLETED)
        engine.fire_event(IterationEvents.MODEL_COMPLETED)
        return state.output  # decollated by now, where that was asked for
