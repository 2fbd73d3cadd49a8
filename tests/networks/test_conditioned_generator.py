# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The generator with a condition: identity at the start, then modulated; scripted, folded, and in tiles."""

from __future__ import annotations

import pytest
import torch

from monai_srgan.inferers import FoldedSRResNet, TiledSRInferer, accelerate
from monai_srgan.networks import SRResNet, load_weights, read_network_weights

SIZE = 6


def network(condition=SIZE, trained=True, **arguments):
    torch.manual_seed(0)
    made = SRResNet(num_blocks=2, channels=8, norm=None, global_residual="bicubic", condition=condition, **arguments)
    with torch.no_grad():
        made.tail.weight.normal_(std=0.05)
        if trained and made.film is not None:
            made.film.out.weight.normal_(std=0.2)
    return made.eval()


def image(*shape, seed=1):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_an_untrained_condition_changes_nothing():
    plain, conditioned = network(condition=None), network(trained=False)
    missing, unknown = conditioned.load_state_dict(plain.state_dict(), strict=False)
    assert {name.split(".")[0] for name in missing} == {"film"}
    assert not unknown
    x = image(2, 1, 8, 12)
    with torch.no_grad():
        assert torch.equal(conditioned(x, image(2, SIZE)), plain(x))


def test_no_condition_means_zeros_and_one_row_serves_all_images():
    net, x, c = network(), image(2, 1, 8, 12), image(1, SIZE)
    with torch.no_grad():
        assert torch.equal(net(x), net(x, torch.zeros(1, SIZE)))
        torch.testing.assert_close(net(x, c), net(x, c.expand(2, -1)))
        assert (net(x, c) - net(x)).abs().max() > 1e-3


def test_each_image_follows_its_own_condition():
    net, x, c = network(), image(2, 1, 8, 12), image(2, SIZE)
    with torch.no_grad():
        both = net(x, c)
        for i in range(2):
            torch.testing.assert_close(net(x[i : i + 1], c[i : i + 1]), both[i : i + 1], rtol=0, atol=1e-5)


def test_training_reaches_the_modulation_from_the_identity():
    net = network(trained=False).train()
    net(image(1, 1, 8, 8), image(1, SIZE)).square().mean().backward()
    assert net.film.out.weight.grad.abs().max() > 0
    assert net.film.out.bias.grad.abs().max() > 0


def test_torchscript_keeps_both_calls():
    net, x, c = network(), image(1, 1, 8, 12), image(1, SIZE)
    scripted = torch.jit.script(net)
    with torch.no_grad():
        torch.testing.assert_close(scripted(x), net(x))
        torch.testing.assert_close(scripted(x, c), net(x, c))


def test_the_folded_copy_gives_the_same_values():
    net, x, c = network(), image(2, 1, 40, 24), image(2, SIZE)
    folded = FoldedSRResNet(net)
    with torch.no_grad():
        torch.testing.assert_close(folded(x, c), net(x, c), rtol=0, atol=1e-5)
        torch.testing.assert_close(folded(x, c[:1]), net(x, c[:1]), rtol=0, atol=1e-5)
        torch.testing.assert_close(folded(x), net(x), rtol=0, atol=1e-5)


def test_bfloat16_rounds_the_features_alone():
    net, x, c = network(), image(1, 1, 40, 24), image(1, SIZE)
    with torch.no_grad():
        torch.testing.assert_close(accelerate(net, precision="bf16")(x, c), net(x, c), rtol=0, atol=0.02)


def test_tiles_follow_their_image():
    net, x, c = network(), image(2, 1, 50, 30), image(2, SIZE)
    whole = TiledSRInferer(tile=None)(x, net, condition=c)
    tiled = TiledSRInferer(tile=16, context=40)(x, net, condition=c)
    torch.testing.assert_close(tiled, whole, rtol=0, atol=1e-5)
    with torch.no_grad():
        torch.testing.assert_close(whole, net(x, c), rtol=0, atol=1e-5)


def test_all_slices_of_a_volume_follow_its_condition():
    net, volumes, c = network(), image(2, 1, 12, 10, 3), image(2, SIZE)
    found = TiledSRInferer(batch_size=2)(volumes, net, condition=c)
    with torch.no_grad():
        for i in range(2):
            for k in range(3):
                expected = net(volumes[i : i + 1, ..., k], c[i : i + 1])
                torch.testing.assert_close(found[i : i + 1, ..., k], expected, rtol=0, atol=1e-5)


def test_the_papers_network_has_no_condition():
    assert sum(p.numel() for p in SRResNet(3, 3).parameters()) == 1_549_462
    assert (SRResNet(3, 3).takes_condition, network().takes_condition) == (False, True)
    with pytest.raises(ValueError, match="takes no condition"):
        network(condition=None)(image(1, 1, 8, 8), image(1, SIZE))
    with pytest.raises(ValueError, match="takes no condition"):
        FoldedSRResNet(network(condition=None))(image(1, 1, 8, 8), image(1, SIZE))


@pytest.mark.parametrize("shape", [(1, SIZE + 1), (3, SIZE), (SIZE,)])
def test_conditions_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"expected a condition of shape \(1, 6\) or \(2, 6\)"):
        network()(image(2, 1, 8, 8), image(*shape))


def test_conditions_that_do_not_match_the_images_are_refused():
    with pytest.raises(ValueError, match="1 row or one per image, 2"):
        TiledSRInferer()(image(2, 1, 8, 8), network(), condition=image(3, SIZE))
    with pytest.raises(ValueError, match="condition of 1 or 2 rows"):
        FoldedSRResNet(network())(image(2, 1, 8, 8), image(3, SIZE))
    with pytest.raises(ValueError, match="condition must be at least 1 number"):
        SRResNet(condition=0)


def test_training_continues_from_an_unconditioned_network_but_inference_does_not(tmp_path):
    file = tmp_path / "plain.pt"
    plain = network(condition=None)
    torch.save(plain.state_dict(), file)
    x = image(1, 1, 8, 8)
    with torch.no_grad():
        assert torch.equal(load_weights(network(trained=False), file)(x, image(1, SIZE)), plain(x))
    with pytest.raises(ValueError, match="4 missing"):
        read_network_weights(network(), file)
