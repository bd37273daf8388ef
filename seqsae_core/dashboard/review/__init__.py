"""What the page Review is made of, and the names that come from it."""
