"""The walk's parts that live in a browser, on the page and in files."""
