"""What pages say of dictionaries: fidelity, comparison, choice."""
