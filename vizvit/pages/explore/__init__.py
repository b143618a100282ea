"""Explore: the explorer over the picture, what is compared with it, and what is kept of it."""
