"""What the city keeps: nodes, their journals, applications, feeds, rulings.

Laws: only `acts` open transactions; a row is not the domain object; locks are taken in one order everywhere (the node's
own row, applications by id, operations, feed heads by node id), so that two batches never wait for one another in a
ring.
"""
