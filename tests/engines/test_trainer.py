# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
import math

import pytest
import torch
from ignite.engine import Events
from ignite.handlers import EMAHandler
from monai.data import DataLoader, Dataset
from monai.engines import PrepareBatchExtraInput
from monai.handlers import CheckpointLoader, CheckpointSaver
from monai.transforms import Compose, RandFlipd
from monai.utils import AdversarialIterationEvents
from torch import nn

from monai_srgan.data import SeededItems, ShuffledStream
from monai_srgan.engines import SRGANTrainer, step_losses
from monai_srgan.handlers import EMAWarmup, IterationStateScheduler, Ramp, TrainerState, TwoPhaseLearningRate
from monai_srgan.losses import AdversarialLoss
from monai_srgan.networks import SRGANDiscriminator, SRResNet


def batches(number: int, size: int = 8) -> list[dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(5)
    return [
        {
            "image": torch.rand(2, 1, size, size, generator=generator),
            "label": torch.rand(2, 1, 4 * size, 4 * size, generator=generator),
        }
        for _ in range(number)
    ]


def networks() -> tuple[SRResNet, SRGANDiscriminator]:
    torch.manual_seed(0)
    generator = SRResNet(num_blocks=1, channels=4, norm=None)
    return generator, SRGANDiscriminator(channels=(4, 4, 4, 8, 8), norm=None, dense=8)


def trainer(g: nn.Module, d: nn.Module, data, **kwargs) -> SRGANTrainer:
    arguments = {
        "device": "cpu",
        "max_epochs": 1,
        "g_optimizer": torch.optim.SGD(g.parameters(), lr=0.1),
        "d_optimizer": torch.optim.SGD(d.parameters(), lr=0.1),
        "pixel_loss": nn.L1Loss(),
        **kwargs,
    }
    return SRGANTrainer(train_data_loader=data, g_network=g, d_network=d, **arguments)


def weights(network: nn.Module) -> list[torch.Tensor]:
    return [p.detach().clone() for p in network.parameters()]


def same(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def blur_distance(sr: torch.Tensor, hr: torch.Tensor) -> torch.Tensor:
    return nn.functional.mse_loss(nn.functional.avg_pool2d(sr, 4), nn.functional.avg_pool2d(hr, 4))


def test_one_step_equals_the_same_step_written_out():
    g, d = networks()
    g2, d2 = copy.deepcopy(g), copy.deepcopy(d)
    (batch,) = batches(1)
    engine = trainer(
        g, d, [batch], perceptual_loss=blur_distance, pixel_weight=0.5, perceptual_weight=3.0, adversarial_weight=0.25
    )
    engine.run()

    bce = nn.BCEWithLogitsLoss()
    sr = g2(batch["image"])
    l1, features = (sr - batch["label"]).abs().mean(), blur_distance(sr, batch["label"])
    adversarial = bce(d2(sr), torch.ones(2, 1))
    loss = 0.5 * l1 + 3.0 * features + 0.25 * adversarial
    g_gradients = torch.autograd.grad(loss, list(g2.parameters()))
    d_loss = 0.5 * (
        bce(d2(batch["label"]), torch.full((2, 1), 0.9)) + bce(d2(sr.detach()), torch.zeros(2, 1))
    )  # real images are the HR targets
    d_gradients = torch.autograd.grad(d_loss, list(d2.parameters()))

    for network, reference, gradients in ((g, g2, g_gradients), (d, d2, d_gradients)):
        for new, old, gradient in zip(network.parameters(), reference.parameters(), gradients, strict=True):
            torch.testing.assert_close(new, old - 0.1 * gradient)
    output = engine.state.output[0]
    assert step_losses(engine.state.output) == {k: v for k, v in output.items() if isinstance(v, float)}
    assert output["loss"] == pytest.approx(loss.item())
    assert output["pixel_loss"] == pytest.approx(l1.item())
    assert output["perceptual_loss"] == pytest.approx(features.item())
    assert output["adversarial_loss"] == pytest.approx(adversarial.item())
    assert output["discriminator_loss"] == pytest.approx(d_loss.item())
    assert output["d_real"] == pytest.approx(torch.sigmoid(d2(batch["label"])).mean().item())
    assert not output["pred"].requires_grad


@pytest.mark.parametrize("term", ["pixel", "perceptual", "adversarial"])
def test_each_term_alone_moves_the_generator(term):
    g, d = networks()
    before = weights(g)
    only = {f"{name}_weight": float(name == term) for name in ("pixel", "perceptual", "adversarial")}
    trainer(g, d, batches(1), perceptual_loss=blur_distance, **only).run()
    moved = [not torch.equal(a, b) for a, b in zip(before, weights(g), strict=True)]
    assert all(moved)


@pytest.mark.parametrize("given", [(0.0, 0.0), (1.0, 1.0), (1.0, 0.0)])
def test_certainty_scales_the_gradients_of_the_terms_that_invent_and_not_those_of_pixels(given):
    torch.manual_seed(0)
    g = SRResNet(num_blocks=1, channels=4, norm=None, condition=36)
    d = networks()[1]
    (batch,) = batches(1)
    condition = torch.tensor([[0.0] * 36, [1.0] * 36])
    weight = torch.tensor(given)

    sr = g(batch["image"], condition=condition)
    per_image = (nn.functional.avg_pool2d(sr, 4) - nn.functional.avg_pool2d(batch["label"], 4)).square()
    expected = nn.L1Loss()(sr, batch["label"]) + (per_image.mean((1, 2, 3)) * weight).mean()
    gradients = torch.autograd.grad(expected, list(g.parameters()), allow_unused=True)

    before = weights(g)
    engine = trainer(
        g,
        d,
        [{**batch, "condition": condition}],
        perceptual_loss=blur_distance,
        perceptual_weight=1.0,
        certainty=lambda told: weight * (1 + 0 * told[:, 0]),
        prepare_batch=PrepareBatchExtraInput({"condition": "condition"}),
    )
    engine.run()
    for old, new, gradient in zip(before, g.parameters(), gradients, strict=True):
        change = torch.zeros_like(old) if gradient is None else -0.1 * gradient
        torch.testing.assert_close(new.detach() - old, change, rtol=1e-3, atol=1e-6)


def test_an_optimizer_of_its_own_takes_over_when_the_adversarial_term_comes_in():
    g, d = networks()
    rested = torch.optim.SGD(g.parameters(), lr=0.0)
    engine = trainer(g, d, batches(1), adversarial_optimizer=rested)
    before = weights(g)
    engine.run()
    assert not same(before, weights(g))  # without the term it rests, and the other one steps
    before = weights(g)
    engine.state.adversarial_weight = 1.0
    engine.state.max_epochs = 2
    engine.run()
    assert engine.state.iteration == 2
    assert same(before, weights(g))  # with it, all steps are its own


def test_feature_matching_pulls_the_generator_by_the_discriminators_features():
    g, d = networks()
    g2, d2 = copy.deepcopy(g), copy.deepcopy(d)
    (batch,) = batches(1)
    engine = trainer(g, d, [batch], adversarial_weight=0.25, feature_matching_weight=2.0)
    engine.run()

    def maps(x: torch.Tensor) -> list[torch.Tensor]:
        found = []
        for layer in (*d2.features, d2.pool, *d2.classifier):
            x = layer(x)
            if isinstance(layer, nn.LeakyReLU):
                found.append(x)
        return found

    sr = g2(batch["image"])
    pairs = list(zip(maps(sr), maps(batch["label"]), strict=True))
    assert len(pairs) == 6  # five convolutions and the first dense layer
    matching = sum((x - y.detach()).abs().mean() for x, y in pairs) / 6
    loss = (sr - batch["label"]).abs().mean() + 0.25 * nn.BCEWithLogitsLoss()(d2(sr), torch.ones(2, 1)) + 2.0 * matching
    for new, old, gradient in zip(
        g.parameters(), g2.parameters(), torch.autograd.grad(loss, list(g2.parameters())), strict=True
    ):
        torch.testing.assert_close(new, old - 0.1 * gradient)
    assert step_losses(engine.state.output)["feature_matching_loss"] == pytest.approx(matching.item())
    assert not any(module._forward_hooks for module in d.modules())


def test_features_are_not_matched_without_the_adversarial_term():
    g, d = networks()
    engine = trainer(g, d, batches(1), feature_matching_weight=2.0)
    engine.run()
    assert "feature_matching_loss" not in step_losses(engine.state.output)


def test_relativistic_generator_sees_real_images_too():
    g, d = networks()
    before = weights(g)
    engine = trainer(
        g, d, batches(1), adversarial_loss=AdversarialLoss("relativistic_average"), pixel_weight=0, adversarial_weight=1
    )
    engine.run()
    assert not same(before, weights(g))
    assert math.isfinite(step_losses(engine.state.output)["adversarial_loss"])


def test_terms_of_weight_zero_are_not_computed():
    g, d = networks()
    before = weights(d)

    def never(*_: torch.Tensor) -> torch.Tensor:
        raise AssertionError("a term of weight 0 was computed")

    d.register_forward_pre_hook(never)
    engine = trainer(g, d, batches(2), perceptual_loss=never)
    engine.run()
    assert same(before, weights(d))
    assert set(step_losses(engine.state.output)).isdisjoint(
        {"perceptual_loss", "adversarial_loss", "discriminator_loss", "d_real"}
    )


def test_generator_step_leaves_no_gradient_in_the_discriminator():
    g, d = networks()
    engine = trainer(g, d, batches(1), adversarial_weight=1.0)
    seen = []
    engine.add_event_handler(
        AdversarialIterationEvents.GENERATOR_MODEL_COMPLETED, lambda: seen.append([p.grad for p in d.parameters()])
    )
    engine.run()
    assert seen == [[None] * len(list(d.parameters()))]
    assert all(p.grad is not None for p in d.parameters())


def test_discriminator_below_its_floor_is_not_updated():
    g, d = networks()
    before = weights(d)
    engine = trainer(g, d, batches(1), adversarial_weight=1.0, d_loss_floor=100.0)
    engine.run()
    assert same(before, weights(d))
    assert "discriminator_loss" in step_losses(engine.state.output)


def test_a_loss_that_is_not_finite_stops_before_the_weights_are_touched():
    g, d = networks()
    before = weights(g)
    data = batches(1)
    data[0]["label"][0, 0, 0, 0] = math.nan
    with pytest.raises(FloatingPointError, match=r"iteration 1, .*pixel_loss = nan"):
        trainer(g, d, data).run()
    assert same(before, weights(g))


def test_an_update_that_spoils_the_weights_stops_with_iteration_rate_losses_and_files():
    g, d = networks()
    data = [{**batch, "source": [f"{i}a.mat", f"{i}b.mat"]} for i, batch in enumerate(batches(3))]
    engine = trainer(g, d, data, g_optimizer=torch.optim.SGD(g.parameters(), lr=1e38))
    with pytest.raises(FloatingPointError) as caught:
        engine.run()
    message = str(caught.value)
    assert "iteration 1: the generator update at a learning rate of 1e+38" in message
    assert "pixel_loss = " in message
    assert "batch: 0a.mat, 0b.mat." in message


def test_a_generator_of_another_scale_is_refused():
    _, d = networks()
    g = SRResNet(scale=2, num_blocks=1, channels=4)
    with pytest.raises(ValueError, match=r"returned \(2, 1, 16, 16\) for HR .* \(2, 1, 32, 32\): check its scale"):
        trainer(g, d, batches(1)).run()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pixel_weight": -1.0}, "pixel_weight must not be negative"),
        ({"adversarial_weight": math.nan}, "adversarial_weight must not be negative, got nan"),
        ({"adversarial_weight": math.inf}, "adversarial_weight must be finite, got inf"),
        ({"perceptual_weight": 1.0}, "perceptual_loss is None"),
    ],
)
def test_invalid_weights_are_refused(arguments, message):
    g, d = networks()
    with pytest.raises(ValueError, match=message):
        trainer(g, d, batches(1), **arguments).run()


