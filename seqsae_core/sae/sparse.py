"""An autoencoder's work with only the codes that fire, forward and backward.

Autograd would scatter them into dense (rows, latents) gradients; here the weights' gradients are sparse products.
On the CPU a loop of our own selects and SciPy multiplies: both several times as fast as torch on codes this sparse.
"""

import threading
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch.nn import functional as F

FEW_ROWS = 64


class Codes(NamedTuple):
    """Codes that fire, row after row: values, not negative, and latents, both (m,), and the starts of rows (n + 1,)."""

    values: Tensor
    latents: Tensor
    starts: Tensor

    def where(self, keep: Tensor) -> "Codes":
        """The same with the values of other latents at 0; keep: bool (latents,)."""
        return self._replace(values=self.values * keep[self.latents])

    def to_csr(self, latents: int) -> csr_array:
        """As float32 (n, latents), zeros left out, without gradient."""
        parts = (self.values.detach(), self.latents, self.starts)
        codes = csr_array(tuple(p.cpu().numpy() for p in parts), (len(self.starts) - 1, latents), copy=True)
        codes.eliminate_zeros()
        codes.sort_indices()
        return codes


Choice = Callable[[Tensor], Tensor]


def largest_of_rows(x: Tensor, k: int) -> Tensor:
    """Flat places (n · k,), row after row, of the k largest entries of each row of x (n, columns)."""
    x = x.detach()
    if x.is_cuda or len(x) < FEW_ROWS:
        starts = torch.arange(0, x.numel(), x.shape[1], device=x.device)
        return (x.topk(k, dim=1, sorted=False).indices + starts[:, None]).flatten()
    from seqsae_core.sae import kernels  # half a second that a page does not need

    places = np.empty((len(x), k), np.int64)
    kernels.largest_of_rows(x.numpy(), _bounds(x, k), k, places)
    return torch.from_numpy(places).flatten()


def largest_of_all(x: Tensor, count: int) -> Tensor:
    """Flat places (m,), ascending, of the `count` largest entries of x, and of those that tie with the smallest."""
    return _places(x.detach() >= kth_largest(x, count))


def above(x: Tensor, threshold: Tensor) -> Tensor:
    """Flat places (m,), ascending, of the entries of x (n, columns) that exceed their column's threshold."""
    return _places(x.detach() > threshold.detach())


def kth_largest(x: Tensor, k: int) -> float:
    """The k-th largest entry of x."""
    if x.is_cuda:
        return float(x.detach().flatten().topk(k, sorted=False).values.min())
    return float(np.partition(x.detach().numpy(), x.numel() - k, axis=None)[x.numel() - k])


def encode(x: Tensor, weight: Tensor, bias: Tensor, choose: Choice) -> Codes:
    """The chosen entries of x @ weight + bias, after a ReLU.

    x: (n, width), takes no gradient; weight: (width, latents); bias: (latents,).
    """
    return Codes(*_Encode.apply(x, weight, bias, choose))


def decode(codes: Codes, weight: Tensor) -> Tensor:
    """Sum of values · weight[latents] for each row, (n, width); weight: (latents, width)."""
    return _Decode.apply(*codes, weight)


class _Encode(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, choose):
        preactivations = SCRATCH.product(x, weight, bias)
        places = choose(preactivations)
        values = preactivations.view(-1)[places].relu()
        latents, starts = places % len(bias), _starts(places // len(bias), len(x))
        ctx.save_for_backward(x, values, latents, starts)
        ctx.mark_non_differentiable(latents, starts)
        ctx.size = len(bias)
        return values, latents, starts

    @staticmethod
    def backward(ctx, gradient, *_):
        x, values, latents, starts = ctx.saved_tensors
        gradient = gradient * (values > 0)
        to_bias = torch.bincount(latents, gradient, ctx.size).to(gradient.dtype)
        return None, _transposed_product(Codes(gradient, latents, starts), ctx.size, x).T.contiguous(), to_bias, None


class _Decode(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values, latents, starts, weight):
        ctx.save_for_backward(values, latents, starts, weight)
        return F.embedding_bag(latents, weight, starts[:-1], per_sample_weights=values, mode="sum")

    @staticmethod
    def backward(ctx, gradient):
        values, latents, starts, weight = ctx.saved_tensors
        if gradient.is_cuda:
            to_weight = _transposed_product(Codes(values, latents, starts), len(weight), gradient)
            return (gradient[_rows(starts)] * weight[latents]).sum(1), None, None, to_weight
        from seqsae_core.sae import kernels

        parts = (part.numpy() for part in (values, latents, starts, weight, gradient.contiguous()))
        to_values, to_weight = kernels.decode_backward(*parts)
        return torch.from_numpy(to_values), None, None, torch.from_numpy(to_weight)


class _Scratch(threading.local):
    """Memory for preactivations, kept from step to step: fresh pages cost as much as half of the product."""

    MOST = 2**24
    kept = torch.empty(0)

    def product(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """x @ weight + bias, (n, latents), to be done with before the next one."""
        shape = len(x), len(bias)
        size = shape[0] * shape[1]
        if x.is_cuda or size > self.MOST:
            return torch.addmm(bias, x, weight)
        if len(self.kept) < size:
            with torch.inference_mode(False):
                self.kept = torch.empty(size)
        return torch.addmm(bias, x, weight, out=self.kept[:size].view(shape))


SCRATCH = _Scratch()


def _transposed_product(codes: Codes, size: int, rows: Tensor) -> Tensor:
    """codesᵀ @ rows, (size, width); rows: (n, width)."""
    if rows.is_cuda:
        spread = codes.values[:, None] * rows[_rows(codes.starts)]
        return rows.new_zeros(size, rows.shape[1]).index_add_(0, codes.latents, spread)
    parts = tuple(part.detach().numpy() for part in codes)
    return torch.from_numpy(csr_array(parts, (len(rows), size)).T @ rows.detach().numpy())


def _bounds(x: Tensor, k: int) -> np.ndarray:
    """What at least k entries of each row of x reach, (n,): the k-th largest of the maxima of groups of columns."""
    columns = x.shape[1]
    size = next(size for size in (16, 8, 4, 2, 1) if columns % size == 0 and (columns >= 4 * k * size or size == 1))
    maxima = x.view(len(x), size, -1).amax(1).numpy()
    place = maxima.shape[1] - k
    return np.partition(maxima, place, axis=1)[:, place]


def _places(chosen: Tensor) -> Tensor:
    if chosen.is_cuda:
        return torch.nonzero(chosen.flatten()).squeeze(1)
    return torch.from_numpy(np.flatnonzero(chosen.numpy()))


def _rows(starts: Tensor) -> Tensor:
    """The row of each code, (m,)."""
    return torch.repeat_interleave(starts.diff())


def _starts(rows: Tensor, n: int) -> Tensor:
    counts = torch.bincount(rows, minlength=n)
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)])
