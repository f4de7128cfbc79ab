"""HTTP client functions: small bounded responses, and large downloads that are resumed and checked."""
