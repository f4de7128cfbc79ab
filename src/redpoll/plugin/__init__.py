"""The contract of plugins: science modules, alert filters, sources and sinks; their discovery; the graph."""
