"""Run where SAELens and sparsify are installed: `library_dictionaries.py FOLDER`.

FOLDER/ours/*: dictionaries of ours, in SAELens' format; theirs/*: written here by the libraries, with weights drawn at
random; x.npy: activations. Each folder gets codes.npy and rebuilt.npy, as its library computes them.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from sae_lens import SAE
from sae_lens.saes import JumpReLUSAE, JumpReLUSAEConfig, StandardSAE, StandardSAEConfig, TopKSAE, TopKSAEConfig
from sparsify import SparseCoder
from sparsify.config import SparseCoderConfig

WIDTH, LATENTS, K = 12, 40, 5


def saelens() -> dict[str, SAE]:
    """One of each architecture that SAELens can use."""
    size = {"d_in": WIDTH, "d_sae": LATENTS}
    made = {
        "saelens-topk": TopKSAE(TopKSAEConfig(**size, k=K)),
        "saelens-topk-rescaled": TopKSAE(TopKSAEConfig(**size, k=K, rescale_acts_by_decoder_norm=True)),
        "saelens-standard": StandardSAE(StandardSAEConfig(**size)),
        "saelens-standard-uncentred": StandardSAE(StandardSAEConfig(**size, apply_b_dec_to_input=False)),
        "saelens-jumprelu": JumpReLUSAE(JumpReLUSAEConfig(**size)),
    }
    for sae in made.values():
        for parameter in sae.parameters():
            torch.nn.init.normal_(parameter)
    made["saelens-jumprelu"].threshold.data.abs_()
    return made


def tell(folder: Path, codes: torch.Tensor, rebuilt: torch.Tensor) -> None:
    """Write what the library makes of the activations."""
    np.save(folder / "codes.npy", codes.numpy())
    np.save(folder / "rebuilt.npy", rebuilt.numpy())


def sparsify(folder: Path, x: torch.Tensor) -> None:
    """A TopK dictionary as sparsify saves it."""
    coder = SparseCoder(WIDTH, SparseCoderConfig(num_latents=LATENTS, k=K))
    for parameter in coder.parameters():
        torch.nn.init.normal_(parameter)
    coder.save_to_disk(folder)
    top, latents, _ = coder.encode(x)
    tell(folder, torch.zeros(len(x), LATENTS).scatter(1, latents, top), coder.decode(top, latents))


@torch.no_grad()
def main(folder: Path) -> None:
    """Read ours, write theirs."""
    torch.manual_seed(0)
    x = torch.from_numpy(np.load(folder / "x.npy"))
    for path, sae in saelens().items():
        sae.save_model(folder / "theirs" / path)
    for path in sorted((folder / "ours").iterdir()) + sorted((folder / "theirs").iterdir()):
        sae = SAE.load_from_disk(path)
        tell(path, sae.encode(x), sae(x))
    sparsify(folder / "theirs" / "sparsify", x)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
