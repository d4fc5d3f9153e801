"""One module per resource: pure functions on floats or arrays, one formula each."""
