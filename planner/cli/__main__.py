"""`python -m planner.cli` is the command `kafka-planner`."""

from planner.cli import main

if __name__ == "__main__":  # a pool of processes may import this module again
    main()
