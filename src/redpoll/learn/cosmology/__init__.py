"""What misclassified supernovae cost: the Hubble diagram of a classified sample and the posterior of w."""
