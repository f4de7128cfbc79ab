"""Where a batch runs: the task is a function from a block of packets to a result, so the engine is a choice."""
