"""Cross-match of alerts with catalogues, watchlists, regions, sky maps, dust and hosts."""
