"""Input and output files of an attempt, and the folders that hold them."""
