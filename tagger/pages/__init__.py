"""Pages that load nothing from elsewhere: how templates are filled, and the colours of pages and pictures."""
