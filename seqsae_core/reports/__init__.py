"""What one takes along: a latent, or a study, as one HTML file that needs nothing else."""
