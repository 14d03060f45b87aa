"""Bringing a node to life, checking it, and showing the whole system on one machine.

Opens the desk only while edge_node is stopped; the demo starts the other programs as processes and imports none of them.
"""
