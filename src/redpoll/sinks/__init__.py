"""Everything that acts on processed alerts besides the store."""
