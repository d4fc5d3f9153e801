"""What a running cluster and its tools say, read into the planner's terms."""
