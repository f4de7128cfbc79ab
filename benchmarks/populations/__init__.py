"""Alerts whose class is known, simulated and real, and how often the rules are right on them."""
