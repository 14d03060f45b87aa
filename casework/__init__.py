"""What an application is and how it may move; the vocabulary that node, city and screen share.

Laws of this room:

- Standard library only, and pure: no clock, no randomness, no disk. Time arrives inside an event (`event.at`),
  ids as arguments.
- An application moves only through `lifecycle.advance`; an event that is not allowed raises a typed error and
  changes nothing.
- Node and city replay the same events through the same table and arrive at the same application.
- What the catalog leaves open (`null`) stays unknown; it is never read as zero, free, or without a limit.
- An error carries a stable code and typed fields, never a person's data.
"""
