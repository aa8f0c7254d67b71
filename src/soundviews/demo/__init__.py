"""The demonstration: the whole line on built-in scenes, and its page."""
