"""What the page Steer is made of: the live list, its sliders, what they cost and why."""
