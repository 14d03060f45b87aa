"""Bringing a node to life, checking it, rescuing it, practising on one, and showing the whole system on one machine.

Writes to the desk only while edge_node is stopped; the demo starts the other programs as processes, imports none of
them and, like the screen, knows the node only by its counter API.
"""
