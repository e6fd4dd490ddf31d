"""What each kind of head is responsible for: labels, network, layers, scores, calibration, lessons of a teacher."""
