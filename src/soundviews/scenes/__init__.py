"""The built-in scenes: sounds that the package synthesises itself."""
