"""A task for each of many files, over as many runs of the program as it takes."""
