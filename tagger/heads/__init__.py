"""What each kind of head answers for: labels, network, layers, scores, calibration, lessons of a teacher."""
