"""HTTP only: a route parses, asks who is at the counter, calls one act, and shapes its answer."""
