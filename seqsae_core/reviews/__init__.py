"""What analysts decide about latents: the store, the queue, agreement, and the names that follow."""
