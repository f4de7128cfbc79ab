"""Contract of plugins (science modules, alert filters, sources, sinks), their discovery, and the graph."""
