"""Edits of latents, what they do to recommendations, and what they cost."""
