# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Interval files with any value replaced by any other: one documented error, or a file that means something."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from interval_data import TABLE

from monai_srgan.physics import GaussianDownsample, Measurement, read_measurement
from monai_srgan.uncertainty import (
    Calibration,
    CalibrationRecord,
    CoverageSummary,
    IntervalTable,
    MeasuredIntervals,
    MeasurementCell,
    RecordScale,
    TableFit,
    load_intervals,
)
from monai_srgan.uncertainty.measured_intervals import CellIntervals

COVERED = {"inside": CoverageSummary(0.9, 0.03, 12), "outside": CoverageSummary(0.91, None, 1)}
FOUND = Calibration(1.02, 12, 24, 0.2, 1, COVERED, held_out=COVERED)
DEEP = "deep"

VALUES = {
    "null": None,
    "true": True,
    "a huge integer": 10**400,
    "a negative number": -1,
    "text": "x\x1b",
    "a list": [],
    "an object": {},
    "a ragged list": [[1], [2, 3]],
    "NaN": float("nan"),
    "deep nesting": DEEP,
}


def save_table(path: Path) -> None:
    record = CalibrationRecord(FOUND, TableFit(6, 6, 900, (4, 4)), ("a", "b"), {"seed": 0})
    IntervalTable(0.9, 1.02, TABLE, "abc", True, Measurement(GaussianDownsample(4), 0.02), "fp32", record).save(path)


def save_measured(path: Path) -> None:
    cell = CellIntervals(MeasurementCell((0.0, 0.01), (0.0, 1.0)), TABLE, FOUND)
    numbers = tuple(float(i) for i in range(10))
    MeasuredIntervals(
        0.9, (cell,), patients=("a",), scale=RecordScale(*[numbers] * 4), operators={"default": COVERED}
    ).save(path)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    inside = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, item in inside:
        yield from places(item, (*at, key))


def edited(content: Any, at: tuple[Any, ...], value: Any) -> str:
    whole = {"": copy.deepcopy(content)}
    parent: Any = whole
    for key in ("", *at[:-1]) if at else ():
        parent = parent[key]
    parent[at[-1] if at else ""] = value
    return json.dumps(whole[""]).replace(json.dumps(DEEP), "[" * 5000 + "]" * 5000)


@pytest.mark.parametrize("save", [save_table, save_measured])
@pytest.mark.parametrize("name", VALUES)
def test_no_edit_raises_another_exception(tmp_path: Path, save: Any, name: str) -> None:
    save(tmp_path / "a.json")
    load_intervals(tmp_path / "a.json")
    content = json.loads((tmp_path / "a.json").read_text())
    accepted, messages = set(), []
    for at in places(content):
        (tmp_path / "b.json").write_text(edited(content, at, VALUES[name]))
        try:
            load_intervals(tmp_path / "b.json")
        except ValueError as error:
            messages.append(str(error))
        else:
            accepted.add(str(at[0]))
    assert all(m.startswith(f"intervals: {tmp_path / 'b.json'} is not a") and len(m) < 1000 for m in messages)
    free = {"settings", "record", "measurement", "operators", "scale", "weights_sha256", "precision", "cells"}
    assert accepted <= free | {"consistent", "patients", "edges"}
    if name in ("NaN", "a huge integer", "deep nesting"):
        assert not accepted


@pytest.mark.parametrize(
    ("key", "value"),
    [("level", True), ("lambda", True), ("window", True), ("lambda", "1.5"), ("edges", [[True], [0.02, 0.05]])],
)
def test_a_flag_or_text_is_no_number(tmp_path: Path, key: str, value: Any) -> None:
    save_table(tmp_path / "a.json")
    content = {**json.loads((tmp_path / "a.json").read_text()), key: value}
    (tmp_path / "a.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=rf"a\.json is not a valid interval file: {key}"):
        load_intervals(tmp_path / "a.json")


def test_a_key_that_occurs_twice_is_named(tmp_path: Path) -> None:
    save_table(tmp_path / "a.json")
    text = (tmp_path / "a.json").read_text()
    (tmp_path / "a.json").write_text(text.replace('"level": 0.9,', '"level": 0.9, "level": 0.5,'))
    with pytest.raises(ValueError, match="the key 'level' occurs twice"):
        load_intervals(tmp_path / "a.json")


@pytest.mark.parametrize("value", ["1e999", "NaN", "1" + "0" * 400, "[" * 5000])
def test_a_measurement_file_is_read_as_strictly(tmp_path: Path, value: str) -> None:
    (tmp_path / "m.json").write_text(f'{{"kernel": "gaussian", "sigma": {value}}}')
    with pytest.raises(ValueError, match=r"m\.json is not JSON"):
        read_measurement(tmp_path / "m.json")
