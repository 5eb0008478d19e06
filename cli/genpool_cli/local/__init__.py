"""GenPool on one machine: the same manifest, as processes that are looked after."""
