"""Learning: labels and training sets, models that are trained, judged and replaced."""
