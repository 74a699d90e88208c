"""Measuring: from what is true at the plant to what its instruments say, and each gateway of when."""
