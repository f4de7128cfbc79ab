"""The stage that joins what the store knows of each object to the packet's own light curve."""
