"""Runs in TensorBoard, MLflow or Weights & Biases, beside `log.jsonl`, which every run has."""
