"""Pictures of saved reports."""
