"""What every room uses: errors, the registry, randomness, bundle files, files written whole, progress."""
