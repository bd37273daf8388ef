"""Variants of dictionaries as readers know them; without torch, for pages."""

VARIANTS = {
    "topk": "TopK",
    "batchtopk": "BatchTopK",
    "matryoshka": "Matryoshka BatchTopK",
    "relu": "ReLU + L1",
}
