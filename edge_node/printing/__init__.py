"""The papers that a township hands out, each filled from one application, and its register as a workbook; no web
framework, no store.

Laws
- A paper says only what the file says; the unknown is printed as unknown, what a person must fill in as a blank line.
- The identity number is masked on every paper; the name is written out, because a notice is addressed to somebody.
- A collection slip never looks like a proof of acceptance; a notice is worth nothing before it is stamped, and says so.
"""
