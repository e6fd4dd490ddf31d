"""Teachers: trained models, or files with labels, from which a network learns what training sentences lack."""
