"""The courier: moves sealed mail between this node and the city, and can read none of it.

It holds the transport key (signs HTTP requests) and no key of the desk. What the gateway has not
signed, it does not believe; what it cannot deliver now, it leaves lying where it lies.
"""
