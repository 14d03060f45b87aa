"""For `benchmarks.courier_memory`: the courier as it was, with the authorities of certifi in memory."""

import ssl

import certifi

from sync_agent import uplink

uplink.trust = lambda: ssl.create_default_context(cafile=certifi.where())
