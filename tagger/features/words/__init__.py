"""What features find in word forms alone."""
