"""Sources of packets, and their decoding to alert tables."""
