"""The village agent's screen: a thin client of the node on this machine.

Laws of the room:
- It keeps nothing. What was typed goes to the node's draft within 300 ms; what the node has not confirmed is
  shown as unsaved.
- It decides nothing that binds. Checks made here are the node's own checks (`casework.forms`), only sooner.
- It speaks HTTP over the node's Unix socket and opens no other connection.
- Every act is reachable from the keyboard; every screen fits 80 columns and 24 lines.
"""
