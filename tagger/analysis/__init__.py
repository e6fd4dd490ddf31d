"""What is wrong with a model or with gold data: mistakes, confusion, scores of groups. Without torch."""
