"""Recommendation of targets for telescopes: what a night's hours are best spent on, and what came of it."""
