"""Dead letters: done once more, or dropped; one, some, or all of a kind."""
