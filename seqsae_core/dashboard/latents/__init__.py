"""What the pages about latents are made of: the table and the map, one latent, two side by side."""
