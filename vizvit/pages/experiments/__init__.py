"""Change one thing and look again: an experiment a file, and what they share."""
