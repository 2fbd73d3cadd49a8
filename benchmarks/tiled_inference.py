# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Time, peak memory and accuracy of enlarging a large image: TiledSRInferer compared with MONAI's sliding window.

Each run is a separate process, whose peak resident memory (Linux) includes libraries. MONAI's sliding window runs the
plain network with the same context, as overlap of the windows that it averages.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch
from harness import Timing, arguments, report
from monai.inferers import SlidingWindowInferer
from plain_srresnet import PlainSRResNet

from monai_srgan.inferers import TiledSRInferer
from monai_srgan.networks import SRResNet

_CONTEXT = 40


def main() -> None:
    parser = arguments(__doc__, rounds=3)
    parser.add_argument("--size", type=int, default=1024, help="LR pixels along each side (default: %(default)s)")
    parser.add_argument("--window", type=int, default=256, help="side of MONAI's window (default: %(default)s)")
    parser.add_argument("--child", help="measure one method and print the result (internal)")
    parser.add_argument("--output", type=Path, help="output file of the child process (internal)")
    args = parser.parse_args()
    if args.child:
        print(json.dumps(measure(args.child, args.size, args.window, args.output)))
        return

    methods = ["tiled fp32", "tiled bf16", "untiled fp32", "MONAI sliding window, plain fp32"]
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in methods}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(args.rounds):
            for name in methods:
                runs[name].append(child(name, args, Path(folder) / f"{methods.index(name)}.pt"))
        images = {name: torch.load(Path(folder) / f"{methods.index(name)}.pt") for name in methods}
    seconds = {name: [run["seconds"] for run in found] for name, found in runs.items()}
    timings = {name: Timing(name, median(times), min(times), times) for name, times in seconds.items()}
    expected = images["untiled fp32"]
    facts: dict[str, Any] = {
        "peak resident memory [GB]": {
            name: round(max(run["peak_bytes"] for run in found) / 1e9, 2) for name, found in runs.items()
        },
        "largest difference from untiled fp32": {
            name: float((image - expected).abs().max()) for name, image in images.items()
        },
        "standard deviation of the network's residual": float(
            (expected - torch.nn.functional.interpolate(picture(args.size), scale_factor=4.0, mode="bicubic")).std()
        ),
    }
    title = f"{args.size}x{args.size} to {4 * args.size}x{4 * args.size}, generator of the bundle"
    report(title, timings, ours="tiled fp32", facts=facts, json_path=args.json)


def child(name: str, args: Any, output: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", name, "--output", str(output)]
    command += ["--size", str(args.size), "--window", str(args.window)]
    command += ["--threads", str(args.threads)] if args.threads else []
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def picture(size: int) -> torch.Tensor:
    return torch.rand(1, 1, size, size, generator=torch.Generator().manual_seed(1))


def measure(name: str, size: int, window: int, output: Path) -> dict[str, float]:
    torch.manual_seed(0)
    network: torch.nn.Module = SRResNet(norm=None, global_residual="bicubic")
    torch.nn.init.normal_(network.tail.weight, std=0.02)
    if name.startswith("MONAI"):
        weights = network.state_dict()
        network = PlainSRResNet(norm=None, global_residual="bicubic")
        network.load_state_dict(weights)
        inferer: Any = SlidingWindowInferer(roi_size=(window, window), overlap=2 * _CONTEXT / window)
    else:
        tile = None if name.startswith("untiled") else 512
        inferer = TiledSRInferer(tile=tile, context=_CONTEXT, precision="bf16" if "bf16" in name else "fp32")
    network.eval()
    image = picture(size)
    start = time.perf_counter()
    with torch.no_grad():
        result = inferer(image, network)
    seconds = time.perf_counter() - start
    torch.save(result, output)
    return {"seconds": seconds, "peak_bytes": peak_bytes()}


def peak_bytes() -> int:
    """Peak resident memory of this process; getrusage would include that of the parent before the fork."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1))  # type: ignore[union-attr]


if __name__ == "__main__":
    main()
