"""What the page Concept is made of."""
