"""Variants of dictionaries as readers know them; without torch, for pages."""

VARIANTS = {
    "topk": "TopK",
    "batchtopk": "BatchTopK",
    "matryoshka": "Matryoshka BatchTopK",
    "relu": "ReLU + L1",
}
IMPORTED = {"topk": "imported TopK", "relu": "imported ReLU", "jumprelu": "imported JumpReLU"}


def called(variant: str | None, imported: str | None = None) -> str | None:
    """What readers call a variant; of an imported dictionary only the activation function is known."""
    return (IMPORTED if imported else VARIANTS).get(variant)
