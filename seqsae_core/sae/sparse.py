"""An autoencoder's work with only the codes that fire, forward and backward.

Autograd would scatter them into dense (rows, latents) gradients; here the weights' gradients are sparse products.
On the CPU, NumPy selects and SciPy multiplies: both several times as fast as torch's own on codes this sparse.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from scipy.sparse import csr_array
from torch import Tensor
from torch.nn import functional as F

THREADS = ThreadPoolExecutor()


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
    """Flat places (m,), ascending, of the k largest entries of each row of x (n, columns).

    Entries that tie with the smallest of them are taken too.
    """
    return _places(x.detach() >= kth_of_rows(x, k))


def largest_of_all(x: Tensor, count: int) -> Tensor:
    """Flat places (m,), ascending, of the `count` largest entries of x, and of those that tie with the smallest."""
    return _places(x.detach() >= kth_of_rows(x.reshape(1, -1), count))


def above(x: Tensor, threshold: Tensor) -> Tensor:
    """Flat places (m,), ascending, of the entries of x (n, columns) that exceed their column's threshold."""
    return _places(x.detach() > threshold.detach())


def kth_of_rows(x: Tensor, k: int) -> Tensor:
    """The k-th largest entry of each row, (n, 1); x: (n, columns)."""
    if x.is_cuda:
        return x.topk(k, dim=1, sorted=False).values.amin(1, keepdim=True)
    place = x.shape[1] - k
    parts = np.array_split(x.detach().numpy(), torch.get_num_threads())
    found = THREADS.map(lambda rows: np.partition(rows, place, axis=1)[:, place, None], parts)
    return torch.from_numpy(np.concatenate(list(found)))


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
        preactivations = torch.addmm(bias, x, weight)
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
        return None, _transposed_product(Codes(gradient, latents, starts), ctx.size, x).T, to_bias, None


class _Decode(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values, latents, starts, weight):
        ctx.save_for_backward(values, latents, starts, weight)
        return F.embedding_bag(latents, weight, starts[:-1], per_sample_weights=values, mode="sum")

    @staticmethod
    def backward(ctx, gradient):
        values, latents, starts, weight = ctx.saved_tensors
        to_weight = _transposed_product(Codes(values, latents, starts), len(weight), gradient)
        with torch.enable_grad():
            values = values.detach().requires_grad_()
            out = F.embedding_bag(latents, weight.detach(), starts[:-1], per_sample_weights=values, mode="sum")
        return torch.autograd.grad(out, values, gradient)[0], None, None, to_weight


def _transposed_product(codes: Codes, size: int, rows: Tensor) -> Tensor:
    """codesᵀ @ rows, (size, width); rows: (n, width)."""
    if rows.is_cuda:
        spread = codes.values[:, None] * rows[_rows(codes.starts)]
        return rows.new_zeros(size, rows.shape[1]).index_add_(0, codes.latents, spread)
    parts = tuple(part.detach().numpy() for part in codes)
    return torch.from_numpy(csr_array(parts, (len(rows), size)).T @ rows.detach().numpy())


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
