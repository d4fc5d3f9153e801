"""`python -m planner.cli` is the command `kafka-planner`."""

from planner.cli import main

main()
