"""Understand and steer sequential recommenders with sparse autoencoders."""

__version__ = "0.1.0"
