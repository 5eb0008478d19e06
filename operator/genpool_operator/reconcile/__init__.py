"""From what is wanted and what is seen to what is done: one function that decides, one loop that does it."""
