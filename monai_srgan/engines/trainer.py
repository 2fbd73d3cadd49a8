# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The training engine of SRGAN."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
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
from monai_srgan.networks.finite_weights import non_finite
from monai_srgan.precision import autocast, autocast_dtype, plain
from monai_srgan.processes import mean_over_processes

__all__ = ["SRGANTrainer", "step_losses"]

_SHOWN = 8  # files of a batch in a message


def step_losses(output: Any) -> dict[str, float]:
    """The losses of one step of :class:`SRGANTrainer`: the named floats of its output, decollated or not.

    Args:
        output: ``engine.state.output``; the output of any other step gives an empty dictionary.
    """
    if isinstance(output, list) and output:
        output = output[0]
    return {k: v for k, v in output.items() if isinstance(v, float)} if isinstance(output, dict) else {}


class SRGANTrainer(AdversarialTrainer):
    """Train a super-resolution generator, alone (SRResNet) or against a discriminator (SRGAN).

    Each iteration has two steps. The generator step, with the discriminator frozen, minimizes (Ledig et al., arXiv
    1609.04802, equation 3)::

        pixel_weight * pixel(SR, HR) + perceptual_weight * perceptual(SR, HR)
            + adversarial_weight * L_G(D(SR)) + feature_matching_weight * matching(D, SR, HR)

    The discriminator step minimizes the discriminator's loss on HR (real) and detached SR (fake). The weights are
    ``engine.state.pixel_weight``, ``.perceptual_weight``, ``.adversarial_weight`` and ``.feature_matching_weight``;
    handlers schedule them. A term of weight 0 is not computed: while the adversarial weight is 0, the discriminator is
    neither run nor updated, and its features are not matched.

    The events are those of MONAI's ``AdversarialTrainer``. The differences: the real images are the HR targets (not the
    LR input), mixed precision follows the device, the generator step leaves no gradient in the discriminator, and
    ``engine.state.output`` always holds the total ``loss``.

    ``engine.state.output`` after an iteration: tensors ``image`` (LR), ``label`` (HR), ``pred`` (SR, float32, without
    graph), and floats ``loss``, ``pixel_loss``, ``perceptual_loss``, ``adversarial_loss``, ``feature_matching_loss``,
    ``discriminator_loss``, ``d_real``, ``d_fake`` (the discriminator's mean probability for HR and SR). Terms that were
    not computed are absent. By MONAI's convention (``decollate=True``) the output is a list with one such dictionary
    per image, each with the same floats; :func:`step_losses` reads both forms.

    Distributed training: pass networks wrapped by :func:`~monai_srgan.engines.data_parallel.data_parallel`. Each
    process trains on its own part of the batch, and DDP averages the gradients over the whole batch. The floats of the
    output are means over the processes. A loss that is not finite therefore stops all processes, and either all or none
    skip the discriminator update. Two things depend on a process's own part of the batch: batch norm that is not
    synchronized, and the mean logits of the "relativistic_average" loss.

    Args:
        device: training device.
        max_epochs: number of epochs.
        train_data_loader: batches with LR images ``image`` ``(B, C, h, w)`` and HR images ``label``
            ``(B, C, H, W)`` in [0, 1].
        g_network: generator, any module that maps ``image`` to the size of ``label``.
        g_optimizer: optimizer of the generator.
        d_network: discriminator that returns raw logits.
        d_optimizer: optimizer of the discriminator.
        pixel_loss: callable of (SR, HR), such as ``torch.nn.L1Loss()``.
        perceptual_loss: callable of (SR, HR), such as ``PerceptualFeatureLoss`` or MONAI's ``PerceptualLoss``, or None.
        adversarial_loss: ``AdversarialLoss``; None for its defaults.
        pixel_weight: initial weight of the pixel term.
        perceptual_weight: initial weight of the perceptual term.
        adversarial_weight: initial weight of the adversarial term.
        feature_matching_weight: initial weight of ``FeatureMatchingLoss``, which runs the discriminator on the HR
            images too: about a tenth more time per iteration.
        adversarial_optimizer: optimizer of the generator in iterations with an adversarial term; None for `g_optimizer`
            throughout. The best optimizer for the pixel loss is not always the best against a discriminator.
        certainty: callable of a batch's ``condition`` giving weights ``(B,)``, such as ``MeasurementCertainty``, which
            the gradients of the adversarial, perceptual and feature matching terms of each image are multiplied by;
            None, or a batch without a condition, weighs all images alike.
        d_loss_floor: skip the discriminator update where its loss is below this, so that it does not outrun the
            generator; 0 never skips.
        amp: mixed precision: bfloat16 on CPUs and on GPUs that have it, else float16.
        channels_last: use the channels-last memory format for networks and batches; faster with mixed precision.
        compile: run both networks through ``torch.compile``; the keys of their state dicts do not change.
        kwargs: further arguments of ``AdversarialTrainer``, such as ``epoch_length``, ``train_handlers``,
            ``g_inferer``, ``amp_kwargs``.

    Raises:
        ValueError: when a weight is negative, NaN or infinite.
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
        certainty: Callable[[torch.Tensor], torch.Tensor] | None = None,
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
            if not math.isfinite(weight):
                raise ValueError(f"{name}_weight must be finite, got {weight}")
        self.adversarial_loss = adversarial_loss or AdversarialLoss()
        self.perceptual_loss = perceptual_loss
        self.feature_matching_loss = FeatureMatchingLoss()
        self.adversarial_optimizer = adversarial_optimizer or g_optimizer
        self.certainty = certainty
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
        # The base class would pickle whole networks into the engine's state. Checkpoints hold state dicts instead, and
        # handlers.TrainerState the position.
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
        super(Trainer, self).run()  # MONAI's Trainer.run would build another CUDA gradient scaler

    def _iteration(self, engine: Any, batchdata: dict[str, torch.Tensor]) -> Any:  # noqa: ARG002 - engine is self
        """Generator step, then discriminator step where the adversarial weight is not 0.

        Raises:
            ValueError: when there is no batch, SR and HR have different shapes, or the perceptual weight is not 0 and
                there is no perceptual loss.
            FloatingPointError: when a loss is NaN or infinite, or weights are after their update.
        """
        if batchdata is None:
            raise ValueError("batchdata must be a batch of LR and HR images, got None")
        prepared = self.prepare_batch(batchdata, self.state.device, self.non_blocking, **self.to_kwargs)
        lr, hr, args, kwargs = prepared if len(prepared) == 4 else (*prepared, (), {})
        lr, hr = plain(lr, self.channels_last), plain(hr, self.channels_last)
        self.state.output = {Keys.IMAGE: lr, Keys.LABEL: hr, AdversarialKeys.REALS: hr}

        sr = self._generator_step(lr, hr, args, kwargs)
        if self.state.adversarial_weight > 0:
            self._discriminator_step(hr, sr)
        self.fire_event(IterationEvents.MODEL_COMPLETED)
        return self.state.output  # a handler of MODEL_COMPLETED may have decollated it

    def _generator_step(
        self, lr: torch.Tensor, hr: torch.Tensor, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> torch.Tensor:
        """Update the generator with the discriminator frozen; return SR without its graph."""
        state, output = self.state, self.state.output
        adversarial, matching = state.adversarial_weight > 0, state.feature_matching_weight > 0
        optimizer = self.adversarial_optimizer if adversarial else state.g_optimizer
        state.g_network.train()
        state.d_network.requires_grad_(False)
        optimizer.zero_grad(set_to_none=True)

        with self._autocast():
            sr = self.g_inferer(lr, state.g_network, *args, **kwargs).float()
        if sr.shape != hr.shape:
            raise ValueError(
                f"the generator returned {tuple(sr.shape)} for HR images of {tuple(hr.shape)}: check its scale"
            )
        output[Keys.PRED] = output[AdversarialKeys.FAKES] = sr.detach()
        self.fire_event(AdversarialIterationEvents.GENERATOR_FORWARD_COMPLETED)
        self.fire_event(IterationEvents.FORWARD_COMPLETED)

        pixel_loss = state.recon_loss_function(sr, hr)
        output["pixel_loss"] = pixel_loss.item()
        loss = state.pixel_weight * pixel_loss
        self.fire_event(AdversarialIterationEvents.RECONSTRUCTION_LOSS_COMPLETED)
        if self.certainty is not None and "condition" in kwargs:
            sr = _gradient_scaled(sr, self.certainty(kwargs["condition"]))
        if state.perceptual_weight > 0:
            if self.perceptual_loss is None:
                raise ValueError(
                    f"perceptual_weight is {state.perceptual_weight}, but perceptual_loss is None: "
                    "pass a perceptual_loss, or set the weight to 0"
                )
            with self._autocast():
                perceptual_loss = self.perceptual_loss(sr, hr)
            output["perceptual_loss"] = perceptual_loss.item()
            loss = loss + state.perceptual_weight * perceptual_loss
        if adversarial:
            state.d_network.train()
            real_logits: torch.Tensor | None = None
            real_maps: list[torch.Tensor] = []
            with self._autocast():
                fake_logits, fake_maps = self._frozen_discriminator(sr)
                if matching or self.adversarial_loss.generator_needs_real:
                    with torch.no_grad():
                        real_logits, real_maps = self._frozen_discriminator(hr)
            self.fire_event(AdversarialIterationEvents.GENERATOR_DISCRIMINATOR_FORWARD_COMPLETED)
            adversarial_loss = self.adversarial_loss.generator(fake_logits, real_logits)
            output["adversarial_loss"] = adversarial_loss.item()
            loss = loss + state.adversarial_weight * adversarial_loss
            if matching:
                matching_loss = self.feature_matching_loss(fake_maps, real_maps)
                output["feature_matching_loss"] = matching_loss.item()
                loss = loss + state.feature_matching_weight * matching_loss
            self.fire_event(AdversarialIterationEvents.GENERATOR_LOSS_COMPLETED)
        output[Keys.LOSS] = loss.item()
        output.update(mean_over_processes(step_losses(output), state.device))
        self._check_finite("generator")
        self.fire_event(IterationEvents.LOSS_COMPLETED)

        self._backward_and_step(
            loss, optimizer, state.g_scaler, AdversarialIterationEvents.GENERATOR_BACKWARD_COMPLETED
        )
        self._check_weights("generator", state.g_network, optimizer)
        average_batch_norm(state.g_network)
        self.fire_event(AdversarialIterationEvents.GENERATOR_MODEL_COMPLETED)
        return output[Keys.PRED]

    def _discriminator_step(self, hr: torch.Tensor, sr: torch.Tensor) -> None:
        """Update the discriminator on HR as real and detached SR as fake."""
        state, output = self.state, self.state.output
        state.d_network.requires_grad_(True)
        state.d_optimizer.zero_grad(set_to_none=True)

        with self._autocast():
            real_logits = self.d_inferer(hr, state.d_network)
            self.fire_event(AdversarialIterationEvents.DISCRIMINATOR_REALS_FORWARD_COMPLETED)
            fake_logits = self.d_inferer(sr, state.d_network)
            self.fire_event(AdversarialIterationEvents.DISCRIMINATOR_FAKES_FORWARD_COMPLETED)
        output[AdversarialKeys.REAL_LOGITS] = real_logits.detach()
        output[AdversarialKeys.FAKE_LOGITS] = fake_logits.detach()

        loss = state.d_loss_function(real_logits, fake_logits)
        losses = {
            "discriminator_loss": loss.item(),
            "d_real": torch.sigmoid(real_logits.detach().float()).mean().item(),
            "d_fake": torch.sigmoid(fake_logits.detach().float()).mean().item(),
        }
        output.update(mean_over_processes(losses, state.device))
        self._check_finite("discriminator")
        self.fire_event(AdversarialIterationEvents.DISCRIMINATOR_LOSS_COMPLETED)

        if output["discriminator_loss"] >= self.d_loss_floor:
            self._backward_and_step(
                loss, state.d_optimizer, state.d_scaler, AdversarialIterationEvents.DISCRIMINATOR_BACKWARD_COMPLETED
            )
            self._check_weights("discriminator", state.d_network, state.d_optimizer)
        average_batch_norm(state.d_network)
        self.fire_event(AdversarialIterationEvents.DISCRIMINATOR_MODEL_COMPLETED)

    def _frozen_discriminator(self, images: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Logits of the frozen discriminator, and its feature maps where they are matched."""
        discriminator = bare(self.state.d_network)  # DDP would prepare for gradients that never come
        if self.state.feature_matching_weight == 0:
            return self.d_inferer(images, discriminator), []
        with self.feature_matching_loss.maps_of(discriminator) as maps:
            return self.d_inferer(images, discriminator), maps

    def _autocast(self) -> torch.autocast:
        return autocast(self.state.device, self.amp, self.amp_kwargs)

    def _check_finite(self, network: str) -> None:
        """Raise before a loss that is NaN or infinite reaches a network's weights."""
        losses = step_losses(self.state.output)
        broken = [f"{name} = {value}" for name, value in losses.items() if not math.isfinite(value)]
        if broken:
            raise FloatingPointError(
                f"training stopped at iteration {self.state.iteration}, before the {network} update: "
                f"{', '.join(broken)}{self._files()}. Lower the learning rate or the weight of the term, or set "
                "amp=False; checkpoints that were written before have finite weights"
            )

    def _check_weights(self, name: str, network: torch.nn.Module, optimizer: Optimizer) -> None:
        """Raise where an update has left weights that are not finite, before anything is made of them or saved."""
        broken = non_finite(dict(bare(network).named_parameters()))
        if broken:
            rates = sorted({float(group["lr"]) for group in optimizer.param_groups})
            losses = ", ".join(f"{term} = {value:.4g}" for term, value in step_losses(self.state.output).items())
            raise FloatingPointError(
                f"training stopped at iteration {self.state.iteration}: the {name} update at a learning rate of "
                f"{', '.join(f'{rate:g}' for rate in rates)} left NaN, infinite or huge weights (first {broken[0]}; "
                f"{losses}){self._files()}. These weights were not saved; checkpoints that were written before have "
                "finite weights. Lower the learning rate"
            )

    def _files(self) -> str:
        """The files of the current batch, for a message; empty where the batch does not say."""
        batch = self.state.batch
        sources = batch.get("source") if isinstance(batch, Mapping) else None
        if isinstance(sources, str) or not isinstance(sources, Sequence) or not sources:
            return ""
        shown = ", ".join(map(str, sources[:_SHOWN]))
        return f"; batch: {shown}" + (f" and {len(sources) - _SHOWN} more" if len(sources) > _SHOWN else "")

    def _backward_and_step(self, loss: torch.Tensor, optimizer: Optimizer, scaler: Any, completed: Any) -> None:
        """Backward pass and optimizer step, through the gradient scaler if there is one."""
        if scaler is None:
            loss.backward()
            self.fire_event(completed)
            optimizer.step()
            return
        scaler.scale(loss).backward()
        self.fire_event(completed)
        scaler.step(optimizer)
        scaler.update()


def _gradient_scaled(images: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """The same images ``(B, C, H, W)``, with the gradient of each multiplied by a weight ``(B,)``."""
    fixed = images.detach()
    return fixed + weights.to(images)[:, None, None, None] * (images - fixed)
