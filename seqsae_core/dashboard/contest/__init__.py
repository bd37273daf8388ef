"""What the page Latents vs neurons is made of."""
