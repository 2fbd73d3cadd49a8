# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks measure with: order of the runs, medians, ratios and the file."""

from __future__ import annotations

import json

import harness
import pytest
import torch


def test_rivals_take_turns_after_their_warm_up():
    order = []
    timings = harness.alternate({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, rounds=3, warmup=2)
    assert "".join(order) == "aabb" + "ababab" or "".join(order) == "abab" + "ababab"
    assert [len(timing.runs_s) for timing in timings.values()] == [3, 3]


def test_median_and_fastest_run_are_of_the_runs(monkeypatch):
    clock = iter([0.0, 5.0, 10.0, 11.0, 20.0, 22.0])
    monkeypatch.setattr(harness.time, "perf_counter", lambda: next(clock))
    timing = harness.alternate({"a": lambda: None}, rounds=3, warmup=0)["a"]
    assert (timing.runs_s, timing.median_s, timing.min_s) == ([5.0, 1.0, 2.0], 2.0, 1.0)


def test_the_report_holds_machine_ratios_and_facts(tmp_path, capsys):
    timings = {"ours": harness.Timing("ours", 0.5, 0.4, [0.5]), "theirs": harness.Timing("theirs", 2.0, 2.0, [2.0])}
    path = tmp_path / "new" / "report.json"
    harness.report("Title", timings, ours="ours", facts={"difference": 0.25}, json_path=path)
    content = json.loads(path.read_text())
    assert content["ratios"] == {"ours": 1.0, "theirs": 4.0}
    assert content["facts"] == {"difference": 0.25}
    assert content["machine"]["torch"] == torch.__version__
    printed = capsys.readouterr().out
    assert "4.00x" in printed
    assert "difference: 0.25" in printed


def test_without_ours_or_runs_it_refuses():
    with pytest.raises(ValueError, match="ours must be one of"):
        harness.report("Title", {}, ours="ours")
    with pytest.raises(ValueError, match="calls and rounds must be at least 1"):
        harness.alternate({"a": lambda: None}, rounds=0)
