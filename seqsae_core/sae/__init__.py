"""Activations to sparse dictionaries, and how faithful they are."""
