"""Scores of numbers: errors and intervals of forecasts, and alarms about anomalies in series."""
