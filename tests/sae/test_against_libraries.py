"""SAELens reads our dictionaries and we read SAELens' and sparsify's: equal codes, by the libraries themselves.

They work in an environment of their own (`make dictionaries`).
"""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from seqsae_core.config import SaeConfig
from seqsae_core.sae import interchange
from seqsae_core.sae.autoencoders import VARIANTS, make

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-dictionaries/bin/python"
WIDTH, LATENTS, K = 12, 40, 5
THEIRS = (
    "saelens-topk", "saelens-topk-rescaled", "saelens-standard", "saelens-standard-uncentred", "saelens-jumprelu",
    "sparsify",
)  # fmt: skip


def ours(variant: str, x: torch.Tensor):
    """A dictionary with drawn weights, as training ends with one."""
    torch.manual_seed(1)
    sae = make(SaeConfig(variant=variant, latents=LATENTS, k=K), WIDTH)
    for parameter in sae.parameters():
        torch.nn.init.normal_(parameter)
    return sae.finished(x).requires_grad_(False)


@pytest.fixture(scope="module")
def exchanged(tmp_path_factory) -> Path:
    """The folder after the libraries have worked on it; without them these tests skip, in CI they fail."""
    if not (PYTHON.parents[1] / ".installed").exists():
        reason = "SAELens and sparsify are not installed: make dictionaries"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    folder = tmp_path_factory.mktemp("exchange")
    x = torch.randn(200, WIDTH, generator=torch.Generator().manual_seed(0))
    np.save(folder / "x.npy", x.numpy())
    for variant in VARIANTS:
        (folder / "ours" / variant).mkdir(parents=True)
        interchange.save(ours(variant, x), folder / "ours" / variant, layer=1)
    command = [PYTHON, "-W", "ignore", Path(__file__).with_name("library_dictionaries.py"), folder]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": ""})
    assert done.returncode == 0, done.stderr
    return folder


def compare(folder: Path, x: np.ndarray) -> None:
    sae, x = interchange.load(folder), torch.from_numpy(x)
    codes = torch.from_numpy(np.load(folder / "codes.npy"))
    assert (codes > 0).any()
    assert torch.allclose(sae.encode(x), codes, atol=1e-5)
    assert torch.allclose(sae(x), torch.from_numpy(np.load(folder / "rebuilt.npy")), atol=1e-4)


@pytest.mark.parametrize("variant", VARIANTS)
def test_saelens_encodes_with_our_dictionary_as_we_do(exchanged, variant):
    compare(exchanged / "ours" / variant, np.load(exchanged / "x.npy"))


@pytest.mark.parametrize("name", THEIRS)
def test_we_encode_with_their_dictionary_as_they_do(exchanged, name):
    compare(exchanged / "theirs" / name, np.load(exchanged / "x.npy"))
