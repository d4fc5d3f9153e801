"""Questions about a cluster in operation: partitions and moves, failures, consumers; each takes a scenario."""
