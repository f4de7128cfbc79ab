"""A night assembled: sources to blocks, blocks through the chain, results into the store and the ledger."""
