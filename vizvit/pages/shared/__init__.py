"""What the pages share: language, address, caches, look, names and the picker."""
