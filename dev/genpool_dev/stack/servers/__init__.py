"""Small HTTP servers on this machine that pods reach: photos to work on, and a receiver of callbacks."""
