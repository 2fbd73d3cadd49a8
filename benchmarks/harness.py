# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Interleaved timing: methods take turns, so that anything that slows the machine slows all of them alike.

A script in this folder measures with :func:`alternate`, prints and saves with :func:`report`, and parses its command
line with :func:`arguments`::

    args = arguments(__doc__).parse_args()
    timings = alternate({"ours": fast, "theirs": slow}, rounds=args.rounds)
    report("What is measured", timings, ours="ours", facts={"largest difference": gap}, json_path=args.json)
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from tables import save_json

__all__ = ["Timing", "alternate", "arguments", "machine", "report"]

_PACKAGES = ("monai", "torch", "numpy", "scipy", "h5py", "scikit-image")


@dataclass
class Timing:
    """The runs of one method.

    Attributes:
        name: name of the method.
        median_s: median of the runs, seconds.
        min_s: fastest run, seconds.
        runs_s: every run in order, seconds.
    """

    name: str
    median_s: float
    min_s: float
    runs_s: list[float] = field(default_factory=list)


class _Parser(argparse.ArgumentParser):
    """A parser that sets the number of threads when it has parsed it."""

    def parse_args(self, *args: Any, **kwargs: Any) -> Any:
        parsed = super().parse_args(*args, **kwargs)
        if parsed.threads is not None:
            torch.set_num_threads(parsed.threads)
        return parsed


def arguments(description: str | None, **options: Any) -> argparse.ArgumentParser:
    """A command-line parser with the options shared by all benchmarks.

    Args:
        description: what the benchmark measures, usually the docstring of the script.
        options: other defaults for ``rounds``, ``threads`` or ``json``.

    Returns:
        a parser with ``--json FILE``, ``--rounds N`` (default 7, at least 1) and ``--threads N`` (of torch; unchanged
        by default). ``parse_args`` sets the threads. Add the script's own options before calling it.
    """
    parser = _Parser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="file for machine, timings, ratios and facts")
    parser.add_argument("--rounds", type=_positive, default=7, help="runs per method (default: %(default)s)")
    parser.add_argument("--threads", type=_positive, help="threads of torch (default: unchanged)")
    parser.set_defaults(**options)
    return parser


def alternate(calls: Mapping[str, Callable[[], object]], *, rounds: int = 7, warmup: int = 1) -> dict[str, Timing]:
    """Time calls in turns: A B C A B C ..., one call per method and round.

    On a GPU a call must synchronize (``torch.cuda.synchronize``), or only the kernel launches are timed.

    Args:
        calls: name to a function without arguments.
        rounds: timed runs per method, at least 1, for the median.
        warmup: untimed runs per method before the first round.

    Returns:
        name to :class:`Timing`, in the order of ``calls``.

    Raises:
        ValueError: there is nothing to run.
    """
    if not calls or rounds < 1:
        raise ValueError(f"calls and rounds must be at least 1, got {len(calls)} calls and {rounds} rounds")
    for _ in range(warmup):
        for call in calls.values():
            call()
    runs: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            runs[name].append(time.perf_counter() - start)
    return {name: Timing(name, statistics.median(times), min(times), times) for name, times in runs.items()}


def report(
    title: str,
    timings: Mapping[str, Timing],
    *,
    ours: str,
    facts: Mapping[str, Any] | None = None,
    json_path: str | Path | None = None,
) -> None:
    """Print the machine, the medians, their ratios to ours and the facts; save the same as JSON.

    Args:
        title: what was measured.
        timings: result of :func:`alternate`.
        ours: name of the method whose median is the unit: a ratio of 4.2x means 4.2 times as long.
        facts: other results, such as the largest difference between the values of the methods.
        json_path: file to write, with ``title``, ``machine``, ``argv``, ``ours``, ``timings``, ``ratios``, ``facts``;
            None writes nothing.

    Raises:
        ValueError: ``ours`` has no timing.
    """
    if ours not in timings:
        raise ValueError(f"ours must be one of the timings {list(timings)}, got {ours!r}")
    here, found = machine(), dict(facts or {})
    ratios = {name: timing.median_s / timings[ours].median_s for name, timing in timings.items()}
    width = max(len(name) for name in timings)
    print(f"\n{title}")
    print("  " + "; ".join(f"{key} {value}" for key, value in here.items()))
    for name, timing in timings.items():
        print(
            f"  {name:<{width}}  {timing.median_s * 1e3:10.2f} ms  {ratios[name]:6.2f}x"
            f"  (min {timing.min_s * 1e3:.2f} ms, {len(timing.runs_s)} runs)"
        )
    for key, value in found.items():
        print(f"  {key}: {value}")
    if json_path is not None:
        content = {
            "title": title,
            "machine": here,
            "argv": sys.argv,
            "ours": ours,
            "timings": {name: asdict(timing) for name, timing in timings.items()},
            "ratios": ratios,
            "facts": found,
        }
        save_json(json_path, content)


def machine() -> dict[str, Any]:
    """The machine: processor, threads, memory, operating system, versions, bfloat16 instructions."""
    built = torch.__config__.show()
    cpu = _cpu_info()
    flags = set(cpu.get("flags", "").split())
    found: dict[str, Any] = {
        "cpu": cpu.get("model name") or platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "torch threads": torch.get_num_threads(),
        "ram_gib": _ram_gib(),
        "os": platform.platform(terse=True),
        "python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
        "oneDNN": _first(r"(?:MKL-DNN|oneDNN) v([\d.]+)", built),
        "MKL": _first(r"Math Kernel Library Version ([\d.]+)", built),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "bf16": sorted(flags & {"avx512_bf16", "amx_bf16", "avx_ne_convert", "bf16"}) if flags else "unknown",
    }
    if torch.cuda.is_available():
        found["gpu"] = torch.cuda.get_device_name()
    return found


def _cpu_info() -> dict[str, str]:
    """Fields of the first processor in /proc/cpuinfo; empty if there is no such file."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").split("\n\n")[0].splitlines() if path.is_file() else []
    fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return {**fields, "flags": fields.get("flags", fields.get("Features", ""))}  # "Features" on Arm


def _ram_gib() -> float | str:
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return "unknown"
    return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _first(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    return match.group(1) if match else "none"


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value
