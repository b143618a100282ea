"""VizViT in the browser; a room or a file for each entry of the navigation bar."""
