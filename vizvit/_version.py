"""The one version: pyproject.toml reads it, and so do files that say what wrote them."""

__version__ = "0.1.0"
