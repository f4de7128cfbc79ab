"""What comes over HTTP: a small answer within bounds, a large file that is resumed and checked."""
