"""Sequences to a trained next-item model, and its evaluation."""
