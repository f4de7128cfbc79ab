"""Public test kit: conformance suites, small synthetic batches, and a pytest plugin with fixtures."""
