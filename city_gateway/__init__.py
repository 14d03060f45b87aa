"""The city's door: it receives what nodes sealed, replays it through casework, lets departments rule, and answers.

Laws: a node is authenticated before a byte of its body is read; one batch is one transaction; every answer that can
change anything on a node is signed; what was received is stored before anything is said about it.
"""
