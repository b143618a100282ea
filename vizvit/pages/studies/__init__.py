"""What a study found, read back from its folder."""
