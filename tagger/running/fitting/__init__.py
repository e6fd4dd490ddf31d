"""From corpora to a trained and calibrated model."""
