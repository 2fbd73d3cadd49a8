# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""Mean curves over slices, by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from monai_srgan.scores import EvaluationSummary, MeanRings, Method, RingCurve, mean_rings

SRGAN, BICUBIC = Method("srgan"), Method("bicubic")
FIRST = RingCurve("1.mat", SRGAN, (0.0, 0.25, 0.5), (0.0, -3.0, -12.0), (1.0, 0.8, math.nan))
SECOND = RingCurve("2.mat", SRGAN, (0.0, 0.25, 0.5), (0.0, -5.0, -math.inf), (1.0, 0.5, math.nan))


def test_every_ring_is_the_mean_of_the_slices_that_have_it() -> None:
    found = mean_rings([FIRST, replace(FIRST, method=BICUBIC), SECOND])
    assert list(found) == [SRGAN, BICUBIC]
    assert found[SRGAN] == MeanRings(
        frequency=(0.0, 0.25, 0.5),
        power=(0.0, -4.0, -12.0),
        power_n=(2, 2, 1),
        coherence=(1.0, pytest.approx(0.65), None),
        coherence_n=(2, 2, 0),
    )
    assert found[SRGAN].slices == 2
    assert found[BICUBIC].coherence == (1.0, 0.8, None)


def test_without_curves_there_are_no_means() -> None:
    assert mean_rings([]) == {}
    assert MeanRings((), (), (), (), ()).slices == 0


def test_curves_of_other_rings_are_refused() -> None:
    with pytest.raises(ValueError, match="curves of srgan must have the same frequencies"):
        mean_rings([FIRST, replace(SECOND, frequency=(0.0, 0.2, 0.4))])


def test_curves_survive_their_file_and_older_files_have_none() -> None:
    rings = mean_rings([FIRST, SECOND])
    content = json.loads(json.dumps(EvaluationSummary(rings=rings).to_dict(), allow_nan=False))
    assert content["rings"]["srgan"]["power_n"] == [2, 2, 1]
    assert EvaluationSummary.from_dict(content).rings == rings
    del content["rings"]
    assert EvaluationSummary.from_dict(content).rings == {}
