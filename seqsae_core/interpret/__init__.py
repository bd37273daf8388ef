"""Dictionaries to evidence: what each feature means, how we know, and against which rivals."""
