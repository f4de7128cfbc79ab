"""Public test kit: conformance suites, small made-up batches, and a pytest plugin with fixtures."""
