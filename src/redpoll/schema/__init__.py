"""The alert data model, the mapping of each survey to it, and the Avro decoder."""
