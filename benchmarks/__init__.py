"""Figures of this project, measured on the machine at hand; see README.md for the commands and the last figures.

Laws: a benchmark reports and never judges; what is compared is measured side by side in one run; the real rooms do the
work, over data of evidently invented people.
"""
