"""Maps of what a prediction rests on, beside each other, and the tests that tell which to trust."""
