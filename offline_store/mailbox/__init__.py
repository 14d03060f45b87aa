"""Sealed envelopes in and out, one file each, shared by the counter's service and the courier.

`outgoing.Outgoing` is filled and emptied by edge_node alone; `incoming.Incoming` is filled by sync_agent alone and
emptied by edge_node. There is no database and no lock: a file is there whole or not at all. Everything in `outgoing`
can be made again from the desk.
"""
