"""What the page Find is made of."""
