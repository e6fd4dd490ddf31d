"""The recursions of a linear-chain CRF."""
