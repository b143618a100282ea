"""The walkthrough's stages, one to three a file, and what they are drawn with."""