def run_with_checkpoints(folder, epochs: int, resume_from=None) -> tuple[list[torch.Tensor], int]:
    """A run of 6-iteration epochs through both phases, on randomly flipped items, with all that a checkpoint holds."""
    g, d = networks()
    items = [{k: v[0] for k, v in b.items()} for b in batches(5)]
    dataset = Dataset(items, Compose([RandFlipd(["image", "label"], prob=0.5, spatial_axis=0)]))
    stream, position = ShuffledStream(5, 2, iterations=6, seed=1), TrainerState()
    g_optimizer = torch.optim.Adam(g.parameters(), lr=1e-2)
    d_optimizer = torch.optim.Adam(d.parameters(), lr=1e-2)
    ema = EMAHandler(g, momentum=0.2)
    everything = {
        "trainer": position,
        "generator": g,
        "discriminator": d,
        "ema": ema.ema_model,
        "g_optimizer": g_optimizer,
        "d_optimizer": d_optimizer,
    }
    handlers = [
        stream,
        position,
        IterationStateScheduler(Ramp(start=9, length=3, weight=0.1), "adversarial_weight"),
        IterationStateScheduler(Ramp(start=9, weight=0.5), "perceptual_weight"),
        ema,
        IterationStateScheduler(EMAWarmup(decay=0.8), "ema_momentum"),
        *(
            TwoPhaseLearningRate(o, pretrain_iterations=9, warmup=2, final_fraction=0.1, drop_after=4)
            for o in (g_optimizer, d_optimizer)
        ),
        CheckpointSaver(str(folder), everything, save_interval=4, epoch_level=False),
    ]
    if resume_from is not None:
        handlers.append(CheckpointLoader(str(resume_from), everything, map_location="cpu"))
    engine = trainer(
        g,
        d,
        DataLoader(SeededItems(dataset, seed=1), batch_sampler=stream),
        max_epochs=epochs,
        perceptual_loss=blur_distance,
        g_optimizer=g_optimizer,
        d_optimizer=d_optimizer,
        train_handlers=handlers,
        amp=True,
        channels_last=True,
    )
    steps = []
    engine.add_event_handler(Events.ITERATION_COMPLETED, lambda e: steps.append(e.state.iteration))
    engine.run()
    return weights(g) + weights(d) + weights(ema.ema_model), len(steps)


@pytest.mark.parametrize("step", [4, 8, 12])
def test_a_resumed_run_ends_with_the_same_bits_as_an_uninterrupted_one(tmp_path, step):
    uninterrupted, steps = run_with_checkpoints(tmp_path / "whole", epochs=3)
    assert steps == 18
    checkpoint = tmp_path / "whole" / f"checkpoint_iteration={step}.pt"
    resumed, steps = run_with_checkpoints(tmp_path / "resumed", epochs=3, resume_from=checkpoint)
    assert steps == 18 - step
    assert same(uninterrupted, resumed)


def test_resuming_with_another_epoch_length_is_refused():
    g, d = networks()
    position = TrainerState()
    engine = trainer(g, d, batches(2), train_handlers=[position])
    saved = position.state_dict()
    engine.state.epoch_length = 3
    with pytest.raises(ValueError, match="epoch_length 2, now 3"):
        position.load_state_dict(saved)
