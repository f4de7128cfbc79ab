"""The alert data model, one mapping per survey, and the Avro decoder."""
