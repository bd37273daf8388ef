"""Models that were trained by other libraries: their forward passes in plain torch, from safetensors and JSON."""
