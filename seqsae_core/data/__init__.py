"""Files to interactions, sequences, roles and concepts."""
