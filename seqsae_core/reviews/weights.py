"""What reviews need of a dictionary's weights, without torch: its fingerprint and its decoder directions."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqsae_core.study import Study

WEIGHTS = "sae_weights.safetensors"


@dataclass(frozen=True)
class Weights:
    """fingerprint: as `sae.interchange.fingerprint` says it; decoder: float32 (latents, width)."""

    fingerprint: str
    decoder: np.ndarray

    @classmethod
    def of(cls, study: Study, dictionary: str | None = None) -> "Weights":
        """Of a dictionary of a study. Raises UserError when it has none."""
        return cls.read(study.folder("sae", dictionary) / WEIGHTS)

    @classmethod
    def read(cls, path: Path) -> "Weights":
        """From a file that this program wrote: what it holds is what the dictionary is, value by value."""
        from safetensors.numpy import load_file

        tensors, digest = load_file(path), hashlib.sha256()
        for name, values in sorted(tensors.items()):
            digest.update(f"{name} {tuple(values.shape)} ".encode())
            digest.update(np.ascontiguousarray(values).tobytes())
        return cls(digest.hexdigest()[:16], tensors["W_dec"])
