"""What the gateway does, each act one function and one transaction; no FastAPI, no HTTP.

Laws: what is to be read by a node is sealed to it here; a stored envelope always has an outcome; whoever is
concerned by a step of an application gets an entry in the same transaction.
"""
