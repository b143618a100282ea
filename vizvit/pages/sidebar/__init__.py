"""The picture and the model that were chosen: a `Choice`, on every page."""
