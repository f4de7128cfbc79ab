"""Quality stage: fills missing flags, and separates unusable alerts and alerts that fail the cuts."""
