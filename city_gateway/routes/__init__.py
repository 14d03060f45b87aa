"""HTTP and nothing else: read the request, call one act, write the answer."""
