# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""The cache of tensors by size: built once, bounded, usable with gradients, empty in copies."""

from __future__ import annotations

import copy
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import torch

from monai_srgan.physics.tensor_cache import TensorCache


def test_an_entry_is_built_once_until_the_limit_is_reached():
    cache: TensorCache[torch.Tensor] = TensorCache(2)
    built = []

    def find(key: int) -> torch.Tensor:
        return cache.find(key, lambda: built.append(key) or torch.full((1,), float(key)))

    assert [float(find(key)) for key in (1, 2, 1, 2)] == [1, 2, 1, 2]
    assert built == [1, 2]
    find(3)
    assert set(cache) == {3}
    find(1)
    assert built == [1, 2, 3, 1]


def test_what_inference_builds_serves_gradients():
    cache: TensorCache[torch.Tensor] = TensorCache(2)
    with torch.inference_mode():
        found = cache.find(0, lambda: torch.ones(2))
    x = torch.ones(2, requires_grad=True)
    (x * found).sum().backward()
    assert torch.equal(x.grad, found)


def test_threads_may_empty_it_under_each_other():
    cache: TensorCache[torch.Tensor] = TensorCache(1)
    interval = sys.getswitchinterval()

    def look_up(first: int) -> bool:
        numbers = [(first + i) % 3 for i in range(3000)]
        return all(float(cache.find(n, lambda n=n: torch.tensor(float(n)))) == n for n in numbers)

    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            assert all(threads.map(look_up, range(4)))
    finally:
        sys.setswitchinterval(interval)


def test_pickles_and_deep_copies_are_empty():
    cache: TensorCache[torch.Tensor] = TensorCache(2)
    cache.find(0, lambda: torch.ones(2))
    for other in (copy.deepcopy(cache), pickle.loads(pickle.dumps(cache))):
        assert isinstance(other, TensorCache)
        assert (len(other), other.limit) == (0, 2)
    assert len(cache) == 1
