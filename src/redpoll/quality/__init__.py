"""Between decoding and science: flags filled, unusable alerts and those beyond the cuts told apart."""
