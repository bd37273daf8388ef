"""Loops compiled for the CPU: what neither NumPy nor torch does in one walk over the memory."""

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def largest_of_rows(x: np.ndarray, bounds: np.ndarray, k: int, places: np.ndarray) -> None:
    """Write the flat places of the k largest entries of each row of x (n, columns) into places, int64 (n, k).

    bounds: (n,), reached by at least k entries of the row; the fewer reach it, the faster. Of entries that tie with
    the smallest, the first count; a row with NaN gives its first k places.
    """
    columns = x.shape[1]
    candidates, values = np.empty(columns + 1, np.int32), np.empty(columns, x.dtype)
    for i in range(len(x)):
        row, bound = x[i], bounds[i]
        count = 0
        for j in range(columns):
            candidates[count] = j
            count += row[j] >= bound
        for c in range(count):
            values[c] = row[candidates[c]]
        least = _kth_largest(values, count, k) if count >= k else bound
        _first_places(row, candidates[:count], least, k, i * columns, places[i])


@njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})
def decode_backward(
    values: np.ndarray, latents: np.ndarray, starts: np.ndarray, weight: np.ndarray, gradient: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of values (m,) and of weight (latents, width), from that of the decoded rows, (n, width).

    latents: (m,), starts: (n + 1,), as in `sparse.Codes`.
    """
    to_values, to_weight = np.empty_like(values), np.zeros_like(weight)
    for i in range(len(gradient)):
        row = gradient[i]
        for code in range(starts[i], starts[i + 1]):
            value, direction, total = values[code], weight[latents[code]], to_weight[latents[code]]
            product = np.float32(0)
            for column in range(len(row)):
                total[column] += value * row[column]
                product += direction[column] * row[column]
            to_values[code] = product
    return to_values, to_weight


@njit(nogil=True, cache=True, inline="always")
def _first_places(row, candidates, least, k, start, places):
    for j in range(k):
        places[j] = start + j
    above = 0
    for j in candidates:
        above += row[j] > least
    ties, found = k - above, 0
    for j in candidates:
        tie = row[j] == least
        if row[j] > least or (tie and ties > 0):
            places[found] = start + j
            found += 1
            ties -= tie


@njit(nogil=True, cache=True, inline="always")
def _kth_largest(values, count, k):
    """Of values[:count], which is reordered: Hoare's quickselect."""
    low, high = 0, count - 1
    while low < high:
        pivot = values[(low + high) >> 1]
        i, j = low, high
        while i <= j:
            while values[i] > pivot:
                i += 1
            while values[j] < pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if k - 1 <= j:
            high = j
        elif k - 1 >= i:
            low = i
        else:
            break
    return values[k - 1]
