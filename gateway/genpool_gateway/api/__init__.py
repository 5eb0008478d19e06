"""The REST API: ``/v1``. Routes parse, ask one service, and answer; what is decided is decided elsewhere."""
