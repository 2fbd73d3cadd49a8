# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Time to enlarge one slice with the paper's generator: accelerate() compared with the plain network.

All methods share the same weights: 16 residual blocks of 64 feature maps with batch norm. "Plain" is the network in
textbook layers, in eval mode and without gradients.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from harness import alternate, arguments, report
from plain_srresnet import PlainSRResNet
from torch.utils.flop_counter import FlopCounterMode

from monai_srgan.inferers import accelerate
from monai_srgan.networks import SRResNet
from monai_srgan.precision import has_fast_autocast

_MATRIX = 2048


def main() -> None:
    parser = arguments(__doc__, rounds=15)
    parser.add_argument("--size", type=int, default=128, help="LR pixels along each side (default: %(default)s)")
    parser.add_argument("--compile", action="store_true", help="also measure torch.compile")
    args = parser.parse_args()

    torch.manual_seed(0)
    network = trained()
    plain = PlainSRResNet()
    plain.load_state_dict(network.state_dict())
    plain.eval()
    image = torch.rand(1, 1, args.size, args.size)
    channels_last = copy.deepcopy(plain).to(memory_format=torch.channels_last)

    networks: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
        "plain fp32": plain,
        "plain fp32, channels-last": lambda x: channels_last(x.contiguous(memory_format=torch.channels_last)),
        "SRResNet fp32": network.eval(),
        "accelerate fp32": accelerate(network),
    }
    if has_fast_autocast(torch.device("cpu")):
        networks["plain bf16 autocast, channels-last"] = lambda x: in_bfloat16(channels_last, x)
        networks["accelerate bf16"] = accelerate(network, precision="bf16")
    if args.compile:
        networks["plain fp32, compiled"] = torch.compile(copy.deepcopy(plain))
        networks["accelerate fp32, compiled"] = accelerate(network, compile=True)
        networks["accelerate bf16, compiled"] = accelerate(network, precision="bf16", compile=True)

    full, half = (torch.rand(_MATRIX, _MATRIX).to(dtype) for dtype in (torch.float32, torch.bfloat16))
    with torch.no_grad():
        expected = plain(image)
        with FlopCounterMode(display=False) as counter:
            plain(image)
        calls = {name: lambda run=run: run(image) for name, run in networks.items()}
        products = {"matrix product fp32": lambda: full @ full, "matrix product bf16": lambda: half @ half}
        timings = alternate({**calls, **products}, rounds=args.rounds)
        differences = {name: float((run(image) - expected).abs().max()) for name, run in networks.items()}

    operations = {name: float(counter.get_total_flops()) for name in networks}
    operations |= dict.fromkeys(products, 2.0 * _MATRIX**3)
    speed = {name: operations[name] / timings[name].median_s / 1e9 for name in timings}
    facts: dict[str, Any] = {
        "arithmetic of the plain network [GFLOP]": round(operations["plain fp32"] / 1e9, 1),
        "speed [GFLOP/s]": {name: round(value) for name, value in speed.items()},
        "speed / matrix product of the same precision": {
            name: round(speed[name] / speed[f"matrix product {'bf16' if 'bf16' in name else 'fp32'}"], 2)
            for name in networks
        },
        "times as fast as plain fp32": {
            name: round(timings["plain fp32"].median_s / timings[name].median_s, 2) for name in networks
        },
        "standard deviation of the output": float(expected.std()),
        "largest difference from plain fp32": differences,
    }
    title = f"One slice, {args.size}x{args.size} to {4 * args.size}x{4 * args.size}"
    report(title, timings, ours="accelerate fp32", facts=facts, json_path=args.json)


def trained() -> SRResNet:
    """A generator with nontrivial batch norm statistics, so that folding is not the identity."""
    network = SRResNet()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 1.5)
    return network


def in_bfloat16(network: torch.nn.Module, image: torch.Tensor) -> torch.Tensor:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return network(image.contiguous(memory_format=torch.channels_last))


if __name__ == "__main__":
    main()
