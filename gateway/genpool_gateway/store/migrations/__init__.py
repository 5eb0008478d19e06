"""The steps from one form of the tables to the next. Written by hand; a release never changes one that was released."""
