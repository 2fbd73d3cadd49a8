# SPDX-FileCopyrightText: monai_srgan contributors
# SPDX-License-Identifier: Apache-2.0
"""What a scanner measures with a smaller matrix: central crops of the spectrum, with windows."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from monai_srgan.physics.operators import (
    SeparableDownsample,
    check_divisible,
    check_input,
    check_scale,
    single_precision,
)
from monai_srgan.physics.tensor_cache import TensorCache

__all__ = ["KSpaceDownsample", "WindowedKSpaceDownsample", "tukey_window"]

_ROUNDING = 1e-9  # of a frequency, relative to the edge of the band
_MAX_CACHED_WEIGHTS = 8


def tukey_window(radius: np.ndarray, taper: float, pedestal: float = 0.0) -> np.ndarray:
    """Window that is 1 up to ``1 - taper``, falls as a cosine to `pedestal` at radius 1, and is 0 beyond."""
    radius = np.asarray(radius, dtype=float)
    ramp = np.clip((radius - (1 - taper)) / taper, 0, 1) if taper else np.zeros_like(radius)
    window = pedestal + (1 - pedestal) * 0.5 * (1 + np.cos(np.pi * ramp))
    return np.where(radius > 1 + _ROUNDING, 0.0, window)


class KSpaceDownsample(SeparableDownsample):
    r"""Mean-preserving central crop of the spectrum: what a scanner measures with a smaller matrix.

    ``y_i = 1/n sum_{|k| <= m/2} w_k X_k exp(2 pi i k p_i / n)`` along each axis, with n and m = n / scale the two
    sizes, X the discrete Fourier transform of x, and ``p_i = scale * i + (scale - 1) / 2`` the cell centers. A plain
    crop would sample at ``scale * i``; a phase ramp on the spectrum adds the shift to the centers. For even m the
    Nyquist lines ``k = -m/2`` and ``k = m/2`` have weight 1/2 each, so that real input gives real output. The field of
    view is periodic. Sharp edges ring, and values may leave the range of the input.

    Args:
        scale: ratio of the two grids, an integer of at least 2.
        taper: fraction of the acquired band, from its edge inward, over which a cosine (Tukey) window falls to
            `pedestal`; in [0, 1]. 1 is a Hann window over the whole band; None or 0 is no window.
        support: fraction of the LR band that is acquired, in (0, 1]; the rest is filled with zeros.
        pedestal: window weight at the edge of the acquired band, in [0, 1]: ``taper=1, pedestal=0.08`` is a Hamming
            window. Has no effect without a taper.
    """

    def __init__(self, scale: int = 4, taper: float | None = None, support: float = 1.0, pedestal: float = 0.0) -> None:
        super().__init__(scale)
        taper, support, pedestal = 0.0 if taper is None else float(taper), float(support), float(pedestal)
        if not 0 <= taper <= 1:
            raise ValueError(f"taper must be a fraction in [0, 1], got {taper}: 0 for none, 1 for a Hann window")
        if not 0 < support <= 1:
            raise ValueError(f"support must be a fraction of the LR band in (0, 1], got {support}: use 1 for all of it")
        if not 0 <= pedestal <= 1:
            raise ValueError(f"pedestal must be a window weight in [0, 1], got {pedestal}: 0 for none")
        self.taper, self.support, self.pedestal = taper, support, pedestal

    @property
    def settings(self) -> dict[str, Any]:
        """``scale``, ``taper``, ``support`` and ``pedestal``."""
        return {"scale": self.scale, "taper": self.taper, "support": self.support, "pedestal": self.pedestal}

    @property
    def description(self) -> str:
        """For example "4x, k-space crop with taper 0.5, 80 % of the band filled"."""
        pedestal = f" to {self.pedestal:g}" if self.pedestal else ""
        taper = f" with taper {self.taper:g}{pedestal}" if self.taper else ""
        support = f", {100 * self.support:.3g} % of the band filled" if self.support < 1 else ""
        return f"{self.scale}x, k-space crop{taper}{support}"

    def axis_matrix(self, size: int) -> np.ndarray:
        """Matrix of the operator along an axis of `size` pixels: float64 ``(size / scale, size)``."""
        m = size // self.scale
        k = np.arange(m // 2 + 1)
        # Positive and negative k add up to twice a cosine; k = 0 and the shared Nyquist line count once.
        weight = np.where((k == 0) | (2 * k == m), 1.0, 2.0) * self.window(k / (m / 2))
        # The matrix is circulant: each row holds one period of the Dirichlet kernel, half a cell off the grid.
        distance = np.arange(size) + (self.scale - 1) / 2
        kernel = np.cos((2 * np.pi / size) * distance[:, None] * k) @ weight / size
        return kernel[np.mod(np.arange(m)[:, None] * self.scale - np.arange(size), size)]

    def window(self, frequency: np.ndarray) -> np.ndarray:
        """Window weight at `frequency`, given as a fraction in [0, 1] of the half width of the LR band."""
        return tukey_window(np.abs(frequency) / self.support, self.taper, self.pedestal)


class WindowedKSpaceDownsample(nn.Module):
    r"""Mean-preserving central crop of the spectrum with a window that is not separable.

    As :class:`KSpaceDownsample`, with the weight ``w(r)`` at radius
    ``r = (|k_1 / b_1|^p + |k_2 / b_2|^p)^(1/p)``, where b are the half widths of the acquired band: an ellipse for
    p = 2, a rectangle with cut corners for p around 4. Computed by FFT on the HR grid; the adjoint is exact up to
    rounding.

    Args:
        scale: ratio of the two grids, an integer of at least 2.
        support: fractions of the LR band that are acquired along the two axes, each in (0, 1]; the rest is filled with
            zeros.
        exponent: p, at least 1; None for a rectangle, ``r = max(|k_1 / b_1|, |k_2 / b_2|)``.
        taper: fraction of the radius, from the edge inward, over which a cosine window falls to `pedestal`; in [0, 1].
        pedestal: window weight at the edge of the band, in [0, 1].
        fermi: width of a Fermi window ``1 / (1 + exp((r - 1 + 2 fermi) / fermi))`` as a fraction of the radius, in
            (0, 0.25]; None for none. Excludes a taper.

    Raises:
        ValueError: if an argument is out of range; the message names it.
    """

    def __init__(
        self,
        scale: int = 4,
        *,
        support: tuple[float, float] = (1.0, 1.0),
        exponent: float | None = 2.0,
        taper: float = 0.0,
        pedestal: float = 0.0,
        fermi: float | None = None,
    ) -> None:
        super().__init__()
        self.scale = check_scale(scale)
        first, second = (float(fraction) for fraction in support)
        if not (0 < first <= 1 and 0 < second <= 1):
            raise ValueError(f"support must be two fractions of the LR band in (0, 1], got {support}: use 1 for all")
        if exponent is not None and not exponent >= 1:
            raise ValueError(f"exponent must be at least 1, got {exponent}: 2 for an ellipse, None for a rectangle")
        for name, value in {"taper": taper, "pedestal": pedestal}.items():
            if not 0 <= value <= 1:
                raise ValueError(f"{name} must lie in [0, 1], got {value}: 0 for none")
        if fermi is not None and not 0 < fermi <= 0.25:
            raise ValueError(f"fermi must be a width in (0, 0.25] of the radius, or None, got {fermi}")
        if fermi is not None and taper > 0:
            raise ValueError(f"fermi={fermi} excludes taper={taper}: set only one")
        self.support = (first, second)
        self.exponent = None if exponent is None else float(exponent)
        self.taper, self.pedestal = float(taper), float(pedestal)
        self.fermi = None if fermi is None else float(fermi)
        self._weights: TensorCache[Tensor] = TensorCache(_MAX_CACHED_WEIGHTS)

    @property
    def settings(self) -> dict[str, Any]:
        """Arguments that rebuild the operator, by name, as plain values."""
        return {
            "scale": self.scale,
            "support": list(self.support),
            "exponent": self.exponent,
            "taper": self.taper,
            "pedestal": self.pedestal,
            "fermi": self.fermi,
        }

    @property
    def description(self) -> str:
        """For example "4x, elliptical k-space crop"."""
        shape = {2.0: "elliptical ", None: ""}.get(self.exponent, "rounded ")
        edge = f" with taper {self.taper:g}" if self.taper else ""
        edge += f" with a Fermi window of width {self.fermi:g}" if self.fermi else ""
        filled = " x ".join(f"{100 * fraction:.3g} %" for fraction in self.support)
        support = "" if self.support == (1.0, 1.0) else f", {filled} of the band filled"
        return f"{self.scale}x, {shape}k-space crop{edge}{support}"

    def window(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Window weight at frequencies given as fractions of the half width of the LR band along each axis."""
        a, b = np.abs(first) / self.support[0], np.abs(second) / self.support[1]
        p = self.exponent
        radius = np.maximum(a, b) if p is None else (a**p + b**p) ** (1 / p)
        if self.fermi is None:
            return tukey_window(radius, self.taper, self.pedestal)
        inside = 1 / (1 + np.exp((radius - 1 + 2 * self.fermi) / self.fermi))
        return np.where(radius > 1 + _ROUNDING, 0.0, inside)

    def transfer(self, frequency: np.ndarray, axis: int) -> np.ndarray:
        """Transfer function along spatial axis 0 or 1, at a frequency of 0 along the other.

        Args:
            frequency: in cycles per LR pixel, >= 0.
            axis: 0 (H) or 1 (W).
        """
        fraction = 2 * np.asarray(frequency, dtype=float)
        zero = np.zeros_like(fraction)
        weight = self.window(zero, fraction) if axis else self.window(fraction, zero)
        return _nyquist_share(fraction) * weight

    def forward(self, x: Tensor) -> Tensor:
        """Degrade an image.

        Args:
            x: ``(B, C, H, W)`` floating point, any range; H and W divisible by `scale`. Metadata is dropped.

        Returns:
            ``(B, C, H / scale, W / scale)`` of the same dtype.

        Raises:
            ValueError: if `x` does not have four axes, is not floating point, or has a size not divisible by `scale`.
        """
        x = check_input(x, "x")
        size = (x.shape[-2], x.shape[-1])
        check_divisible(size, self.scale)
        with torch.autocast(x.device.type, enabled=False):
            work = single_precision(x)
            shifted = torch.fft.irfft2(torch.fft.rfft2(work) * self._weight(size, work), s=size)
            return shifted[..., :: self.scale, :: self.scale].to(x.dtype).contiguous()

    def adjoint(self, y: Tensor) -> Tensor:
        """Apply the exact transpose of :meth:`forward`: ``(B, C, h, w)`` to ``(B, C, h * scale, w * scale)``."""
        y = check_input(y, "y")
        size = (y.shape[-2] * self.scale, y.shape[-1] * self.scale)
        with torch.autocast(y.device.type, enabled=False):
            work = single_precision(y)
            sparse = work.new_zeros(*y.shape[:2], *size)
            sparse[..., :: self.scale, :: self.scale] = work
            return torch.fft.irfft2(torch.fft.rfft2(sparse) * self._weight(size, work).conj(), s=size).to(y.dtype)

    def extra_repr(self) -> str:
        """Settings for ``repr``."""
        return ", ".join(f"{name}={value}" for name, value in self.settings.items())

    def _weight(self, size: tuple[int, int], like: Tensor) -> Tensor:
        return self._weights.find((size, like.dtype, like.device), lambda: self._build_weight(size, like))

    def _build_weight(self, size: tuple[int, int], like: Tensor) -> Tensor:
        """Window, halved Nyquist lines and the shift to the cell centers: complex ``(H, W // 2 + 1)``."""
        lines = [np.fft.fftfreq(size[0]), np.fft.rfftfreq(size[1])]  # cycles per HR pixel
        fractions = [2 * self.scale * line for line in lines]
        weight = self.window(fractions[0][:, None], fractions[1][None])
        phases = [
            _nyquist_share(fraction) * np.exp(1j * np.pi * (self.scale - 1) * line)
            for line, fraction in zip(lines, fractions, strict=True)
        ]
        weights = torch.from_numpy(weight * phases[0][:, None] * phases[1])
        return weights.to(like.device, torch.promote_types(like.dtype, torch.complex64))


def _nyquist_share(fraction: np.ndarray) -> np.ndarray:
    """1/2 at the edge of the LR band, whose two lines share the weight (odd sizes have none there), 1 elsewhere."""
    return np.where(np.isclose(np.abs(fraction), 1), 0.5, 1.0)
