"""Cross-match: what is known at the place of an alert. Catalogues, watchlists, regions, sky maps, dust, hosts."""
