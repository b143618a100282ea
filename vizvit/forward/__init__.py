"""One forward pass, watched: a capture of queries and keys, batches of captures, and a pass taken apart."""
