"""Programs for those who work on soundviews; none of them is installed."""
